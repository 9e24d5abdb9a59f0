/** Requests to the server that the page came from, at addresses below its own folder, and what can go wrong with them. */

import { sentence } from "./elements.js";
import { NotRecorded, recording } from "./recording.js";

export const DEADLINE = 30_000; // ms

/**
 * The server refused a request; the message is for the person at the page. `where` is the part of the request that is wrong. `status`
 * is that of the response, 0 if there was none. After `retryAfter` seconds the request can be repeated.
 */
export class RequestError extends Error {
  /** @param {string} message @param {string | null} [where] @param {number} [status] @param {number} [retryAfter] */
  constructor(message, where = null, status = 0, retryAfter = 0) {
    super(message);
    this.where = where;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** There is no answer yet; another attempt may bring one. */
export class NoAnswer extends RequestError {
  constructor(message = "The server did not answer.") {
    super(message);
  }
}

/**
 * The path from the page's folder to the server's own: embedded pages, experiments, lessons and rooms lie further down. It is a
 * whole path, since the address may change while the page stays.
 */
export const ROOT = recording ? "" : new URL(upwards() || "./", location.href).pathname;

function upwards() {
  const folders = /(\/embed)?(\/compare|\/lessons|\/rooms(?:\/[^/]+)?)?\/[^/]*$/.exec(location.pathname) ?? [];
  return "../".repeat(folders.slice(1).join("").split("/").length - 1);
}

/**
 * Send a request. Throws RequestError, or NotRecorded in a saved page.
 * @param {string} url
 * @param {RequestInit} [init]
 */
export async function request(url, init = {}) {
  if (recording) throw new NotRecorded();
  let response;
  try {
    response = await fetch(ROOT + url, init);
  } catch (error) {
    const aborted = init.signal?.aborted && init.signal.reason?.name !== "TimeoutError";
    throw aborted ? error : new NoAnswer();
  }
  if (response.ok) return response;
  const seconds = Number(response.headers.get("retry-after") ?? 0);
  throw errorOf(response.status, await response.json().catch(() => null), seconds);
}

/** Get a JSON document. @param {string} url @param {RequestInit} [init] @returns {Promise<any>} */
export const getJson = async (url, init) => (await request(url, init)).json();

/** Post a JSON document. @param {string} url @param {object} body @param {RequestInit} [init] */
export const post = (url, body, init = {}) =>
  request(url, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE),
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });

/** Post a JSON document and get another. @param {string} url @param {object} body @param {RequestInit} [init] @returns {Promise<any>} */
export const postJson = async (url, body, init) => (await post(url, body, init)).json();

/**
 * Post a file, and report how much of it has gone. `fetch` cannot report that, XMLHttpRequest can.
 * @param {string} url
 * @param {File} file
 * @param {(share: number) => void} [report]
 * @returns {Promise<any>}
 */
export const postFile = (url, file, report) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => report?.(loaded / total);
    request.onerror = () => reject(new NoAnswer());
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(errorOf(request.status, request.response));
    };
    request.send(file);
  });

/** @param {number} status @param {any} body @param {number} [retryAfter] */
function errorOf(status, body, retryAfter) {
  const { message = `The server returned an error (${status}).`, where } = body?.error ?? {};
  return new RequestError(sentence(message), where, status, retryAfter);
}
