/** Requests about rooms. */

/**
 * What a room shows: a page by its path, the query of its link, a lesson's step, and the step after which the run ends. `by` is
 * the window that sent it; a page can show all views of one `shape`.
 * @typedef {{page: string, link: string, step: number | null, upto: number | null, by?: string, shape?: string}} View
 */
import { post, postJson } from "../server.js";

/** @param {string} code @param {string} [part] */
export const roomUrl = (code, part = "") => `api/rooms/${encodeURIComponent(code)}${part && `/${part}`}`;

/**
 * Open a room that shows a view, or open again the one of a secret, which the server has lost.
 * @param {View} view @param {string} [secret] @returns {Promise<{code: string, secret: string, address: string}>}
 */
export const openRoom = (view, secret) => postJson("api/rooms", { view, ...(secret ? { secret } : {}) });

/**
 * Send something to a room.
 * @param {string} code @param {string} part @param {Record<string, string>} headers @param {object} body @param {RequestInit} [init]
 */
export const postToRoom = (code, part, headers, body, init) => post(roomUrl(code, part), body, { headers, ...init });
