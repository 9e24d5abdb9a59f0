/** The trainings of an experiment. Two run at a time, as on the server. Leaving the page stops the unfinished trainings. */

/** @import { Recipe } from "../boot.js" */
/** @import { Report, Training } from "../train/studio.js" */
/** @import { Progress } from "./here.js" */
import * as api from "../api.js";
import { bodyOf } from "../train/recipe.js";

const AT_ONCE = 2;

/**
 * A training to run. `receive` is called with the reports so far, the state and the id of the training. The state is "running" until
 * the training ends, and then "done", "stopped" or "failed".
 * @typedef {{recipe: Recipe, receive: (reports: Report[], state: Training["state"], id: string) => void}} Job
 */

/**
 * Create a queue of trainings.
 * @param {(progress: Progress) => void} report is called when there is progress
 * @param {(stopped: boolean, problem: string) => void} end is called when no training is left. `stopped` is whether some trainings did
 *   not finish. `problem` is an error message, or "" without an error.
 */
export function createQueue(report, end) {
  /** @type {Job[]} */
  let waiting = [];
  let beginning = 0;
  /** How much of each running training is done, from 0 to 1, by id. @type {Map<string, number>} */
  const going = new Map();
  let [total, done, stopped, problem] = [0, 0, false, ""];

  function update() {
    const left = waiting.length + beginning + going.size;
    if (total === 0) return;
    if (left) {
      const parts = [...going.values()].reduce((sum, share) => sum + share, 0);
      report({ total, done, share: (done + parts) / total });
      return;
    }
    const outcome = /** @type {const} */ ([stopped, problem]);
    [total, done, stopped, problem] = [0, 0, false, ""];
    end(...outcome);
  }

  async function next() {
    while (waiting.length && beginning + going.size < AT_ONCE) {
      const job = /** @type {Job} */ (waiting.shift());
      beginning += 1;
      update();
      try {
        const { id } = await api.train(bodyOf(job.recipe));
        follow(id, job);
        if (stopped) api.stopTraining(id).catch(() => {});
      } catch (error) {
        [waiting, stopped] = [[], true];
        problem = /** @type {Error} */ (error).message;
      }
      beginning -= 1;
    }
    update();
  }

  /** @param {string} id @param {Job} job */
  function follow(id, { recipe, receive }) {
    going.set(id, 0);
    /** @type {Report[]} */
    const reports = [];
    const finish = (/** @type {Training["state"]} */ state) => {
      going.delete(id);
      if (state === "done") done += 1;
      else stopped = true;
      receive(reports, state, id);
      next();
    };
    api.followTraining(
      id,
      (name, data) => {
        if (name === "end") return finish(data.state);
        if (name !== "checkpoint") return;
        reports.push(data);
        going.set(id, Math.min(1, data.step / recipe.schedule.most));
        receive(reports, "running", id);
        update();
      },
      (forGood) => {
        if (!forGood) return;
        problem = "The connection to a training was lost. Start it again.";
        finish("failed");
      },
    );
  }

  /** Stop all trainings. Finished trainings keep their results. @param {RequestInit} [init] */
  function stop(init) {
    stopped ||= waiting.length + beginning + going.size > 0;
    waiting = [];
    for (const id of going.keys()) api.stopTraining(id, init).catch(() => {});
    update();
  }
  addEventListener("pagehide", () => stop({ keepalive: true }));

  return {
    stop: () => stop(),
    /** @param {Job[]} more */
    add(more) {
      total += more.length;
      waiting.push(...more);
      next();
    },
  };
}
