/** What an embedding page said in the address of how this one is to look: it stays there. Begins with "&", or is empty. */
export const frameKeys = [...new URLSearchParams(location.search)]
  .filter(([key]) => key === "hide" || key === "theme")
  .map(([key, value]) => `&${key}=${encodeURIComponent(value)}`)
  .join("");

/** Tells the page around a frame how tall this one would like to be. */
export function announceHeight() {
  if (parent === window) return;
  const announce = () => parent.postMessage({ type: "gruscope", height: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(announce).observe(document.documentElement);
}
