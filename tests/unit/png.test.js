import assert from "node:assert/strict";
import test from "node:test";
import { crc32, inflateSync } from "node:zlib";
import { pngOf } from "../../static/png.js";

/** Return the chunks of a PNG file by name, after checking their CRC-32 checksums. @param {Buffer} file */
function chunksOf(file) {
  const chunks = new Map();
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const length = file.readUInt32BE(at);
    const [named, sum] = [file.subarray(at + 4, at + 8 + length), file.readUInt32BE(at + 8 + length)];
    assert.equal(crc32(named), sum);
    chunks.set(named.toString("latin1", 0, 4), named.subarray(4));
  }
  return chunks;
}

for (const [width, height] of [
  [1, 1],
  [16, 8],
  [61, 64],
  [255, 64],
])
  test(`a picture of ${width} × ${height} pixels is a PNG file with these pixels`, () => {
    const pixels = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (i * i + 7 * i) % 256);
    const address = pngOf(pixels, width, height);
    assert.ok(address);
    const file = Buffer.from(address.replace("data:image/png;base64,", ""), "base64");
    assert.deepEqual([...file.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
    const chunks = chunksOf(file);
    assert.deepEqual([...chunks.keys()], ["IHDR", "IDAT", "IEND"]);
    assert.deepEqual([chunks.get("IHDR").readUInt32BE(0), chunks.get("IHDR").readUInt32BE(4)], [width, height]);
    const rows = inflateSync(chunks.get("IDAT")); // also checks the checksum of the stream
    for (let y = 0; y < height; y++) {
      const row = rows.subarray(y * (1 + 4 * width), (y + 1) * (1 + 4 * width));
      assert.deepEqual([...row], [0, ...pixels.subarray(4 * width * y, 4 * width * (y + 1))]);
    }
  });

test("a picture of more than 65,535 bytes is left to the canvas", () => {
  assert.equal(pngOf(new Uint8ClampedArray(4 * 256 * 64), 256, 64), null);
});
