// The rules of a freelancer's chain, as a fold over its statements (docs/spec/chain.md).
//
// A broken rule of step 7 ends the fold. The first problem of each other step is kept for it.

import { Fails, sameBytes } from "./bytes.mjs";
import { CAPTURED, LATE_FORM, MISSED, NO_CAPTURE, OFF_SCREEN, SEALED, WORKING } from "./records.mjs";
import { AGENT_SIDE, owedInstant, tried, verifyChainValue } from "./schedule.mjs";
import { Spans } from "./spans.mjs";
import { ACTIVITY_LEVEL } from "./terms.mjs";

const WORKED_TOLERANCE = 10;
const AGREED_TOLERANCE = 5000;
const LAST_INSTANT = 253370678400000;
const LONGEST_DECLARATION = 604800000;

export class Chain {
  constructor(engagement, terms, acceptance, agreedAt, index) {
    Object.assign(this, { terms, agreedAt });
    this.engagement = engagement;
    this.nextSeq = 0;
    this.head = acceptance;
    this.anchorSize = index + 1;
    this.lastRound = 0;
    this.lastEnd = 0;
    this.roundWorked = 0;
    this.roundSpan = 0;
    this.session = null;
    this.recorded = new Spans();
    this.attended = new Spans();
    this.late = new Spans();
    this.frames = new Map();
    this.withdrawn = new Set();
    this.sessions = new Set();
  }

  // Step 7: what joins a statement to those before it.
  checkOrder(record) {
    if (!sameBytes(record.engagement, this.engagement)) {
      throw new Fails("engagement: the statement belongs to another engagement");
    }
    if (record.seq !== this.nextSeq) {
      throw new Fails(`sequence: expected number ${this.nextSeq}, found ${record.seq}`);
    }
    if (record.prev !== this.head) {
      throw new Fails(`link: number ${record.seq} does not name the statement before it`);
    }
    if (record.anchor.size < this.anchorSize) {
      throw new Fails(record.seq === 0
        ? "anchor: the anchor is older than the acceptance of the terms"
        : `anchor: the anchor went back from size ${this.anchorSize} to ${record.anchor.size}`);
    }
    if (record.kind === "session.open") this.checkOpening(record);
    if (record.kind === "segment" || record.kind === "session.close") this.checkSession(record);
    if (record.kind === "segment" && record.frames.some((frame) => this.frames.has(frame))) {
      throw new Fails("frame: a frame is committed twice");
    }
    if (record.kind === "tombstone") this.checkTombstone(record);
  }

  checkOpening(record) {
    if (this.session !== null) throw new Fails("session: a session is opened while another one is open");
    if (this.sessions.has(record.session)) throw new Fails("session: a session is opened twice");
  }

  checkSession(record) {
    if (this.session === null) throw new Fails("session: no session is open");
    if (record.session !== this.session.name) {
      throw new Fails("session: the statement names a session that is not the open one");
    }
  }

  checkTombstone(record) {
    if (this.frames.get(record.frame) !== record.segment) {
      throw new Fails("tombstone: a tombstone names a frame that its segment has not");
    }
    if (this.withdrawn.has(record.frame)) throw new Fails("tombstone: a frame is withdrawn twice");
  }

  // Step 8: the times that a statement claims, against the grid of rounds.
  checkTiming(record) {
    const { roundMs } = this.terms;
    if (record.kind === "session.open") {
      checkInstant((record.firstRound + record.rounds) * roundMs);
      this.checkAgreed((record.firstRound + 1) * roundMs);
    } else if (record.kind === "segment") {
      this.checkGrid(record);
      this.checkAgreed(record.begin);
      this.checkWorked(record);
      this.checkOverlap(record);
    } else if (record.kind === "declaration") {
      this.checkAgreed(record.begin);
      this.checkDeclaration(record);
    }
  }

  checkAgreed(begin) {
    if (begin < this.agreedAt - AGREED_TOLERANCE) {
      throw new Fails("terms: it begins before the terms were agreed");
    }
  }

  checkGrid({ round, begin, end }) {
    const { firstRound, rounds } = this.session;
    const { roundMs } = this.terms;
    if (!(firstRound <= round && round < firstRound + rounds)) {
      throw new Fails(`round: round ${round} is not one of the session's`);
    }
    if (round < this.lastRound) throw new Fails(`round: round ${round} comes after ${this.lastRound}`);
    const start = round * roundMs;
    checkInstant(start);
    if (!(start <= begin && end <= start + roundMs)) {
      throw new Fails(`bounds: begin and end leave round ${round}`);
    }
  }

  ofRound(round) {
    return round === this.lastRound ? [this.roundWorked, this.roundSpan] : [0, 0];
  }

  checkWorked(record) {
    if (record.worked > 0 && record.begin === record.end) {
      throw new Fails(`worked: ${record.worked} ms worked in no time`);
    }
    const [before, span] = this.ofRound(record.round);
    const [worked, length] = [before + record.worked, span + record.end - record.begin];
    if (worked > length + WORKED_TOLERANCE) {
      throw new Fails(`worked: ${worked} ms worked in ${length} ms of round ${record.round}`);
    }
    if (worked > this.terms.roundMs) {
      throw new Fails(`worked: round ${record.round} has more work than it is long`);
    }
  }

  checkOverlap({ begin, end }) {
    if (begin < this.lastEnd) {
      throw new Fails("overlap: a segment begins before the end of the one before it");
    }
    if (this.late.touches(begin, end)) throw new Fails("overlap: a segment covers time that was declared");
  }

  checkDeclaration(record) {
    const { begin, end } = record;
    checkInstant(end);
    if (end - begin > LONGEST_DECLARATION) throw new Fails("declaration: a declaration covers more than a week");
    if (end > record.claimedAt) {
      throw new Fails("declaration: a declaration covers time that was still to come");
    }
    if (record.form === LATE_FORM) {
      if (this.recorded.touches(begin, end)) throw new Fails("overlap: late time was recorded already");
      if (this.late.touches(begin, end)) throw new Fails("overlap: late time was declared already");
      return;
    }
    const places = this.recorded.touching(begin, end);
    if (places[0] >= places[1] || this.attended.touches(begin, end)) {
      throw new Fails("declaration: a live declaration covers time that was not off-screen");
    }
    if (begin < this.recorded.begins[places[0]] || end > this.recorded.ends[places[1] - 1]) {
      throw new Fails("declaration: a live declaration reaches beyond off-screen segments");
    }
    const recorded = this.recorded.worked(places);
    if (record.worked > recorded) {
      throw new Fails(`declaration: a live declaration tells of ${record.worked} ms worked, its segments of ${recorded}`);
    }
  }

  // Step 9: revealed values match the session's head, and captures are exactly those drawn.
  //
  // Gives round and value, or a promise of them; null for what is no segment.
  checkSchedule(record, work, turns) {
    if (record.kind !== "segment") return null;
    const { session } = this;
    const start = session.known === null ? session.firstRound - 1 : session.known[0];
    work.spend(Math.max(record.round - start, 0));
    this.checkActivity(record);
    const committed = { head: session.head, firstRound: session.firstRound, count: session.rounds };
    const failed = (error) => {
      if (error instanceof Fails) throw new Fails(`agent-value: round ${record.round}: ${error.message}`);
      throw error;
    };
    const check = () => verifyChainValue(AGENT_SIDE, committed, record.round, record.agentValue, session.known, turns);
    const checked = tried(check, failed);
    return checked instanceof Promise ? checked.then(() => this.checkDraw(record)) : this.checkDraw(record);
  }

  checkDraw(record) {
    this.checkOneDraw(record);
    this.checkCapture(record);
    return [record.round, record.agentValue];
  }

  checkActivity({ state, activity }) {
    const wanted = this.terms.level >= ACTIVITY_LEVEL && state !== SEALED;
    if (wanted && activity === null) throw new Fails("activity: a segment lacks the activity that the terms ask for");
    if (!wanted && activity !== null) {
      throw new Fails("activity: a segment has activity that the terms do not ask for");
    }
  }

  checkOneDraw({ round, verifierValue }) {
    const { drawn } = this.session;
    if (drawn === null || drawn[0] !== round) return;
    const same = drawn[1] === null || verifierValue === null ? drawn[1] === verifierValue : sameBytes(drawn[1], verifierValue);
    if (!same) throw new Fails(`draw: round ${round} changes its verifier value within one session`);
  }

  checkCapture(record) {
    const instant = owedInstant(this.terms, this.engagement, record);
    const owed = instant !== null && record.state === WORKING && record.begin <= instant && instant < record.end;
    if (owed && record.capture === NO_CAPTURE) {
      throw new Fails(`capture: the capture drawn in round ${record.round} is not told`);
    }
    if (!owed && record.capture !== NO_CAPTURE) {
      throw new Fails(`capture: no capture was drawn in round ${record.round}`);
    }
  }

  // Step 13: a closing statement repeats the sums of its session.
  checkClosing(record) {
    if (record.kind !== "session.close") return;
    for (const name of ["segments", "worked", "captured", "missed"]) {
      if (record[name] !== this.session.sums[name]) {
        throw new Fails(`closing: ${name}: the closing says ${record[name]}, segments ${this.session.sums[name]}`);
      }
    }
  }

  // Move on, without checking.
  follow(digest, record, known) {
    if (record.kind === "segment") this.remember(digest, record, known);
    if (record.kind === "session.open") {
      this.sessions.add(record.session);
      const sums = { segments: 0, worked: 0, captured: 0, missed: 0 };
      const { session: name, head, firstRound, rounds } = record;
      this.session = { name, head, firstRound, rounds, known: null, drawn: null, sums };
    }
    if (record.kind === "session.close") this.session = null;
    if (record.kind === "tombstone") this.withdrawn.add(record.frame);
    if (record.kind === "declaration" && record.form === LATE_FORM) this.late.add(record.begin, record.end);
    this.nextSeq = record.seq + 1;
    this.head = digest;
    this.anchorSize = record.anchor.size;
  }

  remember(digest, record, known) {
    const { session } = this;
    this.recorded.add(record.begin, record.end, record.worked);
    if (record.state !== OFF_SCREEN) this.attended.add(record.begin, record.end);
    for (const frame of record.frames) this.frames.set(frame, digest);
    session.known = known ?? session.known;
    session.drawn = [record.round, record.verifierValue];
    session.sums.segments++;
    session.sums.worked += record.worked;
    if (record.capture === CAPTURED) session.sums.captured++;
    if (record.capture === MISSED) session.sums.missed++;
    const [worked, span] = this.ofRound(record.round);
    this.roundWorked = worked + record.worked;
    this.roundSpan = span + record.end - record.begin;
    this.lastRound = record.round;
    this.lastEnd = record.end;
  }
}

function checkInstant(instant) {
  if (instant > LAST_INSTANT) throw new Fails("round: a time lies after the year 9998");
}
