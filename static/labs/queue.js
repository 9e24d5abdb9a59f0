/** Trainings for a laboratory, two at a time as the server computes them; leaving the page ends what is left. */

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
  /** @type {Map<string, () => void>} what ends each that is going */
  const going = new Map();

  async function next() {
    while (waiting.length && going.size < AT_ONCE) {
      const wanted = /** @type {Wanted} */ (waiting.shift());
      const holder = Symbol("begun").toString() + waiting.length;
      going.set(holder, () => {});
      try {
        const { id } = await api.train(bodyOf(wanted.recipe));
        going.delete(holder);
        follow(id, wanted);
      } catch (error) {
        going.delete(holder);
        waiting = [];
        tell(going.size, /** @type {Error} */ (error).message);
      }
    }
    tell(going.size + waiting.length, "");
  }

  /** @param {string} id @param {Wanted} wanted */
  function follow(id, { hear }) {
    /** @type {Report[]} */
    const reports = [];
    const end = api.followTraining(
      id,
      (name, data) => {
        if (name === "checkpoint") reports.push(data);
        if (name === "checkpoint" || name === "end") hear(reports, name === "end");
        if (name !== "end") return;
        going.delete(id);
        next();
      },
      (forGood) => {
        if (!forGood) return;
        going.delete(id);
        next();
      },
    );
    going.set(id, end);
  }

  /** @param {RequestInit} [init] */
  function stop(init) {
    waiting = [];
    for (const id of going.keys()) if (id.startsWith("t-")) api.stopTraining(id, init).catch(() => {});
  }
  addEventListener("pagehide", () => stop({ keepalive: true }));

  return {
    stop,
    /** @param {Wanted[]} more */
    add(more) {
      waiting.push(...more);
      next();
    },
  };
}
