/** Tells the page around a frame how tall this one would like to be. */
export function announceHeight() {
  if (parent === window) return;
  const announce = () => parent.postMessage({ type: "gruscope", height: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(announce).observe(document.documentElement);
}
