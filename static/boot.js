/** The data that the page starts with. It never changes. */

/** @import { Scenario } from "./api.js" */
/** @import { CellEntry } from "./cells.js" */
/** @import { Figure } from "./plot.js" */
/** @import { ModelEntry, Theme } from "./state.js" */
/**
 * The recipe of a training: everything that determines the result. gru_core/training/recipe.py has the same fields.
 * @typedef {{task: string, cell: string, units: number, both: boolean, seed: number, first: string, T_max: number | null, biases: Record<string, number>,
 *            penalties: {z: number, r: number}, table?: string,
 *            schedule: {reach: number | null, after: number, rate: number, T: number, most: number, changes: [number, number][]}}} Recipe
 */

/**
 * The initial data of the page.
 * - `cells`: the description of each cell, by name.
 * - `scenario`: the scenario of the first run.
 * - `figures`: the Plotly figures of the tapes, by cell and theme.
 * - `pictures`: the figures that the page can save, without data, by cell, theme and picture.
 * - `forecast`: the figure of a forecast's lines, by theme. `confusion`: the figure of a confusion matrix, by theme.
 * - `stages`: the possible numbers of columns of a tape.
 * - `shares`: the largest number of contributions in one response.
 * - `uploads`: whether visitors can upload models.
 * - `experiment`: the data of an experiment's page. The experiment's module declares the type.
 * @typedef {{cells: Record<string, CellEntry>, models: ModelEntry[], figures: Record<string, Record<Theme, Figure>>,
 *            training?: {task: string, ids: Record<string, string>, recipes: Record<string, Recipe>, preset: Recipe, baselines: Record<string, number>},
 *            experiment?: Record<string, any>, forecast?: Record<Theme, Figure>, confusion?: Record<Theme, Figure>,
 *            scenarios?: Record<string, Scenario>, compared?: {task: string, by: string, usual: string[]},
 *            pictures: Record<string, Record<Theme, Record<string, Figure>>>, scenario: Scenario, stages: number[], shares: number,
 *            uploads: boolean}} Boot
 */

/**
 * The lesson that the page is part of. Each step of the lesson has the `page` and the `link` of its figure. Until the visitor
 * answers the step's questions, the run ends after the timestep `upto`, or the page is `covered`. A question has an id such as
 * "2.1". This data does not contain the answers. The `form` of a question is "%", or the number of decimals in its numbers.
 * @typedef {{kind: "choose" | "number" | "draw" | "click" | "gate", low: number, high: number, form: string, start: number, steps: string[], signal: string}} QuestionData
 * @typedef {{page: string, shape: string, link: string, upto: number | null, covered: boolean}} LessonStep
 * @typedef {{name: string, step: number, steps: LessonStep[], questions: Record<string, QuestionData>}} Lesson
 */

/** @type {Lesson | null} */
export const lesson = JSON.parse(document.querySelector("#lesson-boot")?.textContent ?? "null");

/**
 * A room, with the view that it showed when the server rendered the page.
 * @typedef {{code: string, shape: string, link: string, upto: number | null}} Room
 */
/** The room that the page follows. @type {Room | null} */
export const room = JSON.parse(document.querySelector("#room-boot")?.textContent ?? "null");

/** @type {Boot} */
export const boot = JSON.parse(document.querySelector("#boot")?.textContent ?? "");
