/** The connection of a window that leads a room: it reports every change in the class, and a lost connection is opened again. */

/** @import { Capability } from "./capability.js" */
/** @import { ClassState } from "./class.js" */
/** @import { View } from "./requests.js" */
/** @import { StatusLine } from "./status.js" */
/**
 * `start` is called with the room's code and the address of the presenter window when this window starts to lead the room. `change`
 * is called with each new state of the class, and `end` when the room has ended. `reopen` opens the room again after the server has
 * lost it. `cover` is called with the current view of the class if a question covers the figure and the class must not see another view.
 * @typedef {{start: (code: string, presenter: string) => void, change: (state: ClassState, before: ClassState | null) => void,
 *            end: () => void, reopen: (secret: string) => Promise<void>, cover: (view: View) => void}} Hooks
 */
import { sentence } from "../elements.js";
import { home } from "../frame.js";
import { RequestError, request } from "../server.js";
import { asHash, credentials, saveCapability } from "./capability.js";
import { postToRoom, roomUrl } from "./requests.js";
import { DELAYED, listen } from "./stream.js";

const whereabouts = () => location.pathname + location.search;

/** Return whether the server does not know a room with this code, for example after a restart. @param {string} code */
async function isUnknown(code) {
  try {
    await request(roomUrl(code, "qr.svg"));
    return false;
  } catch (error) {
    // 429: a whole class has requested a room that does not exist.
    return error instanceof RequestError && [404, 429].includes(error.status);
  }
}

/**
 * Show a message if the server cannot reach its rooms. Clear the message about a covered figure if no question covers it.
 * @param {StatusLine} status @param {ClassState} state
 */
function showStatus(status, { away, question }) {
  if (away) status.write(sentence(away), "lost");
  else status.clear("lost");
  if (!question || question.status === "revealed") status.clear("covered");
}

/**
 * Return `covered`, whether the room refused a view because a question covers the figure, and `final`, whether the room would refuse
 * the same request again.
 * @param {unknown} error @param {string} part of the room that received the request
 */
function readRefusal(error, part) {
  const refusal = error instanceof RequestError ? error.status : 0;
  return { covered: refusal === 409 && part === "view", final: refusal > 0 && refusal < 500 && refusal !== 429 };
}

/**
 * Connect a window to the room that it leads.
 * @param {Capability | null} initial
 * @param {StatusLine} status
 * @param {Hooks} hooks
 */
export function createLeadership(initial, status, hooks) {
  let capability = initial;
  // A reloaded page or a second tab takes over the view of the room. If the teacher went to this page from another one, the class follows.
  let takesOver = initial !== null && (initial.at ?? whereabouts()) === whereabouts();
  let destination = ""; // the address of the page to which this window is taking the room
  /** @type {ClassState | null} */
  let state = null;
  /** @type {ReturnType<typeof listen> | null} */
  let stream = null;
  addEventListener("pagehide", () => capability && saveCapability({ ...capability, at: destination || whereabouts() }));

  function start() {
    if (!capability) return;
    const { code } = capability;
    const headers = credentials(capability);
    hooks.start(code, `${home}rooms/${code}/presenter${asHash(capability)}`);
    stream = listen(roomUrl(code, "class"), () => headers, {
      receive: (name, data) => name && receive(data),
      lost: (message, forGood) => (forGood ? end(message) : lose(message)),
      delayed: (delayed) => delayed && status.write(DELAYED, "lost"),
    });
  }

  /** @param {ClassState} next */
  function receive(next) {
    showStatus(status, next);
    const before = state?.view ? state : null;
    state = next;
    if (!next.view) return;
    if (next.ended) return end("The room has ended.");
    if (!before) status.write("");
    hooks.change(next, before);
    takesOver = false;
  }

  /** Report a lost connection. If the server has restarted, open the room again under the same code. @param {string} message */
  async function lose(message) {
    status.write(message, "lost");
    if (!capability || !state) return;
    if (!(await isUnknown(capability.code))) return;
    const again = () => status.write("The server has restarted. The room is open again, with the same code.", "lost");
    await hooks.reopen(capability.secret).then(again, () => {}); // the next attempt to connect tries again
  }

  /** @param {string} message */
  function end(message) {
    stream?.stop();
    saveCapability(null);
    [capability, state] = [null, null];
    status.write(message);
    hooks.end();
  }

  /**
   * Send a request to the room. Return false if the same request must be sent again.
   * @param {string} part @param {object} body @param {RequestInit} [init]
   */
  async function command(part, body, init) {
    if (!capability) return true;
    try {
      await postToRoom(capability.code, part, credentials(capability), body, init);
      status.clear("refused");
      return true;
    } catch (error) {
      const { covered, final } = readRefusal(error, part);
      status.write(/** @type {Error} */ (error).message, covered ? "covered" : "refused");
      if (covered && state) hooks.cover(state.view);
      return final;
    }
  }

  return {
    start,
    command,
    capability: () => capability,
    /** Return whether the class sees the view of this page. */
    isOpen: () => capability !== null && state !== null && state.mode !== "pause",
    get takesOver() {
      return takesOver;
    },
    /** Lead a room that this window has just opened. @param {Capability} opened */
    lead(opened) {
      capability = opened;
      takesOver = true; // the presenter window can move the class before this window has heard from the room
      saveCapability(opened);
      status.write("");
      start();
    },
    /** @param {ClassState["mode"]} mode */
    async setMode(mode) {
      await command("mode", { mode });
      if (state) state.mode = mode;
    },
    /** Go to another page, and lead the room from that page. @param {string} path */
    goTo(path) {
      destination = new URL(home + path).href.slice(location.origin.length);
      location.assign(home + path);
    },
  };
}
