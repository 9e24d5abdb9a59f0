/** A writer of small PNG files. For small pictures it is faster than the encoder of a canvas. */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const LARGEST = 0xffff; // bytes of one block of a zlib stream that is not compressed
const PIECE = 8192; // bytes that become text at a time, because a function takes a limited number of arguments

/** The CRC-32 table for the checksums of chunks: a remainder for each byte. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
  return remainder;
});

/** Return a PNG chunk: its length, its name, its data and its checksum. @param {string} name @param {Uint8Array} data */
function chunk(name, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(data, 8);
  let sum = -1;
  for (let i = 4; i < 8 + data.length; i++) sum = REMAINDERS[(sum ^ bytes[i]) & 0xff] ^ (sum >>> 8);
  view.setUint32(8 + data.length, ~sum);
  return bytes;
}

/** Return the data as a zlib stream without compression. @param {Uint8Array} data of at most `LARGEST` bytes */
function stored(data) {
  const { length } = data;
  const bytes = new Uint8Array(length + 11);
  const view = new DataView(bytes.buffer);
  bytes.set([0x78, 0x01, 1]);
  view.setUint16(3, length, true);
  view.setUint16(5, ~length, true);
  bytes.set(data, 7);
  let [low, high] = [1, 0];
  for (let i = 0; i < length; i++) {
    low = (low + data[i]) % 65521;
    high = (high + low) % 65521;
  }
  view.setUint32(7 + length, high * 0x10000 + low);
  return bytes;
}

/**
 * Return a picture as the data: address of a PNG file, or null if it is too large for this writer.
 * @param {Uint8ClampedArray} pixels red, green, blue and alpha of each pixel, row by row
 * @param {number} width @param {number} height
 */
export function pngOf(pixels, width, height) {
  const row = 4 * width;
  if (height * (1 + row) > LARGEST) return null;
  const rows = new Uint8Array(height * (1 + row)); // the first byte of a row, 0, is its filter: none
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * row, (y + 1) * row), y * (1 + row) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 6], 8); // bits of a channel, and the kind: red, green, blue and alpha
  let text = "";
  const parts = [chunk("IHDR", header), chunk("IDAT", stored(rows)), chunk("IEND", new Uint8Array(0))];
  for (const part of [Uint8Array.from(SIGNATURE), ...parts])
    for (let i = 0; i < part.length; i += PIECE) text += String.fromCharCode(...part.subarray(i, i + PIECE));
  return `data:image/png;base64,${btoa(text)}`;
}
