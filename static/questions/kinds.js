/** The kinds of questions, by the name that the server sends. The server has the same list in `app/questions/registry.py`. */

/** @import { QuestionData } from "../boot.js" */
/** @import { Answer } from "../lesson/answers.js" */
/** @import { RoomQuestion, Tally } from "../rooms/question.js" */
/** @import { Overlay } from "./overlay.js" */
/** An answer that may be incomplete. In a curve, null stands for a timestep without a value. @typedef {Answer | (number | null)[]} Draft */
/**
 * A kind of question.
 * - `controls` creates the inputs of a room's form, and `read` and `fill` get and set the answer in them. Without `controls` students answer on the page.
 * - `first` is the value of the first option or timestep.
 * - `missing` returns the message for an incomplete answer; `unset` lists the timesteps without a value.
 * - `verdict` returns the feedback on an answer. `truths` is the correct answer, `text` the correct number as text, and `chosen` the
 *   text of the chosen option.
 * - `solution` returns the sentence with the correct answer for a student who did not answer.
 * - `picture` returns a chart of the class's answers in each round. `yours` is the student's own answer, or null.
 * - `overlay` lets a visitor answer on the tape. `row` returns the name of the row that the tape needs for this.
 * - `marksSteps`: the tape shows how many students selected each timestep. `hasSketches`: the teacher can show the drawn curves.
 * - `opensWhenLocked`: the class sees its answers as soon as answering is closed. `did` is the verb for answering, as in "3 of 5 have
 *   played"; by default "answered".
 * @typedef {{
 *   controls?: (question: RoomQuestion) => Node[],
 *   read: (inputs: HTMLInputElement[]) => Draft | null,
 *   fill: (inputs: HTMLInputElement[], values: (number | null)[]) => void,
 *   first?: number,
 *   missing: (unset: number[]) => string,
 *   verdict: (question: QuestionData, answers: number[], truths: number[], text: string, chosen: string) => string,
 *   solution?: (text: string) => string,
 *   picture: (question: RoomQuestion, rounds: Tally[], yours: Answer | null) => HTMLElement,
 *   overlay?: (tape: HTMLElement, question: QuestionData, onChange: (answer: (number | null)[]) => void) => Overlay,
 *   row?: (question: QuestionData) => string,
 *   marksSteps?: boolean,
 *   hasSketches?: boolean,
 *   opensWhenLocked?: boolean,
 *   did?: string,
 * }} Kind
 */
import { choose } from "./choose.js";
import { click } from "./click.js";
import { draw } from "./draw.js";
import { gate } from "./gate.js";
import { number } from "./number.js";

/** @satisfies {Record<string, Kind>} */
const ALL = { choose, number, click, draw, gate };

/** @type {Record<keyof typeof ALL, Kind>} */
export const KINDS = ALL;
