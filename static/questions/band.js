/** A chart of how a class played “Be the gate”: the quartiles and the median of z at each letter, the network's z, and a table. */

/** @import { RoomQuestion, Tally } from "../rooms/question.js" */
import { newElement, newRow } from "../elements.js";
import { countStudents } from "../rooms/marks.js";
import { fixed } from "../run.js";

/**
 * Return a figure of the values of z that the students of a class played. The figure shows the network's z after the answer is revealed.
 * @param {RoomQuestion} question @param {Tally} tally @param {number[] | null} yours the student's own gates
 */
export function drawBand({ steps, revealed }, { answers, counts, middle, quartiles }, yours) {
  const played = answers ? `${countStudents(answers)} played.` : "No student has played yet.";
  const network = revealed ? /** @type {number[]} */ (revealed.truth) : null;
  const marks = [
    answers && "Box: the middle half of the class, between the quartiles. Line: the median.",
    network && "Diamond: the network.",
    yours && "Ring: you.",
  ];
  const columns = steps.map((_, t) => [
    answers ? newMark("half", quartiles[t][0], quartiles[t][1]) : "",
    answers ? newMark("median", middle[t]) : "",
    network ? newMark("network", network[t]) : "",
    yours ? newMark("you", yours[t]) : "",
  ]);
  /** @param {string} name @param {(t: number) => string} write */
  const row = (name, write) => newRow([name, ...steps.map((_, t) => write(t))]);
  const rows = [
    answers && row("upper quartile", (t) => fixed(quartiles[t][1])),
    answers && row("median z", (t) => fixed(middle[t])),
    answers && row("lower quartile", (t) => fixed(quartiles[t][0])),
    network && row("network’s z", (t) => fixed(network[t])),
    yours && row("your z", (t) => fixed(yours[t])),
    answers && row(`correct, of ${answers}`, (t) => String(counts[t])),
  ].filter((row) => row !== null && row !== 0);
  return newElement("figure", { className: "band" }, [
    newElement("table", {}, [
      newElement("thead", {}, [newRow(["letter", ...steps], "col")]),
      newElement("tbody", {}, [pictureOf(columns), ...rows]),
    ]),
    newElement("figcaption", { className: "note", textContent: [played, ...marks].filter(Boolean).join(" ") }),
  ]);
}

/**
 * Create the table row with the marks of the chart. Screen readers skip this row, because the other rows have the same numbers.
 * @param {(Node | string)[][]} columns
 */
function pictureOf(columns) {
  const ends = newElement("th", {}, [newElement("span", "z = 1, take"), newElement("span", "z = 0, keep")]);
  const row = newElement("tr", { className: "marks" }, [ends, ...columns.map((marks) => newElement("td", {}, marks))]);
  row.setAttribute("aria-hidden", "true");
  return row;
}

/** Create a mark from z = `low` to z = `high`, or only at `low`. @param {string} className @param {number} low @param {number} [high] */
function newMark(className, low, high = low) {
  const mark = newElement("span", { className });
  mark.style.setProperty("--low", String(low));
  mark.style.setProperty("--high", String(high));
  return mark;
}
