/** Requests about rooms. */

/**
 * The view of a room: the path of a page, the query of its link, the step of a lesson, and the timestep after which the run ends.
 * `by` is the window that sent the view. One page can show all views of the same `shape`. A view is `covered` if its experiment is
 * hidden until the answer is shown. A view is `behind` if the teacher's own figure is too large for a room and the class sees this view
 * instead. `question` is the id of the room's current question, until its answer is shown.
 * @typedef {{page: string, link: string, step: number | null, upto: number | null, by?: string, shape?: string, covered?: boolean, behind?: boolean, question?: number | null}} View
 */
import { post, postJson } from "../server.js";

/** Return the address of a room, or of a part of it, in the API. @param {string} code @param {string} [part] */
export const roomUrl = (code, part = "") => `api/rooms/${encodeURIComponent(code)}${part && `/${part}`}`;

/**
 * Open a room that shows a view. With a `secret`, reopen the room with this secret after the server has lost the room.
 * @param {View} view @param {string} [secret] @returns {Promise<{code: string, secret: string, address: string}>}
 */
export const openRoom = (view, secret) => postJson("api/rooms", { view, ...(secret ? { secret } : {}) });

/**
 * Send a request to a room.
 * @param {string} code @param {string} part @param {Record<string, string>} headers @param {object} body @param {RequestInit} [init]
 */
export const postToRoom = (code, part, headers, body, init) => post(roomUrl(code, part), body, { headers, ...init });
