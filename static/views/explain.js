/** Explanations of signals: the label of a signal shows a sentence when the pointer or the focus is on it, or after a tap. */

/** Mount the explanation of each signal at its label. @param {HTMLElement} tape */
export function mountExplain(tape) {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (tape.querySelectorAll(".explains"))) {
    const label = /** @type {HTMLElement} */ (place.querySelector("button"));
    const sentence = /** @type {HTMLElement} */ (place.querySelector("[popover]"));

    function show() {
      if (sentence.matches(":popover-open")) return;
      sentence.showPopover();
      const { left, bottom } = label.getBoundingClientRect();
      const room = document.documentElement.clientWidth - sentence.offsetWidth - 8;
      sentence.style.left = `${Math.max(8, Math.min(left, room))}px`;
      sentence.style.top = `${bottom}px`;
    }
    const hide = () => sentence.hidePopover();

    place.addEventListener("pointerenter", show);
    place.addEventListener("pointerleave", () => {
      if (document.activeElement !== label) hide();
    });
    label.addEventListener("focus", show);
    label.addEventListener("blur", hide);
    label.addEventListener("click", show);
    // The sentence would stay in its place on the screen while its label scrolls.
    addEventListener("scroll", hide, { passive: true, capture: true });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    // In browsers where a tap does not focus the label, a tap elsewhere hides the sentence.
    addEventListener("pointerdown", (event) => {
      if (!place.contains(/** @type {Node} */ (event.target))) hide();
    });
  }
}
