/**
 * The highlight of the term under the pointer or the focus, and of the same signal elsewhere on the page. A part of a sum, such as
 * "r.Wx", also highlights its gate, "r".
 */

/** Highlight a quantity in all views while the pointer or the focus is on one of its places. @param {HTMLElement} root */
export function mountLight(root) {
  let lit = "";

  /** @param {EventTarget | null} target */
  function light(target) {
    const term = (target instanceof Element && target.closest("[data-term]")?.getAttribute("data-term")) || "";
    if (term === lit) return;
    lit = term;
    root.dataset.lit = term; // for views that change while a term is highlighted
    for (const element of root.querySelectorAll(".lit")) element.classList.remove("lit");
    if (!term) return;
    for (const name of new Set([term, term.split(".")[0]]))
      for (const element of root.querySelectorAll(`[data-term="${name}"]`)) element.classList.add("lit");
  }

  root.addEventListener("pointerover", (event) => light(event.target));
  root.addEventListener("pointerleave", () => light(document.activeElement));
  root.addEventListener("focusin", (event) => light(event.target));
  root.addEventListener("focusout", () => light(null));
}
