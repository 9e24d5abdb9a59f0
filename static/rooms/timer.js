/** The time since the presenter's window was opened, or since the timer was restarted. */

/** Mount the timer and the button that restarts it. @param {HTMLElement} output @param {HTMLElement} restart */
export function mountTimer(output, restart) {
  let since = Date.now();
  function tick() {
    const seconds = Math.floor((Date.now() - since) / 1000);
    output.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
  setInterval(tick, 1000);
  tick();
  restart.addEventListener("click", () => {
    since = Date.now();
    tick();
  });
}
