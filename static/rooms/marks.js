/** Bars below the inputs on the tape: the number of students who answered with each step, or who have their cursor there. */

/** Format a number of students: "1 student", "2 students". @param {number} count */
export const countStudents = (count) => `${count} ${count === 1 ? "student" : "students"}`;

/**
 * Draw a bar below each input. The height of a bar is proportional to the count of the input's step.
 * @param {HTMLElement | null} tape @param {Record<string, number>} counts by step, counted from 1; an empty object removes the bars
 */
export function markSteps(tape, counts) {
  const tokens = /** @type {HTMLElement[]} */ ([...(tape?.querySelectorAll(".tokens:not(.others) ol > li") ?? [])]);
  const most = Math.max(1, ...Object.values(counts));
  tokens.forEach((token, i) => {
    const count = counts[i + 1] ?? 0;
    token.classList.toggle("counted", count > 0);
    token.style.setProperty("--counted", String(count / most));
    if (count) token.title = countStudents(count);
    else token.removeAttribute("title");
  });
}
