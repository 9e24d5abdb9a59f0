/** Bar charts of the answers of a class. */

/** @import { Tally } from "../rooms/question.js" */
import { newElement } from "../elements.js";

/**
 * Return a bar chart of the number of students who gave each answer in the last round. Thin bars show the round before.
 * @param {Tally[]} rounds
 * @param {(bar: number) => boolean} isYours whether the student's own answer is in a bar
 * @param {HTMLElement | null} [ends] the labels at the ends of a scale; with these, the bars are narrow, and each bar's label is a tooltip
 */
export function drawBars(rounds, isYours, ends = null) {
  const [last, before] = [rounds[rounds.length - 1], rounds[rounds.length - 2]];
  const most = Math.max(1, ...last.counts, ...(before?.counts ?? []));
  const bars = last.labels.map((label, i) => {
    const count = last.counts[i];
    const classes = [last.right[i] && "is", isYours(i) && "yours"];
    const bar = newElement("li", { className: classes.filter(Boolean).join(" ") }, [
      newElement("span", { className: "label", textContent: label }),
      newElement("span", { className: "bar" }),
      newElement("span", { className: "count", textContent: String(count) }),
    ]);
    bar.style.setProperty("--share", String(count / most));
    if (before) bar.style.setProperty("--before", String(before.counts[i] / most));
    if (ends) bar.title = `${label}: ${count}`;
    return bar;
  });
  return newElement("div", { className: `histogram${ends ? " narrow" : ""}` }, [
    newElement("ol", {}, bars),
    ...(ends ? [ends] : []),
    caption(rounds, " (thin bars)"),
  ]);
}

/**
 * Create the caption with the number of answers in the last two rounds.
 * @param {Tally[]} rounds @param {string} how says how the chart shows the round before, for example " (thin bars)"
 */
export function caption(rounds, how) {
  const [last, before] = [rounds[rounds.length - 1], rounds[rounds.length - 2]];
  const earlier = before ? `, and ${before.answers} in the first round${how}` : "";
  const textContent = `${last.answers} ${last.answers === 1 ? "answer" : "answers"}${earlier}`;
  return newElement("p", { className: "note", textContent });
}
