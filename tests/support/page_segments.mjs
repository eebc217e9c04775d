// Read payloads of segments at once and by the general reader: usage page_segments.mjs PAGE.
//
// Reads payloads in hex, and tries each, and each with one bit turned, a byte less or one more. Prints
// how many were read at once, and those of which the two readers say different things.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { namesOf } from "./page_script.mjs";

const { Malformed, checkedSegment, fromHex, readFields, segmentAtOnce, toHex } = await namesOf(
  process.argv[2], "Malformed", "checkedSegment", "fromHex", "readFields", "segmentAtOnce", "toHex",
);

function outcomeOf(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

function* changesOf(payload) {
  yield payload;
  yield payload.slice(0, -1);
  yield new Uint8Array([...payload, 0]);
  for (let bit = 0; bit < 8 * payload.length; bit++) {
    const changed = payload.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    yield changed;
  }
}

let atOnce = 0;
const different = [];
for (const row of JSON.parse(readFileSync(0, "utf8"))) {
  for (const payload of changesOf(fromHex(row))) {
    const read = segmentAtOnce(payload);
    if (read === null) continue;
    atOnce++;
    const general = outcomeOf(() => readFields({ kind: "segment", payload }));
    if (!isDeepStrictEqual(outcomeOf(() => checkedSegment(read)), general)) different.push(toHex(payload));
  }
}
console.log(JSON.stringify({ atOnce, different }));
