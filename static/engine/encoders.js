/** Encoders, as in gru_core/encoders. They split a sequence into tokens, one for each timestep, and encode each token as an input vector. */

/** @import { Vector } from "./cells.js" */
/** @import { Model } from "./model.js" */
import { vector } from "./cells.js";

/** The error for a sequence that the model cannot read. `step` is the first wrong timestep, counted from 1, or null. */
export class SequenceError extends Error {
  /** @param {string} message @param {number | null} step */
  constructor(message, step = null) {
    super(step === null ? message : `step ${step}: ${message}`);
    this.step = step;
  }
}

const LARGEST = 1e6; // the largest absolute value of a number in a sequence
const LONGEST = 40; // the most characters of a number
const MOST_ACCENTS = 30; // the most accents of a letter
const TOO_MANY_ACCENTS = new RegExp(`\\p{M}{${MOST_ACCENTS + 1}}`, "u");
const LISTED = 40; // the most symbols that an error lists
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPACES = /[\s\x1c-\x1f\x85]+/;

const SPELLED_KINDS = ["symbols", "letters", "embedded"];

/**
 * Return the input vector of a token. Throws SequenceError.
 * @param {Model["encoder"]} encoder @param {string} token @param {number} step from 1
 */
export const encodeToken = (encoder, token, step) =>
  SPELLED_KINDS.includes(encoder.kind) ? row(encoder, token) : values(encoder, token, step);

/** Return the tokens and the input vectors of `text`. Throws SequenceError. @param {Model["encoder"]} encoder @param {string} text */
export function encode(encoder, text) {
  const spelled = SPELLED_KINDS.includes(encoder.kind);
  const plain = encoder.kind === "letters" ? lettersOf(encoder, text) : text;
  const tokens = spelled ? symbols(encoder, plain) : pieces(text.replaceAll("−", "-"));
  const x = tokens.map((token, i) => encodeToken(encoder, token, i + 1));
  if (!tokens.length) throw new SequenceError(`the sequence is empty. ${encoder.hint}`);
  return { tokens, x };
}

/**
 * Return `text` in a Unicode normal form. Throws SequenceError if a letter has too many accents, because sorting them takes
 * quadratic time.
 * @param {string} form @param {string} text
 */
function normalize(form, text) {
  if (TOO_MANY_ACCENTS.test(text)) throw new SequenceError(`a letter has more than ${MOST_ACCENTS} accents`);
  return text.normalize(form);
}

/**
 * Letters such as "ø", which Unicode does not split into a letter and an accent, each with its spelling in letters from a to z.
 * @type {Record<string, string>}
 */
const SPELLED = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i" };

/**
 * Return `text` in lowercase, without accents, hyphens, apostrophes and periods. Put spaces between the letters of each word, except
 * words that are themselves in the alphabet.
 * @param {Model["encoder"]} encoder @param {string} text
 */
const lettersOf = ({ alphabet }, text) =>
  normalize(
    "NFD",
    text
      .toLowerCase()
      .replace(/[ßæœøđðþłı]/g, (letter) => SPELLED[letter])
      .replace(/[\ufeff'’‘\-‐.]/g, ""),
  )
    .replace(/\p{M}/gu, "")
    .split(SPACES)
    .map((chunk) => (alphabet.includes(chunk) ? chunk : [...chunk].join(" ")))
    .join(" ");

/** @param {string} text */
const pieces = (text) => text.split(SPACES).filter(Boolean);

/**
 * Return the symbols in `text`. Try `text` as it is, then with accents joined to their letters, then with accents as separate
 * characters. Throws SequenceError.
 * @param {Model["encoder"]} encoder @param {string} text
 */
function symbols(encoder, text) {
  const plain = text.replaceAll("\ufeff", "");
  /** @type {SequenceError[]} */
  const errors = [];
  for (const form of ["", "NFC", "NFD"])
    try {
      return spell(encoder, form ? normalize(form, plain) : plain);
    } catch (error) {
      errors.push(/** @type {SequenceError} */ (error));
    }
  throw errors.reduce((far, error) => ((error.step ?? 0) > (far.step ?? 0) ? error : far));
}

/** @param {Model["encoder"]} encoder @param {string} text */
function spell({ alphabet }, text) {
  const known = new Set(alphabet);
  const caseless = alphabet.every((symbol) => symbol === symbol.toLowerCase());
  const splitter = splitterOf(alphabet);
  /** @type {string[]} */
  const tokens = [];
  for (const chunk of pieces(text))
    for (const piece of known.has(chunk) ? [chunk] : (chunk.match(splitter) ?? [])) {
      const token = caseless ? piece.toLowerCase() : piece;
      if (!known.has(token)) {
        const more = alphabet.length > LISTED ? ` …, ${alphabet.length.toLocaleString("en")} symbols` : "";
        const listed = alphabet.slice(0, LISTED).join(" ");
        throw new SequenceError(
          `${shown(token)} is not in this model's alphabet (${listed}${more})`,
          tokens.length + 1,
        );
      }
      tokens.push(token);
    }
  return tokens;
}

/**
 * Return a pattern that splits text without spaces: into characters if each symbol is one character, else into words and punctuation
 * marks.
 * @param {string[]} alphabet
 */
function splitterOf(alphabet) {
  if (alphabet.every((symbol) => [...symbol].length === 1)) return /\S/gu;
  const joined = alphabet.filter((symbol) => [...symbol].length > 1 && !/^[\p{L}\p{N}_]+$/u.test(symbol));
  const longest = joined.slice(0, 1000).sort((a, b) => b.length - a.length);
  const escaped = longest.map((symbol) => symbol.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return new RegExp([...escaped, "[\\p{L}\\p{N}_]+|[^\\p{L}\\p{N}_\\s]"].join("|"), "gu");
}

/**
 * Return the input vector of a symbol: one-hot, or the symbol's row in the embedding table.
 * @param {Model["encoder"]} encoder @param {string} token @returns {Vector}
 */
function row({ alphabet, kind, table, inputs }, token) {
  const at = alphabet.indexOf(token);
  return kind === "embedded" ? table.slice(at * inputs, (at + 1) * inputs) : vector(inputs, (i) => Number(i === at));
}

/**
 * Return the input vector of a token with numbers. Throws SequenceError.
 * @param {Model["encoder"]} encoder @param {string} token @param {number} step @returns {Vector}
 */
function values({ kind, inputs, operators = [], alphabet, scale = 1, shift = 0 }, token, step) {
  if (kind === "vectors" || kind === "scaled") {
    const parts = token.split(",");
    if (parts.length !== inputs) {
      const count = parts.length > inputs ? `more than ${inputs}` : String(parts.length);
      throw new SequenceError(`${shown(token)} has ${count} numbers, but each step needs ${inputs}`, step);
    }
    return vector(inputs, (i) => (number(parts[i], parts[i], "not a number", step) - shift) / scale);
  }
  const problem = `not one of ${alphabet.join(", ")} (v is a number)`;
  const operator = operators.find(({ sign }) => sign === token[0]) ?? operators.find(({ sign }) => sign === "");
  if (!operator) throw new SequenceError(`${shown(token)} is ${problem}`, step);
  return Float64Array.from([number(token.slice(operator.sign.length), token, problem, step), ...operator.flags]);
}

/** @param {string} digits @param {string} token @param {string} problem @param {number} step */
function number(digits, token, problem, step) {
  if (digits.length > LONGEST || !NUMBER.test(digits)) throw new SequenceError(`${shown(token)} is ${problem}`, step);
  if (Math.abs(Number(digits)) <= LARGEST) return Number(digits);
  throw new SequenceError(`${shown(token)} is out of range: -1,000,000 to 1,000,000`, step);
}

/** Quote a piece of the sequence for an error: at most 12 characters, with invisible characters as ⟨U+00AD⟩. @param {string} piece */
function shown(piece) {
  const characters = [...piece];
  const hex = (/** @type {string} */ c) => (c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const printable = characters.slice(0, 12).map((c) => (/^[\p{C}\p{Z}]$/u.test(c) ? `⟨U+${hex(c)}⟩` : c));
  return `'${printable.join("")}${characters.length > 12 ? "…" : ""}'`;
}

/**
 * Return the mask of a sequence: false at each timestep of padding, which the network skips. Return null if the model has no padding.
 * @param {Model["encoder"]} encoder @param {Vector[]} x
 */
export function maskOf(encoder, x) {
  const { padding, kind } = encoder;
  if (padding === undefined) return null;
  const skipped = kind === "vectors" ? null : row(encoder, String(padding));
  return x.map((input) =>
    skipped
      ? input.some((value, i) => value !== skipped[i])
      : input.some((value) => Math.fround(value) !== Math.fround(Number(padding))),
  );
}
