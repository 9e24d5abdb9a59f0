/** Decoders of base64: to bytes, to numbers, and to text that was compressed with gzip. */

/** Decode `base64` to bytes. @param {string} base64 */
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Decode `base64` to float32 numbers. They are little-endian, like the processors that run browsers. @param {string} base64 */
export const singlesOf = (base64) => new Float32Array(bytesOf(base64).buffer);

/** Decode `base64` to float64 numbers, also little-endian. @param {string} base64 */
export const doublesOf = (base64) => new Float64Array(bytesOf(base64).buffer);

/** Decode `base64` to `n` numbers: float32 if there are 4 bytes for each number, else float64. @param {string} base64 @param {number} n */
export function numbersOf(base64, n) {
  const bytes = bytesOf(base64);
  return new (bytes.length === 4 * n ? Float32Array : Float64Array)(bytes.buffer);
}

/** Decode `base64`, decompress the result with gzip, and return the text. @param {string} base64 */
export const unpacked = (base64) =>
  new Response(new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
