// A second implementation of the machine of a case, written from docs/spec/dispute.md, acts.md,
// ladder.md, deadlines.md and sampling.md. Its tables are read from dispute.md itself.
//
// Input on stdin: {spec, terms, keys, beacon, walks: [[{statement, at}]]}; output: for each walk and
// statement the state after it, or "refused", and at the end the head.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const DAY = 86_400_000;
const hash = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const u64 = (number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
};

// --- CBOR and COSE, as much as a statement has ---

function decode(bytes) {
  let at = 0;
  const size = (info) => {
    if (info < 24) return info;
    const length = 1 << (info - 24);
    let value = 0n;
    for (const byte of bytes.subarray(at, at + length)) value = (value << 8n) | BigInt(byte);
    at += length;
    return Number(value);
  };
  const item = () => {
    const head = bytes[at++];
    const kind = head >> 5;
    const number = size(head & 31);
    if (kind === 0) return number;
    if (kind === 1) return -1 - number;
    if (kind === 2 || kind === 3) {
      const part = bytes.subarray(at, at + number);
      at += number;
      return kind === 2 ? Buffer.from(part) : part.toString("utf8");
    }
    if (kind === 4) return Array.from({ length: number }, item);
    if (kind === 5) return new Map(Array.from({ length: number }, () => [item(), item()]));
    if (kind === 6) return item();
    throw new Error("not CBOR of a statement");
  };
  return item();
}

function read(hex) {
  const bytes = Buffer.from(hex, "hex");
  const [head, , payload] = decode(bytes);
  const protectedHeader = decode(head);
  return {
    digest: hash(bytes).toString("hex"),
    issuer: protectedHeader.get(4).toString("hex"),
    kind: protectedHeader.get(3).match(/workseal\.(.*)\+cbor/)[1],
    body: decode(payload),
  };
}

// --- the tables of the specification ---

function tables(text) {
  const rows = (title) =>
    text
      .split(`## ${title}\n`)[1]
      .split("\n## ")[0]
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .slice(1)
      .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const groups = new Map();
  const expand = (names) =>
    names.split(", ").flatMap((name) => (groups.has(name) ? groups.get(name) : [name]));
  const told = text.split("Groups: ")[1].split("\n\n")[0].replaceAll("\n", " ");
  for (const [, name, members] of told.matchAll(/\*([a-z ]+)\* are ([^;.]+)/g))
    groups.set(name, expand(members));
  const states = new Map();
  for (const [names, binds, days, counted, next] of rows("States"))
    for (const name of expand(names)) states.set(name, { binds, days: Number(days) || 0, counted, next });
  const moves = rows("Moves").flatMap(([names, who, within, then]) =>
    names.split(", ").flatMap((move) => expand(within).map((state) => ({ move, who, state, then }))),
  );
  return { states, moves };
}

const ACTS =
  " notice answer extend offer accept end lapse draw declare recuse strike pass ask object rule commit reveal sample approve show withhold exhibit comment draft decide appeal stay resume withdraw claw-back outage destroy unreadable".split(
    " ",
  );
const CLOSED = ["settled", "withdrawn", "undecided", "final"];
const ARBITRATORS = ["evidence", "ruling", "naming", "decision"];
const BOTH = ["client", "freelancer"];

class Refused extends Error {}
const must = (holds, why) => {
  if (!holds) throw new Refused(why);
};

class Replay {
  constructor(input, table) {
    Object.assign(this, { input, table, terms: input.terms, head: null, state: null });
    Object.assign(this, { at: 0, count: 0, since: 0, due: null, done: [], late: 0 });
    Object.assign(this, { calendars: {}, effective: null, answered: false, extended: false });
    Object.assign(this, { seat: null, declared: false, hurried: false, gone: [], struck: [], offers: new Map() });
    Object.assign(this, { offered: [], exhibits: [], reached: 0, climbed: [], asked: 0, ask: null, sample: null, request: null });
    Object.assign(this, { approved: false, shown: [], unexamined: new Map(), barred: [], unreadable: [], askDone: false });
    Object.assign(this, { answer: null, again: false, found: new Map() });
    Object.assign(this, { decision: false, appealed: false, reminded: false, paused: null, stays: 0, stayDays: 0 });
    Object.assign(this, { checked: 0, redrafted: false, redrawn: 0 });
    Object.assign(this, { halted: null, stopped: 0, outages: 0, downUntil: 0, closed: null, known: new Set() });
  }

  who(word) {
    return {
      filer: [this.filer],
      respondent: [this.filer === "client" ? "freelancer" : "client"],
      party: BOTH,
      client: ["client"],
      freelancer: ["freelancer"],
      arbitrator: ["arbitrator"],
      "party or arbitrator": [...BOTH, "arbitrator"],
      operator: ["operator"],
      anyone: [...BOTH, "arbitrator", "operator"],
    }[word];
  }

  get left() {
    return this.input.panel.filter((person) => !this.gone.includes(person));
  }

  get answerDays() {
    return Math.min(Math.max(this.terms.answer_days, 10), 15);
  }

  get extensionDays() {
    return Math.min(5, 15 - this.answerDays);
  }

  get secondDays() {
    return Math.min(5, 15 - this.answerDays - (this.extended ? this.extensionDays : 0));
  }

  get limit() {
    return this.effective + 90 * DAY + this.stopped;
  }

  begin({ digest, issuer, body }, at) {
    must(body.get(16) <= at && body.get(17) <= at + DAY, "filing");
    this.filing = body;
    this.filer = this.input.keys[issuer][0];
    this.case = digest;
    this.announce(this.filer, body.get(22), at);
    this.enter("notice", at);
    this.write(body.get(9), { base: at, days: 5, least: 0, notBefore: 0 });
    this.accept(digest, at);
  }

  accept(digest, at) {
    this.head = digest;
    this.at = at;
    this.known.add(digest);
  }

  // One more statement; throws Refused and must then be thrown away.
  after({ digest, issuer, kind, body }, at) {
    const move = kind === "dispute.act" ? ACTS[body.get(10)] : kind.slice("dispute.".length);
    must(body.get(8)?.toString("hex") === this.case, "case");
    must(body.get(4).toString("hex") === this.head, "link");
    const [role, person] = this.input.keys[issuer] ?? [];
    const row = this.table.moves.find(
      (one) =>
        one.state === this.state &&
        one.move === move &&
        this.who(one.who).includes(role) &&
        (role !== "arbitrator" || one.who === "anyone" || person === this.seat),
    );
    must(row && at >= this.at && at < 253_055_232_000_000, "table");
    if (row.then === "all") must(!this.done.includes(role), "once");
    const before = { due: this.due, paused: this.paused, outages: this.outages, state: this.state };
    const sits = role === "arbitrator" && person === this.seat;
    this.check(move, role, body, at);
    this.announce(role, body.get(22), at);
    this.note(move, role, body, at, digest);
    this.lead(move, role, row.then, body, at, sits);
    const span = this.span(move, before, at);
    this.write(body.get(9), span);
    const old = before.paused ? before.paused.due : before.due;
    const outage = this.outages > before.outages && this.halted === null;
    if (span && ((before.paused && !this.paused) || outage))
      this.stopped += this.due.until - old.until;
    this.accept(digest, at);
  }

  room(at, days = 56) {
    must(at + days * DAY <= this.limit, "room");
  }

  // Who sat may say so much of what was found and what could not be opened, all together.
  mayCheck(role) {
    must(role !== "arbitrator" || this.checked < 64, "full");
  }

  check(move, role, body, at) {
    const digests = Array.isArray(body.get(13)) ? body.get(13) : [];
    const cites = digests.map((one) => one.toString("hex"));
    const value = body.get(18);
    const level = this.ask?.level;
    const until = this.due?.until ?? 0;
    const extensible = this.answerDays < 15;
    const another = () => must(this.left.some((one) => one !== this.seat), "draw");
    const bound = () => must(!this.done.includes(role), "once");
    const tooMany = (list) => list.filter((one) => one === role).length >= 8;
    const shows = () => {
      must(this.ask && this.ask.granted && !this.askDone, "request");
    };
    const useless = () => [...this.barred, ...this.unreadable].includes(this.answer) && !this.again;
    if (["answer", "exhibit", "offer", "accept", "withdraw"].includes(move)) must(!this.appealed, "table");
    const released = (round) => {
      must(body.get(19) === round && at >= round * this.terms.round_ms, "draw");
      must(value.equals(hash(Buffer.from(this.input.beacon), u64(round))), "draw");
    };
    const reasons = () => {
      must(cites.some((one) => this.known.has(one)), "citation");
      must(!cites.some((one) => this.barred.includes(this.found.get(one) ?? one)), "citation");
      const [verdict, amount, stake] = [body.get(12), body.get(21), this.filing.get(21)];
      if (verdict === 1) must(amount === stake, "amount");
      if (verdict === 2) must((amount > 0 && amount < stake) || (amount === 0 && stake === 0), "amount");
      if (verdict === 3) must(amount === 0, "amount");
    };
    const checks = {
      extend: () => must(!this.extended && extensible, "once"),
      answer: () => must(!this.answered, "once"),
      pass: () => must(this.state !== "seating" || this.declared, "table"),
      strike: () => {
        must(!this.struck.includes(role), "once");
        bound();
        another();
      },
      exhibit: () => must(!tooMany(this.exhibits), "full"),
      offer: () => must(!tooMany(this.offered), "full"),
      accept: () =>
        must(cites.length === 1 && this.offers.has(cites[0]) && this.offers.get(cites[0]) !== role, "cite"),
      draw: () => {
        const round = Math.floor((this.since + 60_000) / this.terms.round_ms) + 1;
        released(round);
        const rank = (one) =>
          hash(Buffer.from("workseal/panel/v1"), Buffer.from(this.case, "hex"), u64(round), value, Buffer.from(one, "hex"));
        const [first] = [...this.left].sort((a, b) => Buffer.compare(rank(a), rank(b)));
        must(body.get(23).toString("hex") === first, "draw");
      },
      ask: () => this.checkAsk(body, at),
      rule: () => {
        const count = body.get(15);
        if (body.get(12) === 2) must(count !== undefined && count < this.ask.count, "ladder");
        else must(count === undefined, "ladder");
      },
      commit: () => must(this.sample && !this.sample.ruled && !this.sample.commitments[role], "sample"),
      reveal: () => {
        const sample = this.sample;
        must(sample?.commitments[role] && !sample.seed && !sample.secrets[role], "sample");
        must(sample.ruled, "sample");
        must(!sample.ruled || at <= sample.ruled + 20 * 3_600_000, "time");
        const mine = hash(Buffer.from("workseal/secret/v1"), Buffer.from(this.case, "hex"), Buffer.from([this.input.roles[role]]), value);
        must(mine.equals(sample.commitments[role]), "sample");
      },
      sample: () => {
        must(this.sample?.ruled && !this.sample.seed, "sample");
        released(Math.floor((this.sample.ruled + 22 * 3_600_000) / this.terms.round_ms) + 1);
      },
      request: () => {
        must(![2, 3].includes(level) || this.sample?.seed, "sample");
        must(body.get(10).length <= (this.ask?.granted ?? 0), "ladder");
        must(!this.key || body.get(12).toString("hex") === this.key, "request");
        const due = body.get(9);
        must(!due || body.get(13) === due.get(1), "deadline");
      },
      approve: () => must(level === 4 && !this.approved, "ladder"),
      show: () => {
        must(!this.ask || level === 1, "ladder");
        if (!useless()) shows();
      },
      disclosure: () => {
        must(this.request && (level !== 4 || this.approved), "request");
        shows();
        must(body.get(10).toString("hex") === this.request, "request");
      },
      finding: () => {
        const named = body.get(10).toString("hex");
        must(this.unexamined.get(named)?.includes(role), "once");
        must(!this.barred.includes(named), "citation");
        this.mayCheck(role);
      },
      draft: reasons,
      decide: reasons,
      appeal: () => {
        bound();
        another();
      },
      "claw-back": () => {
        must(this.shown.some((one) => !this.barred.includes(one)), "citation");
        must(cites.every((one) => this.shown.includes(one) && !this.barred.includes(one)), "citation");
        must(!this.appealed, "once");
        if (!["draft", "decision"].includes(this.paused?.state ?? this.state)) return;
        must(!this.redrafted && !this.paused, "once");
        this.room(at, 28);
      },
      unreadable: () => {
        this.mayCheck(role);
        const left = (one) => this.shown.includes(one) && ![...this.barred, ...this.unreadable].includes(one);
        must(cites.every(left), "citation");
      },
      stay: () => {
        const days = Math.ceil((body.get(17) - at) / DAY);
        must(this.stays < 4 && at <= until, "time");
        must(days > 0 && days <= Math.min(30, 60 - this.stayDays), "time");
      },
      outage: () => {
        const [begin, end] = [body.get(16), body.get(17)];
        must(this.outages < 4 && end <= at && end - begin >= 4 * 3_600_000, "time");
        must(begin <= until && end > until - DAY, "time");
        must(begin > this.downUntil, "once");
      },
      lapse: () => {
        must(this.state !== "sealed" || this.done.includes("operator"), "once");
        must(!this.due || at > until + (this.state === "draw" ? 7 * DAY : 0), "time");
      },
      destroy: () => must(this.done.length || at > until, "time"),
    };
    checks[move]?.();
  }

  checkAsk(body, at) {
    const [level, count, freeze] = [body.get(14), body.get(15), body.get(20)];
    must(this.asked < 8, "ladder");
    if (this.asked || this.gone.length) this.room(at);
    must(level <= this.reached + 1, "ladder");
    must(this.terms.level >= [1, 2, 3, 3, 3][level], "ladder");
    must(count <= [0, 2880, 64, 64, 4][level], "ladder");
    must(this.filing.get(16) <= body.get(16) && body.get(17) <= this.filing.get(17), "ladder");
    const inside = (one) => one.level >= level - 1 && one.begin <= body.get(16) && body.get(17) <= one.end;
    must(level < 2 || this.climbed.some(inside), "ladder");
    must((freeze !== undefined) === (level === 2 && !this.sample), "ladder");
    if (freeze) must(count <= freeze.get(2).reduce((sum, row) => sum + row[2], 0), "ladder");
    if ((level === 2 || level === 3) && this.sample) must(count <= this.sample.size, "ladder");
  }

  announce(role, calendar, at) {
    if (!calendar) return;
    const agreed = this.terms.calendars[role];
    must(!agreed || calendar.get(1) === agreed, "deadline");
    this.calendars[role] = { calendar, day: Math.floor(at / DAY) };
  }

  vacate(at) {
    if (this.seat) this.gone.push(this.seat);
    this.halted ??= at;
    Object.assign(this, { seat: null, declared: false, key: undefined, ask: null, answer: null, request: null, approved: false });
    this.reminded = false;
    delete this.calendars.arbitrator;
    for (const left of this.unexamined.values()) if (!left.includes("arbitrator")) left.push("arbitrator");
    this.unreadable = [];
    this.forget();
  }

  forget() {
    if (this.sample && !this.sample.ruled) this.sample = null;
  }

  answeredAsk() {
    this.askDone = true;
    this.climb();
  }

  climb() {
    if (!this.ask) return;
    this.reached = Math.max(this.reached, this.ask.level);
    this.climbed.push(this.ask);
  }

  note(move, role, body, at, digest) {
    const value = body.get(18);
    const notes = {
      answer: () => (this.answered = true),
      extend: () => (this.extended = true),
      offer: () => {
        for (const [open, maker] of this.offers) if (maker === role) this.offers.delete(open);
        this.offers.set(digest, role);
        this.offered.push(role);
      },
      draft: () => this.offers.clear(),
      exhibit: () => this.exhibits.push(role),
      draw: () => Object.assign(this, { seat: body.get(23).toString("hex"), declared: false }),
      declare: () => {
        Object.assign(this, { declared: true, key: body.get(25)?.toString("hex") });
        this.hurried = at > this.due.until - DAY;
      },
      recuse: () => this.vacate(at),
      strike: () => {
        this.struck.push(role);
        this.vacate(at);
      },
      ask: () => {
        this.ask = { level: body.get(14), count: body.get(15), granted: 0, begin: body.get(16), end: body.get(17) };
        Object.assign(this, { asked: this.asked + 1, askDone: false, request: null, approved: false });
        Object.assign(this, { answer: null, again: false });
        if (body.has(20)) this.sample = { freeze: body.get(20), commitments: {}, secrets: {}, ruled: 0, size: 0 };
      },
      rule: () => {
        if (body.get(12) === 3) {
          this.ask = null;
          this.forget();
          return;
        }
        this.ask.granted = body.get(15) ?? this.ask.count;
        if (this.sample && !this.sample.ruled) Object.assign(this.sample, { ruled: at, size: this.ask.granted });
      },
      commit: () => (this.sample.commitments[role] = value),
      reveal: () => (this.sample.secrets[role] = value),
      sample: () => (this.sample.seed = true),
      request: () => (this.request = digest),
      approve: () => (this.approved = true),
      show: () => {
        this.again = this.answer !== null && [...this.barred, ...this.unreadable].includes(this.answer) && !this.again;
        this.answer = digest;
        this.shown.push(digest);
        this.answeredAsk();
      },
      disclosure: () => {
        this.shown.push(digest);
        this.unexamined.set(digest, ["operator", "arbitrator"]);
        this.answeredAsk();
      },
      withhold: () => this.answeredAsk(),
      finding: () => {
        const named = body.get(10).toString("hex");
        this.unexamined.set(named, this.unexamined.get(named).filter((one) => one !== role));
        this.found.set(digest, named);
        if (role === "arbitrator") this.checked += 1;
      },
      decide: () => (this.decision = true),
      appeal: () => {
        this.appealed = true;
        this.vacate(at);
      },
      stay: () => {
        this.stays += 1;
        this.stayDays += Math.ceil((body.get(17) - at) / DAY);
      },
      unreadable: () => {
        this.unreadable.push(...body.get(13).map((one) => one.toString("hex")));
        this.checked += 1;
      },
      "claw-back": () => {
        this.barred.push(...body.get(13).map((one) => one.toString("hex")));
        if (["draft", "decision"].includes(this.state)) this.redrafted = true;
      },
      outage: () => {
        this.outages += 1;
        this.downUntil = body.get(17);
      },
    };
    notes[move]?.();
  }

  goOn(at) {
    if (this.halted === null || !this.declared) return;
    this.stopped += at - this.halted;
    this.halted = null;
  }

  lead(move, role, then, body, at, sits) {
    const next = this.table.states.get(this.state)?.next;
    if (move === "lapse") return this.lapse(next, at);
    if (sits) this.goOn(at);
    if (move === "stay") {
      this.paused = { state: this.state, due: this.due, at, done: this.done };
      this.state = "stayed";
      this.due = { until: body.get(17) };
      return undefined;
    }
    if (then === "same") return undefined;
    if (then === "late") return at + 56 * DAY <= this.limit ? this.enter("comment", at) : undefined;
    if (then === "all") {
      this.done = [...this.done, role];
      const awaited =
        this.state === "sealed"
          ? ["operator", ...(this.seat ? ["arbitrator"] : [])]
          : this.who(this.table.states.get(this.state).binds);
      if (awaited.every((one) => this.done.includes(one))) return this.enter(next, at);
      if (move === "declare" && this.hurried) this.due = null;
      if (this.state === "sealed" && role === "operator") this.due = { until: at + 30 * DAY };
      return undefined;
    }
    if (then === "back") return this.back();
    if (then === "next") return this.enter(next, at);
    if (then === "decided") return this.enter(this.appealed ? "final" : "appeal", at);
    if (then === "ruled") {
      if (!this.ask) return this.enter("evidence", at);
      return this.enter(this.ask.level === 1 ? "disclosure" : "naming", at);
    }
    return this.enter(then, at);
  }

  lapse(next, at) {
    const until = this.due.until;
    if (this.state === "stayed") return this.back();
    if (this.state === "draw") {
      this.halted ??= until;
      this.redrawn += 1;
      return this.enter(this.redrawn < 4 ? "draw" : this.decision ? "final" : "undecided", at);
    }
    if (ARBITRATORS.includes(this.state)) {
      this.halted ??= until;
      if (!this.reminded) {
        Object.assign(this, { reminded: true, due: null });
        return undefined;
      }
      this.vacate(at);
      return this.enter("draw", at);
    }
    if (this.state === "seating" && !this.declared) {
      this.vacate(until);
      return this.enter("draw", at);
    }
    if (this.state === "disclosure") this.climb();
    if (this.state === "answer" && !this.secondDays) return this.enter("draw", at);
    return this.enter(next, at);
  }

  back() {
    const { state, done } = this.paused;
    Object.assign(this, { state, done, due: null, paused: null });
  }

  enter(wanted, at) {
    let state = wanted;
    if (state === "evidence" && this.state === "seating") {
      this.goOn(at);
      if (this.appealed) state = "review";
      else if (this.gone.length) this.stopped += Math.max(at + 70 * DAY - this.limit, 0);
    }
    if (state === "draw" && !this.left.length) state = this.decision ? "final" : "undecided";
    if (state === "answer" || state === "negotiation") this.effective ??= at;
    Object.assign(this, { state, since: at, done: [], due: null });
    if (CLOSED.includes(state)) {
      this.closed = at;
      this.due = { until: at + 30 * DAY };
    }
    if (state === "sealed") this.due = { until: this.closed + Math.max(this.terms.retention_days, 30) * DAY };
  }

  // docs/spec/deadlines.md: which deadline a statement must write.
  span(move, before, at) {
    const until = before.due?.until ?? at;
    const plain = (base, days, least = 0, notBefore = 0) => ({ base, days, least, notBefore });
    if (move === "outage") return plain(until, 1);
    if (this.due || [...CLOSED, "sealed", "purged"].includes(this.state)) return null;
    if (move === "extend") return plain(until, this.extensionDays);
    if (move === "declare") return plain(at, 1, 0, until);
    if (before.paused && !this.paused) return plain(at, 1, 0, before.paused.due.until + at - before.paused.at);
    const base = move === "lapse" && at - until <= DAY ? until : at;
    if (move === "lapse" && this.state === before.state && this.state !== "draw") return plain(base, 5);
    if (this.state === "answer") return plain(base, this.answerDays, 14);
    if (this.state === "second") return plain(base, this.secondDays);
    const hurried = this.hurried && this.state === "evidence" && before.state === "seating";
    return plain(base, this.table.states.get(this.state).days - (hurried ? 1 : 0));
  }

  write(due, span) {
    must(Boolean(due) === Boolean(span), "deadline");
    if (!due) return;
    const [until, days, name, , zone, minutes, weekend] = [1, 2, 3, 4, 5, 6, 7].map((key) => due.get(key));
    const bound = this.who(this.table.states.get(this.state).counted);
    const found = bound.find((role) => {
      const announced = this.calendars[role]?.calendar;
      if (announced) return name === announced.get(1) && zone === announced.get(2) && weekend === announced.get(3);
      return name === (this.terms.calendars[role] ?? name) && zone === this.terms.zone;
    });
    must(found, "deadline");
    const each = bound.filter((role) => this.calendars[role]).map((role) => {
      const { calendar, day } = this.calendars[role];
      const off = calendar.get(4).filter((one) => one >= day + 5);
      return { zone: calendar.get(2), weekend: calendar.get(3), off };
    });
    const offset = minutes * 60_000;
    must(days === span.days && (until + 1 + offset) % DAY === 0, "deadline");
    const first = Math.floor((span.base - 4_200_000 + offset) / DAY);
    const last = Math.floor((until + offset) / DAY);
    const off = Math.max(0, ...each.map((one) => one.off.filter((day) => first <= day && day <= last).length));
    const longest = Math.max(
      first + 1 + Math.max(2 * days + 16 + off, span.least + 16),
      Math.floor(span.notBefore / DAY) + 17,
    );
    must(last <= longest && last >= first + span.least && until >= span.notBefore, "deadline");
    const work = (begin, end, free, daysOff) => {
      let worked = 0;
      for (let day = begin; day <= end; day += 1)
        if (!((free >> ((day + 3) % 7)) & 1) && !daysOff.includes(day)) worked += 1;
      must(worked >= days, "deadline");
    };
    work(first + 1, last, weekend, []);
    for (const one of each) {
      const wide = 16 * 3_600_000;
      if (one.zone === zone) work(first + 1, last, one.weekend, one.off);
      else
        work(Math.floor((span.base - 4_200_000 - wide) / DAY) + 1, Math.floor((until + wide) / DAY), one.weekend, one.off);
    }
    this.due = { until };
  }
}

const input = JSON.parse(readFileSync(0, "utf8"));
const table = tables(readFileSync(input.spec, "utf8"));
const answers = input.walks.map((walk) => {
  let replay = new Replay(input, table);
  const states = walk.map(({ statement, at }, index) => {
    const told = read(statement);
    if (index === 0) {
      replay.begin(told, at);
      return replay.state;
    }
    const copy = structuredClone({ ...replay, input: null, table: null });
    const trial = Object.assign(new Replay(input, table), copy, { input, table });
    try {
      trial.after(told, at);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return "refused";
    }
    replay = trial;
    return replay.state;
  });
  return { states, head: replay.head, until: replay.due?.until ?? null };
});
process.stdout.write(JSON.stringify(answers));
