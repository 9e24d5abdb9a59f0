/**
 * Addresses of views with long values. Servers and proxies reject addresses that are too long, but browsers do not send them the
 * fragment, the part after "#". Therefore the fragment contains the long keys and values, compressed:
 *
 * ?model=net&t=3&v=1#more=eJzLSM3JyQcABiwCFQ
 */

import { bytesOf } from "./base64.js";
import { LONGEST } from "./link.js";

const LONG = 500; // characters of a key and its value together; longer ones go into the fragment
const MOST = 2 ** 22; // characters of a view; no server runs longer sequences
const START = "#more=";

/**
 * A query that is short enough for servers, and the fragment with the rest, or "" if there is no rest.
 * @typedef {{query: string, fragment: string}} Address
 */

/**
 * Split a query into an address: a short query, and a fragment if the query is too long.
 * @param {string} query starting with "?" @returns {Promise<Address>}
 */
export async function compact(query) {
  if (query.length <= LONGEST) return { query, fragment: "" };
  const keys = query.slice(1).split("&");
  const [long, short] = [keys.filter((key) => key.length > LONG), keys.filter((key) => key.length <= LONG)];
  const stream = new Blob([long.join("&")]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return { query: `?${short.join("&")}`, fragment: START + toBase64(bytes) };
}

/** Return whether a fragment contains a part of a view. @param {string} fragment */
export const isCompact = (fragment) => fragment.startsWith(START);

/**
 * Return the whole query of an address, with the keys in the fragment. If the fragment is damaged, add the empty key `more` instead.
 * @param {string} query @param {string} fragment
 */
export async function expand(query, fragment) {
  if (!isCompact(fragment)) return query;
  try {
    const stream = new Blob([fromBase64(fragment.slice(START.length))]).stream();
    return `${query}${query ? "&" : "?"}${await readText(stream.pipeThrough(new DecompressionStream("deflate")))}`;
  } catch {
    return `${query}${query ? "&" : "?"}more=`;
  }
}

/** Return the text of a UTF-8 stream. Throws Error if the text is longer than any view. @param {ReadableStream<Uint8Array>} stream */
async function readText(stream) {
  const [reader, decoder] = [stream.getReader(), new TextDecoder("utf-8", { fatal: true })];
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    if (text.length > MOST) throw new Error("The view is too long.");
    if (done) return text;
  }
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 2 ** 15) text += String.fromCharCode(...bytes.subarray(i, i + 2 ** 15));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
const fromBase64 = (text) => bytesOf(text.replaceAll("-", "+").replaceAll("_", "/"));
