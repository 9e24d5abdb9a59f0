/** Words that point: they light up what they mean in the figure; what a step speaks of has a mark there. */

/** What a word of a lesson points at, besides the signals. @type {Record<string, string>} */
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

/** @param {HTMLElement} aside the lesson @param {HTMLElement} main its figure */
export function mountPoints(aside, main) {
  /** @param {string} about */
  const meant = (about) => /** @type {HTMLElement[]} */ ([...main.querySelectorAll(PARTS[about] ?? `[data-about="${about}"]`)]);
  const seen = (/** @type {HTMLElement[]} */ all) => all.find((one) => one.offsetParent);

  /** @param {EventTarget | null} target @returns {HTMLElement[] | null} what the word there means, if there is one */
  function pointed(target) {
    const word = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".points")) : null;
    return word && meant(word.dataset.points ?? "");
  }

  for (const [type, on] of /** @type {const} */ ([["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]])) // prettier-ignore
    aside.addEventListener(type, ({ target }) => pointed(target)?.forEach((one) => one.classList.toggle("lit", on)));
  aside.addEventListener("click", ({ target }) => seen(pointed(target) ?? [])?.scrollIntoView({ block: "center" }));

  return {
    /** Mark what a step speaks of; beside the figure, bring it into sight. @param {HTMLElement} step */
    spotlight(step) {
      for (const one of main.querySelectorAll(".spoken")) one.classList.remove("spoken");
      const words = /** @type {HTMLElement[]} */ ([...step.querySelectorAll(".points")]);
      const all = words.flatMap(({ dataset }) => meant(dataset.points ?? ""));
      for (const one of all) one.classList.add("spoken");
      if (matchMedia("(min-width: 60rem)").matches) seen(all)?.scrollIntoView({ block: "nearest" });
    },
  };
}
