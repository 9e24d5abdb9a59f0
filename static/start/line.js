/** The line from A to B, with the memory, the candidate, the path between them, and the arrow of the reset gate. */

/** @import { Gates } from "./game.js" */
import { finder, observeSize } from "../elements.js";

const HALF = 0.36; // the distance from 0 to an end of the line, as a share of the picture's width
const LINE = 0.57; // the height of the line, as a share of the picture's height
const ARROW = [0.45, 0.1]; // heights of the arrow's ends and of its Bézier control points, as shares of the picture's height

/**
 * Mount the line. The returned `show` places the memory between the old memory and the candidate: z is the fraction of the path to the
 * candidate. If the visitor drags the memory, `drag` is called with the new fraction.
 * @param {HTMLElement} svg
 * @param {(z: number) => void} drag
 * @returns {{show: (before: number, candidate: number, gates: Gates) => void}}
 */
export function mountLine(svg, drag) {
  const find = finder(svg);
  const way = /** @type {SVGPathElement} */ (/** @type {unknown} */ (find(".way")));
  let [width, height] = [0, 0];
  let shown = { before: 0, candidate: 0, z: 0, r: 0 };
  const across = (/** @type {number} */ value) => width * (0.5 + HALF * value);
  const place = (/** @type {string} */ part, /** @type {number} */ x) =>
    find(part).setAttribute("transform", `translate(${x.toFixed(1)} ${(LINE * height).toFixed(1)})`);

  function draw() {
    const { before, candidate, z, r } = shown;
    const [from, to] = [across(before), across(candidate)];
    way.setAttribute("d", `M${from} ${LINE * height}H${to}`);
    const memory = way.getPointAtLength(z * way.getTotalLength()).x;
    find(".moved").setAttribute("d", `M${from} ${LINE * height}H${memory}`);
    find(".axis").setAttribute("d", ruler(across, LINE * height));
    place(".old", from);
    place(".ghost", to);
    place(".memory", memory);
    find(".sees").setAttribute("d", arc(from, to, height));
    find(".sees").style.setProperty("--r-open", String(r));
    svg.classList.toggle("closed", r === 0);
  }

  observeSize(svg, (w, h) => {
    [width, height] = [w, h];
    draw();
  });
  mountDrag(svg, (x) => {
    const [from, to] = [across(shown.before), across(shown.candidate)];
    if (from !== to) drag(Math.max(0, Math.min(1, (x - from) / (to - from))));
  });
  return {
    show(before, candidate, gates) {
      shown = { before, candidate, ...gates };
      draw();
    },
  };
}

/**
 * Return the SVG path of the line with marks at −1, 0 and 1. The mark at 0 is shorter than the marks at the ends.
 * @param {(value: number) => number} across @param {number} y
 */
const ruler = (across, y) =>
  `M${across(-1)} ${y}H${across(1)}` +
  [-1, 0, 1].map((v) => `M${across(v)} ${y - (v ? 8 : 18)}v${v ? 16 : 36}`).join("");

/**
 * Return the SVG path of the arrow from the old memory to the candidate. The arrow is visible even if both are at the same place.
 * @param {number} from @param {number} to @param {number} height
 */
function arc(from, to, height) {
  const [start, top] = ARROW.map((share) => share * height);
  const reach = Math.max(Math.abs(to - from) / 2, height / 4) * (to < from ? -1 : 1);
  const middle = (from + to) / 2;
  return `M${from} ${start}C${middle - reach} ${top} ${middle + reach} ${top} ${to} ${start}`;
}

/**
 * Call `move` with the horizontal position of the pointer, from a press on the picture until the release.
 * @param {HTMLElement} svg @param {(x: number) => void} move
 */
function mountDrag(svg, move) {
  const follow = (/** @type {PointerEvent} */ event) => move(event.clientX - svg.getBoundingClientRect().left);
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    svg.setPointerCapture(event.pointerId);
    follow(event);
  });
  svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && follow(event));
}
