// Set the theme, the projector mode and the welcome for newcomers before the first paint, so that the page does not change visibly.
try {
  const known = document.currentScript?.dataset.display !== undefined; // whether the page has a button for the mode
  const display = new URLSearchParams(location.search).get("display") ?? sessionStorage.getItem("display");
  if (known && display === "projector") {
    document.documentElement.dataset.display = display;
    sessionStorage.setItem("display", display);
  }
} catch {
  // Storage can be forbidden. Then the mode lasts as long as the page.
}
try {
  // A page that embeds this page can send its own theme in the address.
  const framed = parent !== window || /\/embed(\/|$)/.test(location.pathname);
  const embedded = framed ? new URLSearchParams(location.search).get("theme") : null;
  const theme = embedded ?? localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const isNew = localStorage.getItem("stepped") === null; // STEPPED in storage.js
  if (isNew || new URLSearchParams(location.search).has("welcome")) document.documentElement.dataset.newcomer = "";
} catch {
  // Storage can be forbidden, for example in an embedded page. Then the page follows the system's theme.
}
// The convention for z that the visitor has chosen applies to the whole tab. The links in the header pass it on, and pages with text
// for one convention say so.
try {
  const { dataset } = document.documentElement;
  const chosen = sessionStorage.getItem("convention"); // written by views/convention.js
  if (chosen) dataset.chosen = chosen;
  const carry = (/** @type {Event} */ { target }) => {
    const taking = ".wordmark, .masthead nav a:not([href$='/lessons']), .subnav a[href$='/compare']";
    const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (target).closest(taking));
    if (!link || link.target) return;
    const url = new URL(link.href);
    if (dataset.chosen) url.searchParams.set("convention", dataset.chosen);
    else url.searchParams.delete("convention");
    link.href = url.href;
  };
  for (const type of ["click", "auxclick"]) addEventListener(type, carry, true);
} catch {
  // Without storage each page starts with the convention in its address.
}
