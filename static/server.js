/** Requests to the page's server, with addresses relative to the server's root folder, and their errors. */

import { sentence } from "./elements.js";
import { NotRecorded, recording } from "./recording.js";

export const DEADLINE = 30_000; // ms

/**
 * The error for a request that the server rejected. The message is for the visitor. `where` names the wrong part of the request.
 * `status` is the HTTP status, or 0 if there was no response. The request can be repeated after `retryAfter` seconds.
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

/** The error for a request without a response. Another attempt may succeed. */
export class NoAnswer extends RequestError {
  constructor(message = "The server did not answer.") {
    super(message);
  }
}

/**
 * The path of the server's root folder. Embedded pages, experiments, lessons and rooms are in folders below it. The path is
 * absolute, because a page's address can change while the page is open.
 */
export const ROOT = recording ? "" : new URL(upwards() || "./", location.href).pathname;

function upwards() {
  const folders = /(\/embed)?(\/compare|\/lessons|\/rooms(?:\/[^/]+)?)?\/[^/]*$/.exec(location.pathname) ?? [];
  return "../".repeat(folders.slice(1).join("").split("/").length - 1);
}

/**
 * Send a request, and return its response. Throws RequestError, or NotRecorded in a saved page.
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

/** Post a JSON document, and return the response. @param {string} url @param {object} body @param {RequestInit} [init] */
export const post = (url, body, init = {}) =>
  request(url, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE),
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });

/**
 * Post a JSON document, and return the JSON document of the response.
 * @param {string} url
 * @param {object} body
 * @param {RequestInit} [init]
 * @returns {Promise<any>}
 */
export const postJson = async (url, body, init) => (await post(url, body, init)).json();

/**
 * Post a file, and report the share that has been sent. XMLHttpRequest can report this share; `fetch` cannot.
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
