// Runs before the first paint, so that neither a chosen theme, the projector mode nor what newcomers see appears late.
try {
  const known = document.currentScript?.dataset.display !== undefined; // whether the page has a button for the mode
  const display = new URLSearchParams(location.search).get("display") ?? sessionStorage.getItem("display");
  if (known && display === "projector") {
    document.documentElement.dataset.display = display;
    sessionStorage.setItem("display", display);
  }
} catch {
  // Storage can be forbidden: then the mode lasts as long as the page.
}
try {
  // A page that embeds this one can say which theme it has itself.
  const framed = parent !== window || /\/embed(\/|$)/.test(location.pathname);
  const embedded = framed ? new URLSearchParams(location.search).get("theme") : null;
  const theme = embedded ?? localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  if (localStorage.getItem("stepped") === null) document.documentElement.dataset.newcomer = ""; // STEPPED in storage.js
} catch {
  // Storage can be forbidden, for example in an embedded page. Then the page follows the system's theme.
}
