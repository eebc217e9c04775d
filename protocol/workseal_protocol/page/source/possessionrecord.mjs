// Possession: which sealed frames a freelancer holds, and blocks of those that were drawn
// (docs/spec/records.md, "Possession").

import { isOctets } from "./cbor.mjs";
import { digest, head, optionalDigest, refuse } from "./recordparts.mjs";

export const MAX_DRAWS = 16;
export const HELD_SHOWN = 1;
export const HELD_LOST = 2;
const MAX_HELD = 1048576;
const MAX_HELD_PATH = 64;

export function readPossession(fields) {
  const record = {
    ...head(fields), round: fields.uint(10, "round"), value: fields.exactly(11, "value", 32),
    head: digest(fields, 12, "head"), before: optionalDigest(fields, 13, "before"),
    count: fields.uint(14, "count", MAX_HELD), root: fields.optional(15, () => fields.exactly(15, "root", 32)),
    answers: fields.array(16, "answers", 0, MAX_DRAWS).map(heldAnswer),
  };
  if ((record.root === null) !== (record.count === 0)) {
    refuse("possession: a root stands exactly where there are frames");
  }
  if (record.answers.length > 0 && record.before === null) {
    refuse("possession: the first statement has nothing to draw from");
  }
  return record;
}

// Read the answer to one draw: [1, salt, block, path] for a block that is shown, [2] for a lost frame.
function heldAnswer(item) {
  if (!Array.isArray(item)) refuse("possession: expected an array for each answer");
  if (item.length === 1 && item[0] === HELD_LOST) return { outcome: HELD_LOST };
  const [outcome, salt, block, path] = item;
  if (item.length !== 4 || outcome !== HELD_SHOWN || ![salt, block, path].every(isOctets)) {
    refuse("possession: an answer of another form");
  }
  if (salt.length !== 16 || block.length !== 256 || path.length % 32 !== 0 || path.length > MAX_HELD_PATH * 32) {
    refuse("possession: an answer out of its bounds");
  }
  const hashes = Array.from({ length: path.length / 32 }, (_, at) => path.subarray(at * 32, at * 32 + 32));
  return { outcome, salt, block, path: hashes };
}
