// Between which two instants a statement was signed, and how well that is known (docs/spec/windows.md).
//
// Bounds are BigInt, for a cosigner may name any time below 2^63 seconds; null where nothing bounds.

import { Fails } from "./bytes.mjs";
import { LATE_FORM, OFF_SCREEN } from "./records.mjs";
import { CHAINED } from "./statement.mjs";

const ONLINE_MS = 60000n;
const CLOCK_TOLERANCE_MS = 5000n;
export const ONLINE = "online";
export const LATE = "late";
export const OFFLINE = "offline";
export const DECLARED = "declared";

function startOf(round, roundMs) {
  return BigInt(round) * BigInt(roundMs);
}

// Bound each item in log order; Fails has the place of the statement that contradicts its bounds.
export async function windowsOf(items, checkpoints, { roundMs, proven, stamps, quorum }, turns) {
  const anchors = new Map(checkpoints.map((one) => [one.checkpoint.digest, one]));
  const uppers = new Uppers(checkpoints, stamps);
  const windows = [];
  let link = null;
  for (const [place, { index, record }] of items.entries()) {
    if (turns.due) await turns.next();
    const told = (detail) => Object.assign(new Fails(detail), { place });
    let [lower, lowerSource] = lowerOf(index, record, anchors, proven.has(index), roundMs, told);
    if (CHAINED.has(record.kind)) {
      // What names a statement by its digest was signed after it.
      if (link !== null && (lower === null || link > lower)) [lower, lowerSource] = [link, "statement before it"];
      link = lower;
    }
    const [upper, upperSource] = uppers.of(index);
    checkBounds(record, lower, upper, roundMs, told);
    if (quorum) requireAnchor(record, upper, anchors, roundMs, told);
    windows.push({ lower, upper, lowerSource, upperSource });
  }
  return windows;
}

function lowerOf(index, record, anchors, proven, roundMs, told) {
  let [lower, source] = [null, "nothing"];
  if (record.anchor !== undefined && record.anchor.size > index) {
    throw told("its anchor covers the statement itself");
  }
  const anchored = record.anchor === undefined ? undefined : anchors.get(record.anchor.digest);
  if (anchored !== undefined) {
    if (anchored.checkpoint.size != record.anchor.size) {
      throw told("its anchor names another size than the checkpoint has");
    }
    if (anchored.notBefore !== null) [lower, source] = [anchored.notBefore, "anchored checkpoint"];
  }
  if (proven && record.kind === "segment") {
    const start = startOf(record.round, roundMs);
    if (lower === null || start > lower) [lower, source] = [start, "beacon value"];
  }
  return [lower, source];
}

function checkBounds(record, lower, upper, roundMs, told) {
  if (record.kind === "segment" && lower !== null) {
    const end = startOf(record.round + 1, roundMs);
    if (lower > end + ONLINE_MS) {
      throw told(`round ${record.round} was signed at least ${lower - end} ms after its end`);
    }
  }
  const tells = record.kind === "segment" || (record.kind === "declaration" && record.form === LATE_FORM);
  if (tells && upper !== null && BigInt(record.end) > upper + CLOCK_TOLERANCE_MS) {
    throw told(`it existed ${BigInt(record.end) - upper} ms before the end that it tells of`);
  }
  if (lower !== null && upper !== null && upper + CLOCK_TOLERANCE_MS < lower) {
    throw told(`it existed ${lower - upper} ms before it can have been signed`);
  }
}

function requireAnchor(record, upper, anchors, roundMs, told) {
  if (record.kind !== "segment" || anchors.has(record.anchor.digest)) return;
  if (!isSeenInTime(record, upper, roundMs)) {
    throw told(`round ${record.round} was not seen in time, and its anchor is not in the bundle`);
  }
}

// Tell whether a segment is shown to have existed within a minute after its round.
export function isSeenInTime(segment, upper, roundMs) {
  return upper !== null && upper - startOf(segment.round + 1, roundMs) <= ONLINE_MS;
}

// Say how the time of a record is known; null for a record that carries no time.
export function gradeOf(record, upper, roundMs) {
  if (record.kind === "declaration") return DECLARED;
  if (record.kind !== "segment") return null;
  if (record.state === OFF_SCREEN) return DECLARED;
  if (record.verifierValue === null) return OFFLINE;
  return isSeenInTime(record, upper, roundMs) ? ONLINE : LATE;
}

// The least upper bound among the checkpoints that cover an index; indices ascend.
class Uppers {
  constructor(checkpoints, stamps) {
    this.rows = [];
    for (const { checkpoint, existedBy } of checkpoints) {
      if (existedBy !== null) this.rows.push([checkpoint.size, existedBy, "cosignature"]);
      const stamp = stamps.get(checkpoint.size);
      if (stamp !== undefined) this.rows.push([checkpoint.size, stamp, "time-stamp"]);
    }
    this.rows.sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0));
    this.best = new Array(this.rows.length);
    let best = null;
    for (let at = this.rows.length - 1; at >= 0; at--) {
      const [, instant, source] = this.rows[at];
      if (best === null || instant < best[0]) best = [instant, source];
      this.best[at] = best;
    }
    this.next = 0;
  }

  of(index) {
    while (this.next < this.rows.length && this.rows[this.next][0] <= index) this.next++;
    return this.next === this.rows.length ? [null, "nothing"] : this.best[this.next];
  }
}
