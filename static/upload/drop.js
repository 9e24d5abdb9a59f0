/** Receive files that the visitor drops anywhere on the page. */

/**
 * Call `receive` with the file whenever the visitor drops a file on the page. If the visitor drops several files at once, use the first.
 * @param {(file: File) => void} receive
 */
export function mountDrop(receive) {
  const carriesFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  const mark = (/** @type {boolean} */ on) => document.body.classList.toggle("dropping", on);

  addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  });
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    mark(false);
    const file = event.dataTransfer?.files[0];
    if (file) receive(file);
  });
}
