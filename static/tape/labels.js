/** The labels on the tape: the inputs, the second sequence, and the outputs of the run and of the run with which it is compared. */

/** @import { Run } from "../run.js" */
/** @import { State } from "../state.js" */
import { finder, newElement, setLength, setText } from "../elements.js";
import { answer, hasSeveral, isSkipped, isWritten, missed, numberText, severalAt } from "../run.js";
import { createGuard } from "../store.js";
import { LEAST_DIFFERENCE, MOST_LABELLED, MOST_WIDE } from "../thresholds.js";
import { nameOf } from "../tokens.js";
import { showToken } from "./vectors.js";

const MOST_CHARACTERS = 14; // columns are widened for tokens and labels up to this length
const DECIMAL = "+-0.5"; // the columns are wide enough for this number, so that they do not jump while the visitor types

/**
 * Return a function that writes the labels on the tape.
 * @param {HTMLElement} tape may have no inputs or no outputs
 * @param {string} beside the name of the run with which this run is compared
 * @returns {(state: State) => void} a function that writes the labels of a state
 */
export function createLabels(tape, beside) {
  const find = finder(tape);
  const [inputs, second, outputs, twins] = [".tokens ol", ".others ol", ".outputs:not(.twin) ol", ".twin ol"].map(find);
  const key = find(".key");
  const isNew = createGuard();

  return ({ run, received, upto }) => {
    if (!isNew(run, received, upto)) return;
    const { tokens, others, twin } = run;
    const labelled = run.columns <= MOST_LABELLED ? run.T : 0;
    setColumns(tape, run, labelled);
    if (inputs) nameInputs(find, run);
    if (inputs)
      each(inputs, labelled, (cell, column) => {
        showToken(cell, tokens?.[column] ?? "·");
        showWritten(cell, run, column);
        cell.classList.toggle("coming", column >= (upto ?? run.T)); // the network has not read it yet
      });
    if (second) find(".others").hidden = !others?.length;
    if (second)
      each(second, others?.length ? labelled : 0, (cell, column) => {
        showToken(cell, others?.[column] ?? "");
        cell.classList.toggle("differs", others?.[column] !== tokens?.[column]);
        cell.classList.toggle("written", column >= run.given && Boolean(others?.[column]));
      });
    showSkipped(find(".cursor"), run);
    if (!outputs) return;
    nameOutputs(find, run, beside);
    each(outputs, labelled, (cell, column) => showOutput(cell, run, column));
    key?.classList.toggle("needed", outputs.querySelector(".wrong") !== null);
    each(twins, labelled, (cell, column) => twin && showTwin(cell, run, column));
  };
}

/**
 * Create a cell in a row for each column with a label, and fill the cells.
 * @param {Element} row
 * @param {number} labelled
 * @param {(cell: HTMLElement, column: number) => void} fill
 */
function each(row, labelled, fill) {
  setLength(row, labelled);
  [...row.children].forEach((cell, column) => fill(/** @type {HTMLElement} */ (cell), column));
}

/** Set the number of columns, and their smallest width, for the style sheet. @param {HTMLElement} tape @param {Run} run @param {number} labelled */
function setColumns(tape, run, labelled) {
  const { T, tokens, columns, y } = run;
  const longest = (/** @type {readonly string[]} */ texts) =>
    Math.min(MOST_CHARACTERS, Math.max(2, ...texts.map(({ length }) => length)));
  const named = (tokens ?? []).map(nameOf);
  const chars = longest([...named, named.some((token) => token.includes("0.")) ? DECIMAL : ""]);
  const labels = longest(y.kind === "softmax" ? y.labels : []);
  for (const [name, value] of Object.entries({ cols: columns, steps: T, chars, "label-chars": labels }))
    tape.style.setProperty(`--${name}`, String(value));
  tape.classList.toggle("many", columns > MOST_WIDE);
  tape.classList.toggle("unlabelled", labelled === 0);
  tape.classList.toggle("signed", y.kind === "linear");
  tape.classList.toggle("several", hasSeveral(run));
  tape.classList.toggle("twinned", run.twin);
}

/** Write the names of the input rows. @param {ReturnType<typeof finder>} find @param {Run} run */
function nameInputs(find, { scale, given, T, against }) {
  const own = scale ? "own forecast" : "own output";
  setText(find(".tokens .name"), `input${scale ? `, ${scale.unit}` : ""}${given < T ? `, ↗ ${own}` : ""}`);
  const others = find(".others .name");
  if (others) setText(others, against ? "second sequence" : "input without changes");
  const list = find(".others ol");
  if (list) list.ariaLabel = against ? "Second sequence" : "Input of the original run";
}

/** Mark an input that the network wrote, with an arrow from the output of the timestep before. @param {HTMLElement} cell @param {Run} run @param {number} column */
function showWritten(cell, run, column) {
  const written = isWritten(run, column + 1);
  cell.classList.toggle("written", written);
  if (written) cell.title = `the network’s own ${run.scale ? "forecast" : "output"} at t = ${column}`;
  else cell.removeAttribute("title");
}

/**
 * Mark the columns that the network skips, because they are padding or come after the end that the network wrote.
 * @param {HTMLElement} cursor @param {Run} run
 */
function showSkipped(cursor, run) {
  for (const drawn of [...(cursor.parentElement?.querySelectorAll(".skipped") ?? [])]) drawn.remove();
  for (let step = 1; step <= run.T; step++) {
    if (!isSkipped(run, step) || isSkipped(run, step - 1)) continue;
    let last = step;
    while (isSkipped(run, last + 1)) last++;
    const columns = newElement("div", { className: "skipped", textContent: step > run.given ? "ended" : "skipped" });
    columns.style.setProperty("--at", String(step - 1));
    columns.style.setProperty("--count", String(last - step + 1));
    cursor.before(columns);
  }
}

/** Write the names of the output rows. @param {ReturnType<typeof finder>} find @param {Run} run @param {string} beside */
function nameOutputs(find, run, beside) {
  const { y, twin, against, scale } = run;
  const linear = y.kind === "linear";
  const unit = scale ? `, ${scale.unit}` : "";
  const name = linear && y.labels.length > 1 ? `output ${y.labels[0]}` : `output${unit}`;
  setText(find(".outputs .name"), hasSeveral(run) ? "likeliest outputs" : name);
  find(".twin").hidden = !twin;
  setText(find(".twin .name"), linear ? "difference" : against ? "second output" : beside);
  const other = against ? "second sequence" : beside === "original" ? "original run" : `${beside} network`;
  find(".twin ol").ariaLabel = linear ? `Difference from the output of the ${other}` : `Output of the ${other}`;
}

/** @param {HTMLElement} cell @param {Run} run @param {number} column */
function showOutput(cell, run, column) {
  const { text, value } = answer(run, column);
  const right = missed(run, column);
  if (hasSeveral(run)) fillSeveral(cell, run, column);
  else fill(cell, text, value);
  cell.classList.toggle("wrong", right !== "");
  if (right) cell.title = `wrong: the correct output is ${right}`;
  else cell.removeAttribute("title");
}

/**
 * Show the output of the run with which this run is compared: its label, or the difference between the two numbers.
 * @param {HTMLElement} cell
 * @param {Run} run
 * @param {number} column
 */
function showTwin(cell, run, column) {
  const { text, value } = answer(run, column, run.twinOutputs);
  const gap = run.gaps[0][column];
  const linear = run.y.kind === "linear";
  if (!linear) fill(cell, text, value);
  else fill(cell, differenceText(numberText(run, "number.delta.y", column, gap)), gap);
  cell.classList.toggle("differs", linear ? Math.abs(gap) > LEAST_DIFFERENCE : text !== answer(run, column).text);
}

/** Add a plus sign to the text of a positive difference. A difference that rounds to 0 becomes "0". @param {string} text */
const differenceText = (text) => (/[1-9]/.test(text) ? `${text.startsWith("−") ? "" : "+"}${text}` : text && "0");

/**
 * Show the likeliest outputs as a list, each with a bar in proportion to its probability.
 * @param {HTMLElement} cell @param {Run} run @param {number} column
 */
function fillSeveral(cell, run, column) {
  const several = isSkipped(run, column + 1) ? [] : severalAt(run, column);
  const key = several.map(({ text, value, drawn }) => `${text} ${value} ${drawn}`).join();
  if (cell.dataset.several === key && cell.childElementCount === several.length) return;
  cell.dataset.several = key;
  setLength(cell, several.length, () => newElement("span"));
  several.forEach(({ text, value, drawn }, i) => {
    const line = /** @type {HTMLElement} */ (cell.children[i]);
    setText(line, text);
    line.className = drawn ? "drawn" : "";
    line.style.setProperty("--value", value.toFixed(3));
    line.title = `${text}: ${value.toFixed(2)}${drawn ? ", drawn as the next input" : ""}`;
  });
}

/** @param {HTMLElement} cell @param {string} text @param {number} value the height of the cell's bar, from −1 to 1 */
function fill(cell, text, value) {
  // A new node would make the browser check every rule with :has().
  if (cell.childElementCount === 1 && cell.firstElementChild) setText(cell.firstElementChild, text);
  else cell.replaceChildren(newElement("span", text));
  const height = Number.isNaN(value) ? "0" : Math.max(-1, Math.min(1, value)).toFixed(3);
  if (cell.style.getPropertyValue("--value") !== height) cell.style.setProperty("--value", height);
}
