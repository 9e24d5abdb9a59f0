/** Server-sent events: a parser of this format, for the runs and rooms of a server and for the record in a saved page. */

/**
 * A server-sent event. `name` is "" for a comment, which only keeps the connection open.
 * @typedef {{name: string, id: string, data: any}} ServerEvent
 */

/**
 * Return a parser of an event stream. Each call of the parser takes the next piece of the stream, of any length, and returns the
 * events that this piece completes.
 * @returns {(text: string) => ServerEvent[]}
 */
export function createParser() {
  let rest = "";
  return (text) => {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.map(parseBlock);
  };
}

/** Parse a whole event stream. @param {string} text */
export const parseEvents = (text) => createParser()(text);

/** The error for a connection that is lost before the end of the stream. */
export class StreamError extends Error {}

/**
 * Read an event stream from the server until it ends. Throws StreamError if the connection is lost.
 * @param {Response} response
 * @param {(events: ServerEvent[]) => void} receive called for each piece that arrives, with the events that the piece completes
 */
export async function readEvents(response, receive) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  const parse = createParser();
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      throw new StreamError("the stream broke off", { cause });
    });
    if (done) return;
    receive(parse(decoder.decode(value, { stream: true })));
  }
}

/** @param {string} block the lines of an event @returns {ServerEvent} */
function parseBlock(block) {
  const fields = { event: "", id: "", data: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (field) fields[/** @type {keyof typeof fields} */ (field)] += value;
  }
  const { event, id, data } = fields;
  return { name: event, id, data: event ? JSON.parse(data) : null };
}
