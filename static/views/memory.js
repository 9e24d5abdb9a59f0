/** The Memory view: each step's contribution to the state at the cursor, on the tape and in words, and a picture of all contributions. */

/** @import { Store } from "../store.js" */
/** @import { Mixture, Origin } from "../reading.js" */
/** @import { Ledger, State } from "../state.js" */
import { memoryOf } from "../cells.js";
import { isFirstRead } from "../directions.js";
import { finder, setLength, setSentence, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { initialOrigin, mixtureAt, mostWritten, originAt } from "../reading.js";
import { fixed, twinOf } from "../run.js";
import { detailAt, goTo, layerOf } from "../state.js";
import { createGuard } from "../store.js";
import { LEAST_SHARE, MOST_LABELLED } from "../thresholds.js";
import { briefly, percent } from "../words.js";
import { tokenAt } from "../tokens.js";

const MOST_TICKS = 10; // along an edge of the picture

/**
 * Mount the Memory view.
 * @param {HTMLElement} section
 * @param {HTMLElement} tape has a ribbon with the shares
 * @param {Store} store
 */
export function mountMemory(section, tape, store) {
  const find = finder(section);
  const [waiting, says, twinSays, here, part] = [".waiting", ".says", ".twin-says", ".here", ".part"].map(find);
  const canvas = /** @type {HTMLCanvasElement} */ (find("canvas"));
  const [ribbon, lasting, shares, halfLives] = [".ribbon", ".lasting", "#shares", "#half-lives"].map(finder(tape));
  const [down, along] = [".down", ".along"].map(find);
  const [bars, tallest] = [".bars", ".ribbon small"].map(finder(tape));
  const [isNewPicture, areNewLives] = [createGuard(), createGuard()];

  /** Show on the tape the contributions to the state at the cursor. @param {State} state @param {ReturnType<typeof mixtureAt>} row */
  function showRibbon(state, row) {
    const { columns, T } = state.run;
    bars.setAttribute("viewBox", `0 0 ${columns} 1`);
    const written = [row, row?.twin].map((mixture) => (mixture ? mostWritten(mixture).value : 0));
    const most = Math.max(LEAST_SHARE, ...written);
    const path = (/** @type {number[] | null | undefined} */ values) =>
      values ? outline(values.slice(1, T + 1).map((share) => share / most)) : "";
    setText(tallest, row ? `up to ${percent(most)}` : "");
    bars.querySelector(".share")?.setAttribute("d", path(row?.shares));
    bars.querySelector(".untouched")?.setAttribute("d", path(row?.twin?.shares));
    const labelled = columns <= MOST_LABELLED ? T : 0;
    setLength(shares, labelled);
    for (let column = 0; column < labelled; column++) {
      const share = row?.shares[column + 1] ?? 0;
      setText(shares.children[column], share >= LEAST_SHARE ? percent(share).replace("over ", ">") : "");
    }
  }

  /** Show above each step the half-life that the unit's state would have if the gates kept their values. @param {State} state */
  function showHalfLives(state) {
    if (!areNewLives(state.run, state.received, state.layer, state.unit)) return;
    const steps = layerOf(state).rows.half_life[state.unit];
    const labelled = state.run.columns <= MOST_LABELLED ? state.received : 0;
    setLength(halfLives, labelled);
    for (let column = 0; column < labelled; column++) setText(halfLives.children[column], briefly(steps[column]));
  }

  /** @param {State} state @param {Ledger} ledger */
  function draw(state, ledger) {
    if (!isNewPicture(ledger, state.theme)) return;
    const [columns, rows] = [state.run.T + 1, ledger.shares.length];
    [canvas.width, canvas.height] = [columns, rows];
    canvas.style.aspectRatio = `${columns} / ${rows}`;
    showTicks(down, ledger.from, rows, (t) => String(t));
    showTicks(along, 0, columns, (k) => (k === 0 ? `${memoryOf(layerOf(state))}₀` : String(k)));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.fillStyle = getComputedStyle(canvas).color;
    ledger.shares.forEach((row, y) =>
      row.forEach((share, x) => {
        if (share < 0.002) return;
        context.globalAlpha = Math.sqrt(share); // the square root makes small shares visible
        context.fillRect(x, y, 1, 1);
      }),
    );
    part.textContent = rows === state.run.T ? "" : ` Timesteps ${ledger.from} to ${ledger.to} of ${state.run.T}.`;
  }

  store.subscribe((state) => {
    const on = state.views.includes("memory");
    ribbon.hidden = lasting.hidden = !on;
    if (!on || state.step > state.received) return;
    const row = mixtureAt(state);
    const refused = row ? "" : (state.refusals.ledger ?? "");
    setText(waiting, refused);
    section.classList.toggle("late", !row && !refused);
    section.classList.toggle("unavailable", Boolean(refused));
    showHalfLives(state);
    showRibbon(state, row);
    if (!row) return;
    says.ariaLive = state.playing ? "off" : "polite"; // as in the narration
    setSentence(says, tellMemory(state, row));
    const other = row.twin && tellShares(state, row.twin, initialOrigin(state));
    twinSays.hidden = !other || other === tellShares(state, row, originAt(state));
    if (other) setSentence(twinSays, `Contributions in the ${twinOf(state.run)}: ${other}.`);
    const ledger = /** @type {Ledger} */ (detailAt(state, "ledger"));
    draw(state, ledger);
    here.style.setProperty("--row", String((state.step - ledger.from) / ledger.shares.length));
    here.style.setProperty("--rows", String(ledger.shares.length));
  });

  canvas.addEventListener("pointerdown", (event) => {
    const ledger = detailAt(store.get(), "ledger");
    const { top, height } = canvas.getBoundingClientRect();
    if (ledger) store.update(goTo, ledger.from + Math.floor(((event.clientY - top) / height) * ledger.shares.length));
  });
}

/** Describe the state at the cursor and the contributions to this state. @param {State} state @param {Mixture} row */
export function tellMemory(state, row) {
  const { step, unit } = state;
  const layer = layerOf(state);
  const signal = memoryOf(layer);
  const owner = layer.H === 1 ? signal : `${signal} of unit ${unit + 1}`;
  const value = fixed(layer.rows[signal][unit][step - 1]);
  const sentences = [
    `At t = ${step}, ${owner} = ${value}`,
    `Contributions: ${tellShares(state, row, originAt(state))}`,
    hasNoPast(state, originAt(state)) ? "There is no earlier state" : "",
    ownOf(state).tellLasting(state),
  ];
  return sentences.flatMap((sentence) => (sentence ? `${sentence}.` : [])).join(" ");
}

/**
 * Return whether there is no earlier state: the selected unit starts from zero and reads the cursor's timestep first.
 * @param {State} state @param {Origin} origin
 */
const hasNoPast = (state, { value, t }) =>
  isFirstRead(state.run, layerOf(state), state.unit, state.step) && t === null && value === 0;

/**
 * Describe the largest shares. If the origin is a state of zero, its share adds nothing and has a sentence of its own.
 * @param {State} state @param {Mixture} row @param {Origin} origin the state that the first share comes from
 */
function tellShares(state, { shares, largest }, origin) {
  const isZero = origin.value === 0;
  const written = isZero ? largest.filter((k) => k > 0) : largest;
  const listed = written.filter((k, i) => i === 0 || shares[k] >= LEAST_SHARE);
  const token = (/** @type {number} */ k) => tokenAt(state.run, k);
  // The shares of an LSTM are shares of candidates: they do not need to sum to 1.
  const candidate = memoryOf(layerOf(state)) === "c" ? "of the candidate at" : "from";
  const name = (/** @type {number} */ k) => (k === 0 ? `from ${origin.text}` : `${candidate} t = ${k} (${token(k)})`);
  const list = listed.map((k) => `${percent(shares[k])} ${name(k)}`).join(", ");
  const isLeft = isZero && shares[0] >= LEAST_SHARE && !hasNoPast(state, origin);
  return isLeft ? `${list}. ${percent(shares[0])} of ${origin.text} is left, but adds nothing` : list;
}

/** Return an SVG path with a bar for each value, in a strip of height 1. @param {number[]} values */
function outline(values) {
  const bars = values.map((value, x) => (value > 0 ? `M${x} 1V${(1 - value).toFixed(4)}h1V1z` : ""));
  return bars.join("");
}

/**
 * Write the step numbers along an edge of the picture. If there are more than `MOST_TICKS` steps, skip some numbers.
 * @param {HTMLElement} edge @param {number} first @param {number} count @param {(step: number) => string} name
 */
function showTicks(edge, first, count, name) {
  const every = Math.ceil(count / MOST_TICKS);
  const steps = [...Array(count).keys()].filter((i) => (first + i) % every === 0 || count <= MOST_TICKS);
  setLength(edge, steps.length);
  steps.forEach((i, place) => {
    const tick = /** @type {HTMLElement} */ (edge.children[place]);
    setText(tick, name(first + i));
    tick.style.setProperty("--place", String((i + 0.5) / count));
  });
}
