// The payload of a segment in its one form, without the general reader: a month has 20,000 of them.
//
// Rule: this is a short cut that refuses nothing. What it does not know at a glance is null, and
// the general reader tells what it is, or what is wrong with it (docs/spec/records.md, "segment").

import { readUint, sameBytes, toHex } from "./bytes.mjs";
import { MAX_INTEGER } from "./cbor.mjs";
import { MAX_TIME, MAX_WORKED } from "./recordparts.mjs";

const MAP_HEAD = 0xa0;
const MAP_OF_2 = 0xa2;
const ARRAY_HEAD = 0x80;
const OCTETS_16 = 0x50;
const OCTETS_LONG = 0x58;
// Of the keys 1 to 7 and 10 to 20 three may be missing: verifier value, activity, frames.
const LEAST_KEYS = 15;
const COUNT_BYTES = [1, 2, 4, 8];
const LEAST_COUNTS = [24, 0x100, 0x10000, 0x100000000];

// A place in a payload that moves on; where something else stands than was asked for, it is lost.
class SegmentCursor {
  constructor(data) {
    this.data = data;
    this.at = 0;
    this.lost = false;
  }

  passes(byte) {
    if (this.data[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  expect(byte) {
    if (!this.passes(byte)) this.lost = true;
  }

  uint(key, maximum, minimum = 0) {
    this.expect(key);
    const value = this.count();
    if (value < minimum || value > maximum) this.lost = true;
    return value;
  }

  // Read an unsigned integer of the shortest form; beyond all bounds where there is none.
  count() {
    const first = this.data[this.at++];
    if (first < 24) return first;
    const length = COUNT_BYTES[first - 24];
    if (length === undefined || this.at + length > this.data.length) return Infinity;
    const value = readUint(this.data, this.at, length);
    this.at += length;
    return value < LEAST_COUNTS[first - 24] ? Infinity : value;
  }

  octets(length) {
    this.at += length;
    if (this.at > this.data.length) this.lost = true;
    return this.data.subarray(this.at - length, this.at);
  }

  octets16(key) {
    this.expect(key);
    this.expect(OCTETS_16);
    return this.octets(16);
  }

  octets32(key) {
    this.expect(key);
    return this.item32();
  }

  item32() {
    this.expect(OCTETS_LONG);
    this.expect(32);
    return this.octets(32);
  }

  optional32(key) {
    return this.data[this.at] === key ? this.octets32(key) : null;
  }
}

// What a segment names, the next one often names too: it is kept once, and its hex is written once.
class LastHex {
  constructor() {
    this.raw = new Uint8Array(0);
    this.text = "";
  }

  of(raw) {
    if (!sameBytes(raw, this.raw)) {
      this.raw = raw;
      this.text = toHex(raw);
    }
    return this.text;
  }

  rawOf(raw) {
    this.of(raw);
    return this.raw;
  }
}

// Read a segment; null when the general reader has to. How its fields fit together is not checked.
export function segmentAtOnce(data) {
  const keys = data[0] - MAP_HEAD;
  if (!(keys >= LEAST_KEYS && keys <= LEAST_KEYS + 3)) return null;
  const cursor = new SegmentCursor(data);
  cursor.at = 1;
  cursor.uint(1, 1, 1);
  const engagement = engagementHex.rawOf(cursor.octets16(2));
  const seq = cursor.uint(3, MAX_INTEGER);
  const prev = cursor.octets32(4);
  const anchor = anchorAt(cursor);
  const claimedAt = cursor.uint(6, MAX_TIME);
  const session = cursor.octets16(7);
  const round = cursor.uint(10, MAX_INTEGER);
  const begin = cursor.uint(11, MAX_TIME);
  const end = cursor.uint(12, MAX_TIME);
  const worked = cursor.uint(13, MAX_WORKED);
  const state = cursor.uint(14, 3, 1);
  const agentValue = cursor.octets32(15);
  const verifierValue = cursor.optional32(16);
  const activity = cursor.optional32(17);
  const notes = cursor.octets32(18);
  const capture = cursor.uint(19, 2);
  const frames = cursor.passes(20) ? framesAt(cursor) : [];
  const found = LEAST_KEYS + (verifierValue === null ? 0 : 1) + (activity === null ? 0 : 1) + (frames.length === 0 ? 0 : 1);
  if (cursor.lost || cursor.at !== data.length || found !== keys) return null;
  return {
    engagement, claimedAt, seq, prev: toHex(prev), anchor, session: sessionHex.of(session), round, begin, end, worked,
    state, agentValue, verifierValue, activity: activity === null ? null : toHex(activity), notes: toHex(notes), capture, frames,
  };
}

const engagementHex = new LastHex();
const anchorHex = new LastHex();
const sessionHex = new LastHex();

function anchorAt(cursor) {
  cursor.expect(5);
  cursor.expect(MAP_OF_2);
  const digest = cursor.octets32(1);
  const size = cursor.uint(2, MAX_INTEGER, 1);
  return { digest: anchorHex.of(digest), size };
}

function framesAt(cursor) {
  const frames = [];
  const count = cursor.data[cursor.at++] - ARRAY_HEAD;
  if (!(count >= 1 && count <= 8)) cursor.lost = true;
  for (let n = 0; n < count && !cursor.lost; n++) frames.push(toHex(cursor.item32()));
  return frames;
}
