/** The trainings of an experiment. Two run at a time, as on the server. Leaving the page stops the unfinished trainings. */

/** @import { Recipe } from "../boot.js" */
/** @import { Report } from "../train/studio.js" */
import * as api from "../api.js";
import { bodyOf } from "../train/recipe.js";

const AT_ONCE = 2;

/** @typedef {{recipe: Recipe, receive: (reports: Report[], ended: boolean) => void}} Job */

/** @param {(going: number, problem: string) => void} report how many are left, and what went wrong */
export function createQueue(report) {
  /** @type {Job[]} */
  let waiting = [];
  let beginning = 0;
  /** @type {Set<string>} ids */
  const going = new Set();
  let problem = "";

  async function next() {
    while (waiting.length && beginning + going.size < AT_ONCE) {
      const job = /** @type {Job} */ (waiting.shift());
      beginning += 1;
      try {
        follow((await api.train(bodyOf(job.recipe))).id, job);
      } catch (error) {
        waiting = [];
        problem = /** @type {Error} */ (error).message;
      }
      beginning -= 1;
    }
    report(waiting.length + beginning + going.size, problem);
  }

  /** @param {string} id @param {Job} wanted */
  function follow(id, { receive }) {
    going.add(id);
    /** @type {Report[]} */
    const reports = [];
    const finish = () => {
      going.delete(id);
      next();
    };
    api.followTraining(
      id,
      (name, data) => {
        if (name === "checkpoint") reports.push(data);
        if (name === "checkpoint" || name === "end") receive(reports, name === "end");
        if (name === "end") finish();
      },
      (forGood) => {
        if (!forGood) return;
        problem = "The connection to a training was lost. Start it again.";
        finish();
      },
    );
  }

  /** @param {RequestInit} [init] */
  function stop(init) {
    waiting = [];
    for (const id of going) api.stopTraining(id, init).catch(() => {});
  }
  addEventListener("pagehide", () => stop({ keepalive: true }));

  return {
    stop,
    /** @param {Job[]} more */
    add(more) {
      problem = "";
      waiting.push(...more);
      next();
    },
  };
}
