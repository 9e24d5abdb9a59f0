/** The data that the page starts with. It never changes. */

/** @import { Scenario } from "./api.js" */
/** @import { Cell } from "./cells.js" */
/** @import { Figure } from "./plot.js" */
/** @import { ModelEntry, Theme } from "./state.js" */
/**
 * The recipe of a training: everything that decides its result. The same as in gru_core/training/recipe.py.
 * @typedef {{task: string, cell: string, units: number, both: boolean, seed: number, first: string, T_max: number | null, biases: Record<string, number>,
 *            penalties: {z: number, r: number}, table?: string,
 *            schedule: {reach: number | null, after: number, rate: number, T: number, most: number, changes: [number, number][]}}} Recipe
 */

/**
 * `cells` describes each cell, by name. `figures` has the figures of this page's cells. `scenario` is the scenario of the first
 * run. `pictures` has the pictures that the page can save, without data: by cell, theme and picture. `forecast` has the lines of a forecast, and `confusion` the figure of a confusion matrix. `stages` has the possible numbers of columns of a tape. The module of an experiment declares the type of `experiment`. `shares` is the largest number of contributions in one response.
 * `uploads`: whether models can be uploaded.
 * @typedef {{cells: Record<string, Cell>, models: ModelEntry[], figures: Record<string, Record<Theme, Figure>>,
 *            training?: {task: string, ids: Record<string, string>, recipes: Record<string, Recipe>, preset: Recipe, baselines: Record<string, number>},
 *            experiment?: Record<string, any>, forecast?: Record<Theme, Figure>, confusion?: Record<Theme, Figure>,
 *            scenarios?: Record<string, Scenario>, compared?: {task: string, by: string, usual: string[]},
 *            pictures: Record<string, Record<Theme, Record<string, Figure>>>, scenario: Scenario, stages: number[], shares: number,
 *            uploads: boolean}} Boot
 */

/**
 * The lesson that the page is part of. Each step of the lesson has the `page` and the `link` of its figure. Until the visitor
 * answers, the run ends after the timestep `upto`, or the page is `covered`. A question has an id such as "2.1". The answers are not in this data. The `form`
 * of a question is "%", or the number of decimals with which its numbers are written.
 * @typedef {{kind: "choose" | "number" | "draw" | "click" | "gate", low: number, high: number, form: string, start: number, steps: string[], signal: string}} Question
 * @typedef {{page: string, shape: string, link: string, upto: number | null, covered: boolean}} LessonStep
 * @typedef {{name: string, step: number, steps: LessonStep[], questions: Record<string, Question>}} Lesson
 */

/** @type {Lesson | null} */
export const lesson = JSON.parse(document.querySelector("#lesson-boot")?.textContent ?? "null");

/** A room, and the view that it showed when the server made the page. @typedef {{code: string, shape: string, link: string, upto: number | null}} Room */
/** The room that the page follows. @type {Room | null} */
export const room = JSON.parse(document.querySelector("#room-boot")?.textContent ?? "null");

/** @type {Boot} */
export const boot = JSON.parse(document.querySelector("#boot")?.textContent ?? "");
