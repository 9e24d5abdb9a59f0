/** Trainings for an experiment, two at a time as the server computes them; leaving the page ends what is left. */

/** @import { Recipe } from "../boot.js" */
/** @import { Report } from "../train/studio.js" */
import * as api from "../api.js";
import { bodyOf } from "../train/recipe.js";

const AT_ONCE = 2;

/** @typedef {{recipe: Recipe, hear: (reports: Report[], over: boolean) => void}} Wanted */

/** @param {(going: number, problem: string) => void} tell how many are left, and what went wrong */
export function createQueue(tell) {
  /** @type {Wanted[]} */
  let waiting = [];
  let beginning = 0;
  /** @type {Set<string>} ids */
  const going = new Set();
  let problem = "";

  async function next() {
    while (waiting.length && beginning + going.size < AT_ONCE) {
      const wanted = /** @type {Wanted} */ (waiting.shift());
      beginning += 1;
      try {
        follow((await api.train(bodyOf(wanted.recipe))).id, wanted);
      } catch (error) {
        waiting = [];
        problem = /** @type {Error} */ (error).message;
      }
      beginning -= 1;
    }
    tell(waiting.length + beginning + going.size, problem);
  }

  /** @param {string} id @param {Wanted} wanted */
  function follow(id, { hear }) {
    going.add(id);
    /** @type {Report[]} */
    const reports = [];
    const over = () => {
      going.delete(id);
      next();
    };
    api.followTraining(
      id,
      (name, data) => {
        if (name === "checkpoint") reports.push(data);
        if (name === "checkpoint" || name === "end") hear(reports, name === "end");
        if (name === "end") over();
      },
      (forGood) => {
        if (!forGood) return;
        problem = "The connection to a training was lost. Start it again.";
        over();
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
    /** @param {Wanted[]} more */
    add(more) {
      problem = "";
      waiting.push(...more);
      next();
    },
  };
}
