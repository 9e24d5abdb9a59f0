/** Words in a lesson that highlight a part of the figure, and marks on the parts of the figure that the current step describes. */

/** The parts of the page that a word of a lesson can highlight, besides the signals. @type {Record<string, string>} */
const PARTS = {
  tape: ".tape",
  inputs: ".tokens",
  outputs: ".outputs:not(.twin)",
  words: "[data-part=words], .words",
  cell: "[data-part=cell], .contender .cell",
  equations: "[data-part=equations], .contender .equations",
  memory: "[data-part=memory]",
  influence: "[data-part=influence], .gradient",
  whatif: "[data-part=whatif]",
};

/** Return the selector of the elements that a word highlights: a part of the page, or everything about a signal. @param {string} name */
export const selectorOf = (name) => PARTS[name] ?? `[data-term="${name}"]`;

/**
 * Mount the words of a lesson that highlight parts of the figure.
 * @param {HTMLElement} aside the lesson @param {HTMLElement} main its figure
 */
export function mountPoints(aside, main) {
  /** Return the elements that a word highlights. @param {HTMLElement} word */
  const targetsOf = (word) =>
    /** @type {HTMLElement[]} */ ([...main.querySelectorAll(selectorOf(word.dataset.points ?? ""))]);
  const firstVisible = (/** @type {HTMLElement[]} */ elements) => elements.find((element) => element.offsetParent);

  /**
   * Return the elements to highlight for the target of an event: none if the target is not in a word that highlights something.
   * @param {EventTarget | null} target
   */
  function pointedAt(target) {
    const word = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".points")) : null;
    return word ? targetsOf(word) : [];
  }

  for (const [type, on] of /** @type {const} */ ([
    ["pointerover", true],
    ["pointerout", false],
    ["focusin", true],
    ["focusout", false],
  ]))
    aside.addEventListener(type, ({ target }) => {
      for (const element of pointedAt(target)) element.classList.toggle("lit", on);
    });
  aside.addEventListener("click", ({ target }) => firstVisible(pointedAt(target))?.scrollIntoView({ block: "center" }));

  return {
    /**
     * Mark the parts of the figure that a step describes. If the lesson is beside the figure, scroll to the first part.
     * @param {HTMLElement} step
     */
    spotlight(step) {
      for (const element of main.querySelectorAll(".spoken")) element.classList.remove("spoken");
      const words = /** @type {HTMLElement[]} */ ([...step.querySelectorAll(".points")]);
      const elements = words.flatMap(targetsOf);
      for (const element of elements) element.classList.add("spoken");
      if (matchMedia("(min-width: 60rem)").matches) firstVisible(elements)?.scrollIntoView({ block: "nearest" });
    },
  };
}
