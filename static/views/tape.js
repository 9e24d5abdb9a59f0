/** The tape: its columns, inputs and outputs, and the cursor. The heatmaps on the tape are a separate view. */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
import { finder } from "../elements.js";
import { createGuard } from "../store.js";
import { createLabels } from "../tape/labels.js";
import { mountPointer } from "../tape/pointer.js";

/**
 * Mount the tape.
 * @param {HTMLElement} tape may have no inputs or no outputs
 * @param {Store} store
 * @param {string} [beside] the name of the second run; its outputs are below the outputs of this run
 */
export function mountTape(tape, store, beside = "original") {
  const [scroller, cursor, ahead, columns, tokens] = [".scroller", ".cursor", ".ahead", ".columns", ".tokens ol"].map(
    finder(tape),
  );
  const label = createLabels(tape, beside);
  const follow = mountScroller(tape, scroller, columns, store);
  const isNew = createGuard();

  store.subscribe((state) => {
    const { run, step, playing } = state;
    label(state);
    if (isNew(run, step)) {
      const [current, before] = [tokens?.children[step - 1], tokens?.querySelector("[aria-current]")];
      if (before !== current) {
        before?.removeAttribute("aria-current");
        current?.setAttribute("aria-current", "step");
      }
      follow(state);
    }
    cursor.hidden = false;
    cursor.style.setProperty("--at", String(step - 1));
    ahead.hidden = !playing;
    ahead.style.setProperty("--at", String(step));
  });
  mountPointer(scroller, columns, store);
}

/**
 * Mount the horizontal scrolling of the tape.
 * @param {HTMLElement} tape @param {HTMLElement} scroller @param {HTMLElement} columns @param {Store} store
 * @returns {(state: State) => void} a function that scrolls the cursor into view if the tape is wider than its frame
 */
function mountScroller(tape, scroller, columns, store) {
  // Stored, because measuring while the page changes would force a layout each time.
  let [all, room, scrolled] = [0, 0, 0]; // widths in px: all columns, the visible part, and the part to the left of it
  let wide = false;

  /** @param {State} state */
  function follow({ run, step }) {
    if (!wide) return;
    const width = all / run.columns;
    const left = (step - 1) * width;
    if (left < scrolled) scroller.scrollLeft = left - 2 * width;
    else if (left + width > scrolled + room) scroller.scrollLeft = left + 3 * width - room;
  }

  /** Mark whether the tape continues to the right of its frame. */
  const markEnd = () => tape.classList.toggle("continues", scrolled + room < all - 1);

  const frame = new ResizeObserver(() => {
    wide = scroller.scrollWidth > scroller.clientWidth;
    [all, room] = [columns.clientWidth, scroller.clientWidth - columns.offsetLeft];
    tape.classList.toggle("wide", wide);
    markEnd();
    follow(store.get());
  });
  for (const part of [scroller, columns]) frame.observe(part);
  scroller.addEventListener(
    "scroll",
    () => {
      scrolled = scroller.scrollLeft;
      markEnd();
    },
    { passive: true },
  );
  return follow;
}
