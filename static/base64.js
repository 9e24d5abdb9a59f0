/** Bytes in base64, and bytes that are compressed with gzip as well. */

/** Return the bytes of `base64`. @param {string} base64 */
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Return the float32 numbers of `base64`. Every processor with a browser is little-endian, like the server. @param {string} base64 */
export const singlesOf = (base64) => new Float32Array(bytesOf(base64).buffer);

/** Return the float64 numbers of `base64`. @param {string} base64 */
export const doublesOf = (base64) => new Float64Array(bytesOf(base64).buffer);

/** Return the `n` numbers of `base64`: float32 or float64, as the number of bytes says. @param {string} base64 @param {number} n */
export function numbersOf(base64, n) {
  const bytes = bytesOf(base64);
  return new (bytes.length === 4 * n ? Float32Array : Float64Array)(bytes.buffer);
}

/** Return the text that is compressed in `base64`. @param {string} base64 */
export const unpacked = (base64) =>
  new Response(new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
