/** The data that came with the page. Nothing changes it. */

/** @import { Scenario } from "./api.js" */
/** @import { Cell } from "./cells.js" */
/** @import { Figure } from "./plot.js" */
/** @import { ModelEntry, Theme } from "./state.js" */
/**
 * What decides a training, as gru_core/training/recipe.py has it.
 * @typedef {{task: string, cell: string, units: number, seed: number, first: string, T_max: number | null, biases: Record<string, number>,
 *            penalties: {z: number, r: number}, table?: string,
 *            schedule: {reach: number | null, after: number, rate: number, T: number, most: number, changes: [number, number][]}}} Recipe
 */

/**
 * `cells` says by name what each cell is, `figures` has those of the page's. `scenario` is that of the first run. A tape has as many columns as one of the
 * `stages`. An answer holds at most so many `shares` of a ledger. `uploads`: whether models can be uploaded.
 * @typedef {{cells: Record<string, Cell>, models: ModelEntry[], figures: Record<string, Record<Theme, Figure>>,
 *            training?: {task: string, ids: Record<string, string>, recipes: Record<string, Recipe>, preset: Recipe},
 *            experiment?: Record<string, any>,
 *            scenarios?: Record<string, Scenario>, compared?: {task: string, by: string, usual: string[]},
 *            pictures: Record<Theme, Record<string, Figure>>, scenario: Scenario, stages: number[], shares: number,
 *            uploads: boolean}} Boot
 */

/**
 * The lesson that the page is part of. Each step says which `page` shows it and by which `link`; `upto` is the step after which
 * the run ends until one has answered. A question is known by an id such as "2.1"; what is revealed is not among this. Its numbers are written in the `form` "%", or with so many decimals.
 * @typedef {{kind: "choose" | "number" | "draw" | "click", low: number, high: number, form: string, start: number, steps: string[], signal: string}} Question
 * @typedef {{name: string, step: number, steps: {page: string, shape: string, link: string, upto: number | null}[],
 *            questions: Record<string, Question>}} Lesson
 */

/** @type {Lesson | null} */
export const lesson = JSON.parse(document.querySelector("#lesson-boot")?.textContent ?? "null");

/**
 * The room that the page follows, and what it showed when the page was made.
 * @type {{code: string, shape: string, link: string, upto: number | null} | null}
 */
export const room = JSON.parse(document.querySelector("#room-boot")?.textContent ?? "null");

/** @type {Boot} */
export const boot = JSON.parse(document.querySelector("#boot")?.textContent ?? "");
