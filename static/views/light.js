/**
 * Lights up what belongs together: the term under the pointer or focus, and everything on the page that is about the
 * same. A part of a sum, such as "r.Wx", also lights up what it is part of, "r".
 */

/** @param {HTMLElement} root */
export function mountLight(root) {
  let lit = "";

  /** @param {EventTarget | null} target */
  function light(target) {
    const on = target instanceof Element ? target.closest("[data-about]") : null;
    const about = on?.getAttribute("data-about") ?? "";
    if (about === lit) return;
    lit = about;
    root.dataset.lit = about; // read by views that write while something is lit
    for (const one of root.querySelectorAll(".lit")) one.classList.remove("lit");
    if (!about) return;
    for (const whole of new Set([about, about.split(".")[0]]))
      for (const one of root.querySelectorAll(`[data-about="${whole}"]`)) one.classList.add("lit");
  }

  root.addEventListener("pointerover", (event) => light(event.target));
  root.addEventListener("pointerleave", () => light(document.activeElement));
  root.addEventListener("focusin", (event) => light(event.target));
  root.addEventListener("focusout", () => light(null));
}
