// Whether sealed frames are still held: draws, and a fold over the answers (docs/spec/possession.md).
//
// Rules: which frames a root covers and which blocks are drawn follows from the chain and the
// verifier's value. What does not hold is told and makes nothing fail: the hours stand.

import { Fails, fromHex, joined, sameBytes, toUtf8 } from "./bytes.mjs";
import { inclusionRoot, leafHash } from "./merkle.mjs";
import { HELD_LOST, HELD_SHOWN, MAX_DRAWS } from "./possessionrecord.mjs";
import { sha256 } from "./sha256.mjs";
import { CHAINED } from "./statement.mjs";

const HELD_BLOCKS = 256;
const HELD_BLOCK_DEPTH = 8;
const HELD_WEEK_MS = 604800000;
// Ten years of weeks: whoever makes a bundle does not choose how long a reader works.
const MAX_HELD_CHECKED = 520;
const MAX_HELD_TRIES = 1024;
const HELD_DRAW = toUtf8("workseal/possession/v1");

// Examine the statements of possession among all items, in the order of the log.
//
// `proven` has the indices of those whose value is shown to be the operator's; `isDrawable` is asked,
// in ascending order, whether the operator had committed to a round's value.
export async function possessionsOf(roundMs, items, proven, isDrawable, turns) {
  const fold = new HeldFold(roundMs, items);
  const findings = [];
  for (const { index, statement, record } of items) {
    if (record.kind !== "possession" || findings.length === MAX_HELD_CHECKED) continue;
    findings.push(await fold.examine(index, statement.digest, record, proven.has(index), turns));
  }
  return { findings, missed: [...fold.missed(isDrawable)] };
}

// Find the statements whose value the operator had committed to before.
export async function provenPossessions(items, beacons, turns) {
  const found = new Set();
  let checked = 0;
  let newest = -1;
  for (const { index, record } of items) {
    if (record.kind !== "possession" || checked === MAX_HELD_CHECKED) continue;
    checked += 1;
    // Rounds of commitments are met in their order; one that goes back is of no later week.
    if (record.round <= newest) continue;
    newest = record.round;
    try {
      await beacons.commitmentOf(index, record.round, record.value, turns);
      found.add(index);
    } catch (error) {
      if (!(error instanceof Fails)) throw error;
    }
  }
  return found;
}

// Give how many of a kind there are: those that fail, and frames that are said to be lost.
export function heldCounts({ findings }) {
  return {
    failing: findings.filter(({ why }) => why !== "").length,
    lost: findings.reduce((sum, { lost }) => sum + lost, 0),
  };
}

// Fold a chain: what was committed, what is to be committed next, and who was withdrawn.
class HeldFold {
  constructor(roundMs, items) {
    this.roundsOfWeek = Math.floor(HELD_WEEK_MS / roundMs);
    this.links = items.filter(({ record }) => CHAINED.has(record.kind));
    this.places = new Map(this.links.map(({ statement }, place) => [statement.digest, place]));
    this.at = 0;
    this.firstRound = null;
    this.framed = null;
    this.weeks = [];
    this.frames = [];
    this.pending = [];
    this.taken = 0;
    this.withdrawn = new Set();
    this.last = null;
    this.lastWeek = 0;
    this.worked = new Set();
    this.answered = new Set();
  }

  async examine(index, digest, record, proven, turns) {
    await turns.next();
    let why = this.goTo(index, record.head) || this.misplaced(record);
    const week = this.weekOf(record) ?? 0;
    if (why === "") {
      why = proven ? "" : "its value is not shown to be the operator's";
      why = why || this.leftOut(index, record) || (await this.unproven(record, turns));
      this.follow(digest, record);
    }
    // Of a statement that does not hold nothing counts.
    const counted = (outcome) => (why === "" ? record.answers.filter((one) => one.outcome === outcome).length : 0);
    return { digest, record, week, shown: counted(HELD_SHOWN), lost: counted(HELD_LOST), why };
  }

  *missed(isDrawable) {
    this.forward(this.links.length);
    const newest = [...this.worked].reduce((one, other) => Math.max(one, other), 0);
    const weeks = [...this.worked].filter((week) => week !== newest && !this.answered.has(week));
    for (const week of weeks.sort((one, other) => one - other)) {
      if (isDrawable(this.firstRound + week * this.roundsOfWeek)) yield week;
    }
  }

  goTo(index, head) {
    const place = this.places.get(head);
    if (place === undefined || this.links[place].index > index) {
      return "the statement up to which it speaks does not stand before it in the chain";
    }
    if (place + 1 < this.at) return "it speaks of less of the chain than the one before it";
    this.forward(place + 1);
    return "";
  }

  forward(to) {
    for (; this.at < to; this.at++) this.work(this.links[this.at].record);
  }

  work(record) {
    if (record.kind === "session.open" && this.firstRound === null) this.firstRound = record.firstRound;
    if (record.kind === "tombstone") this.withdrawn.add(record.frame);
    if (record.kind !== "segment") return;
    if (this.firstRound !== null) this.count(record);
    for (const frame of record.frames) this.pending.push([record.round, frame]);
  }

  count({ round, frames }) {
    const week = Math.floor((round - this.firstRound) / this.roundsOfWeek);
    if (week > 0 && this.framed !== null && this.framed < this.firstRound + week * this.roundsOfWeek) this.worked.add(week);
    if (frames.length > 0) this.framed ??= round;
  }

  weekOf({ round }) {
    if (this.firstRound === null) return null;
    const week = (round - this.firstRound) / this.roundsOfWeek;
    return Number.isInteger(week) && week > 0 ? week : null;
  }

  // Count the frames that a statement of this round commits to.
  due(round) {
    let end = this.taken;
    while (end < this.pending.length && this.pending[end][0] < round) end += 1;
    return end - this.taken;
  }

  misplaced(record) {
    const week = this.weekOf(record);
    if (week === null || week <= this.lastWeek) return "its round is not that of a later week";
    if (record.before !== this.last) return "it does not follow the statement before it";
    const known = this.due(record.round);
    if (record.count !== known) return `it covers ${record.count} frames, and the chain has ${known}`;
    return "";
  }

  leftOut(index, { round }) {
    for (let at = this.at; at < this.links.length; at++) {
      const { index: place, record } = this.links[at];
      if (place > index || (record.kind === "segment" && record.round >= round)) return "";
      if (record.kind === "segment" && record.frames.length > 0) return "it leaves out frames that were in the log";
    }
    return "";
  }

  async unproven(record, turns) {
    const drawn = this.draw(record.value);
    if (record.answers.length !== drawn.length) return `it answers ${record.answers.length} of ${drawn.length} draws`;
    for (const [place, [number, block]] of drawn.entries()) {
      await turns.next();
      const answer = record.answers[place];
      if (answer.outcome !== HELD_SHOWN) continue;
      try {
        this.checkBlock(answer, number, block);
      } catch (error) {
        if (error instanceof Fails) return error.message;
        throw error;
      }
    }
    return "";
  }

  // Draw [frame, block] among the frames that were committed before; a withdrawn one is passed over.
  draw(value) {
    const drawn = [];
    const met = new Set();
    if (this.last === null) return drawn;
    const total = this.frames.length;
    for (let number = 0; number < MAX_HELD_TRIES; number++) {
      if (drawn.length === MAX_DRAWS || met.size === total) break;
      const hashed = sha256(HELD_DRAW, value, fromHex(this.last), Uint8Array.of(number >> 8, number & 255));
      const frame = remainder(hashed.subarray(0, 16), total);
      if (!met.has(frame) && !this.withdrawn.has(this.frames[frame])) drawn.push([frame, hashed[16]]);
      met.add(frame);
    }
    return drawn;
  }

  checkBlock({ salt, block, path }, number, place) {
    const { first, frames, root } = this.weeks.findLast((one) => one.first <= number);
    const object = inclusionRoot(leafHash(joined(salt, block)), place, HELD_BLOCKS, path.slice(0, HELD_BLOCK_DEPTH));
    const leaf = leafHash(joined(fromHex(frames[number - first]), object));
    const top = inclusionRoot(leaf, number - first, frames.length, path.slice(HELD_BLOCK_DEPTH));
    if (!sameBytes(top, root)) throw new Fails("a block is not the one that was committed to");
  }

  follow(digest, record) {
    const end = this.taken + this.due(record.round);
    const frames = this.pending.slice(this.taken, end).map(([, frame]) => frame);
    if (record.root !== null) this.weeks.push({ first: this.frames.length, frames, root: record.root });
    for (const frame of frames) this.frames.push(frame);
    this.taken = end;
    this.last = digest;
    this.lastWeek = this.weekOf(record);
    this.answered.add(this.lastWeek);
  }
}

// Give the remainder of a large number, most significant byte first.
function remainder(bytes, divisor) {
  let rest = 0;
  for (const byte of bytes) rest = (rest * 256 + byte) % divisor;
  return rest;
}
