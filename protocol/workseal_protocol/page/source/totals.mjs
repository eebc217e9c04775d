// How much was worked: a pure fold over verified entries (docs/spec/totals.md). Integers only.

import { CAPTURED, LATE_FORM, MISSED, NO_CAPTURE, RETENTION, SEALED, WORKING } from "./records.mjs";
import { joinedPlace, owedInstant } from "./schedule.mjs";
import { CLASS_NAMES, DOWN, LATE_DECLARED, NEAREST, UP } from "./terms.mjs";
import { DECLARED, LATE, OFFLINE, ONLINE } from "./windows.mjs";
import { dayText, mondayOf } from "./zone.mjs";

const RATE_UNIT_MS = 3600000n;
const RETENTION_DAY_MS = 86400000;
const STEP_MS = 5000;

// Fold verified entries, in log order, into totals; days and weeks are those of `zone`.
export async function totalsOf(terms, entries, zone, turns) {
  const segments = entries.filter(({ record }) => record.kind === "segment");
  const late = entries.filter(({ record }) => record.kind === "declaration" && record.form === LATE_FORM);
  const tombstones = entries.filter(({ record }) => record.kind === "tombstone");
  const ends = new Map(segments.map(({ digest, record }) => [digest, record.end]));
  const days = daysOf(segments, late, zone).map((one) => ({ ...one, billed: billedOf(terms, [one]) }));
  const weeks = weeksOf(terms, days);
  const untaken = await untakenOf(terms, segments.map(({ record }) => record), turns);
  const count = (capture) => segments.filter(({ record }) => record.capture === capture).length;
  const early = tombstones.filter((one) => !isExpired(terms, one, ends));
  const captured = count(CAPTURED);
  const thinned = new Set(early.map(({ record }) => record.segment)).size;
  return {
    workedMs: workedIn(segments, () => true),
    byState: new Map([1, 2, 3].map((state) => [CLASS_NAMES.get(state), workedIn(segments, ({ record }) => record.state === state)])),
    byGrade: new Map([ONLINE, LATE, OFFLINE, DECLARED].map((grade) => [grade, workedIn(segments, (one) => one.grade === grade)])),
    lateDeclaredMs: workedIn(late, () => true),
    captured, missed: count(MISSED), ...untaken,
    frames: segments.reduce((sum, { record }) => sum + record.frames.length, 0),
    withdrawn: tombstones.length, expired: tombstones.length - early.length,
    days, weeks, billed: billedOf(terms, days),
    exceeded: [...withdrawnLimit(terms, captured, thinned), ...weeklyLimits(terms, weeks)],
  };
}

function workedIn(entries, fits) {
  return entries.filter(fits).reduce((sum, { record }) => sum + record.worked, 0);
}

function isExpired(terms, { record, window }, ends) {
  const end = ends.get(record.segment);
  if (end === undefined || record.reason !== RETENTION) return false;
  const over = end + terms.retentionDays * RETENTION_DAY_MS;
  // A claim alone would be worth nothing: the log must not show that it was signed before.
  return record.claimedAt >= over && (window.upper === null || window.upper >= over);
}

// Count the drawn captures that no segment tells of.
async function untakenOf(terms, segments, turns) {
  const due = new Map();
  const told = new Set();
  const sealed = new Set();
  for (const segment of segments) {
    if (turns.due) await turns.next();
    const instant = owedInstant(terms, segment.engagement, segment);
    if (instant === null) continue;
    const place = joinedPlace(segment.session, segment.round);
    due.set(place, instant);
    if (segment.capture !== NO_CAPTURE) told.add(place);
    else if (segment.state === SEALED && segment.begin <= instant && instant < segment.end) sealed.add(place);
  }
  for (const place of told) {
    due.delete(place);
    sealed.delete(place);
  }
  const outside = [...due.keys()].filter((place) => !sealed.has(place)).length;
  return { sealed: sealed.size, dueOutside: outside, steppedOver: steppedOver(terms, segments, due) };
}

function steppedOver(terms, segments, untaken) {
  const working = segments.filter((segment) => segment.state === WORKING);
  const stepped = new Set();
  for (let at = 1; at < working.length; at++) {
    const [last, following] = [working[at - 1], working[at]];
    if (following.begin - last.end >= STEP_MS) continue;
    const until = following.session === last.session ? following.begin : (last.round + 1) * terms.roundMs;
    for (const round of [last.round, last.round + 1]) {
      const place = joinedPlace(last.session, round);
      const instant = untaken.get(place) ?? -1;
      if (last.end <= instant && instant < until) stepped.add(place);
    }
  }
  return stepped.size;
}

function daysOf(segments, late, zone) {
  const found = new Map();
  const add = (day, kind, part, offline) => {
    if (!found.has(day)) found.set(day, { worked: noTime(), offlineMs: 0 });
    const total = found.get(day);
    total.worked.set(kind, total.worked.get(kind) + part);
    if (offline) total.offlineMs += part;
  };
  for (const { record, grade } of segments) {
    // What was proved late could have been made up late, with every draw known.
    const offline = grade === OFFLINE || grade === LATE;
    for (const [day, part] of sharesOf(record, zone)) add(day, record.state, part, offline);
  }
  for (const { record } of late) {
    for (const [day, part] of sharesOf(record, zone)) add(day, LATE_DECLARED, part, false);
  }
  return [...found].sort((one, other) => one[0] - other[0]).map(([day, total]) => ({ day, ...total }));
}

function noTime() {
  return new Map([...CLASS_NAMES.keys()].map((kind) => [kind, 0]));
}

// Add up the days of each week, Monday to Sunday; what is billed is the view of these days alone.
function weeksOf(terms, days) {
  const weeks = new Map();
  for (const one of days) {
    const monday = mondayOf(one.day);
    if (!weeks.has(monday)) weeks.set(monday, []);
    weeks.get(monday).push(one);
  }
  return [...weeks].map(([monday, own]) => {
    const worked = noTime();
    for (const one of own) for (const [kind, ms] of one.worked) worked.set(kind, worked.get(kind) + ms);
    return { day: monday, worked, offlineMs: own.reduce((sum, one) => sum + one.offlineMs, 0), billed: billedOf(terms, own) };
  });
}

// Give the recorded time of a day or of a week; late-declared time stands beside it.
export function recordedOf({ worked }) {
  return [...worked].reduce((sum, [kind, ms]) => (kind === LATE_DECLARED ? sum : sum + ms), 0);
}

// Give the class of the worked time that a record adds, or null: most records add none.
export function workClassOf(record) {
  if (record.kind === "segment") return record.state;
  return record.kind === "declaration" && record.form === LATE_FORM ? LATE_DECLARED : null;
}

// Divide a span's worked time among its days, so that the parts add up to the whole.
export function sharesOf({ begin, end, worked }, zone) {
  if (begin === end) return [[zone.dayOf(begin).day, worked]];
  const shares = [];
  let given = 0;
  for (let at = begin; at < end; ) {
    const { day, until } = zone.dayOf(at);
    const stop = Math.min(until, end);
    const share = Number((BigInt(worked) * BigInt(stop - begin)) / BigInt(end - begin));
    shares.push([day, share - given]);
    given = share;
    at = stop;
  }
  return shares;
}

// Weigh each day by the worth of its classes, round it as the terms say, and add up.
export function billedOf(terms, days) {
  const grid = BigInt(terms.roundingMs || 1);
  const mode = terms.roundingMs ? terms.roundingMode : DOWN;
  let ms = 0n;
  for (const day of days) {
    let hundredths = 0n;
    for (const [kind, worked] of day.worked) hundredths += BigInt(worked) * BigInt(terms.worthPercent.get(kind));
    ms += roundedTo(hundredths, grid * 100n, mode) * grid;
  }
  const amount = roundedTo(ms * BigInt(terms.rateMinorPerHour), RATE_UNIT_MS, NEAREST);
  return { ms, amount, currency: terms.currency };
}

function roundedTo(value, unit, mode) {
  if (mode === DOWN) return value / unit;
  if (mode === UP) return (value + unit - 1n) / unit;
  return (2n * value + unit) / (2n * unit);
}

function withdrawnLimit(terms, captured, thinned) {
  if (thinned * 100 <= captured * terms.maxWithdrawnPercent) return [];
  // Rounded up: what is shown as exceeded is never shown as equal to the limit.
  const found = Math.ceil((thinned * 100) / Math.max(captured, 1));
  return [{ limit: "withdrawn percent", allowed: terms.maxWithdrawnPercent, found, week: null }];
}

function weeklyLimits(terms, weeks) {
  const passed = [];
  for (const { day, worked: classes, offlineMs: offline } of weeks) {
    const week = dayText(day);
    const worked = [...classes.values()].reduce((sum, ms) => sum + ms, 0);
    if (offline > terms.maxOfflineMsPerWeek) {
      passed.push({ limit: "offline ms per week", allowed: terms.maxOfflineMsPerWeek, found: offline, week });
    }
    if (terms.weeklyCapMs && worked > terms.weeklyCapMs) {
      passed.push({ limit: "worked ms per week", allowed: terms.weeklyCapMs, found: worked, week });
    }
  }
  return passed;
}
