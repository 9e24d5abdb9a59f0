// Each demo says how tall its page is, and gets that much room. It has the light or dark theme of the menu.
const demos = document.getElementsByTagName("iframe");
const timers = new WeakMap();
const sendTheme = ({ contentWindow }) =>
  contentWindow?.postMessage({ type: "gruscope", theme: document.documentElement.dataset.bsTheme }, "*");

addEventListener("message", ({ data, source }) => {
  const demo = [...demos].find(({ contentWindow }) => contentWindow === source);
  if (!demo || data?.type !== "gruscope" || !data.height) return;
  sendTheme(demo);
  clearTimeout(timers.get(demo));
  // A page that is shorter for a moment, while it loads, moves no text below it.
  timers.set(demo, setTimeout(() => (demo.height = data.height), data.height > demo.height ? 0 : 1000));
});
// The menu, or the system, changes the theme of the page.
new MutationObserver(() => [...demos].forEach(sendTheme)).observe(document.documentElement, {
  attributeFilter: ["data-bs-theme"],
});
