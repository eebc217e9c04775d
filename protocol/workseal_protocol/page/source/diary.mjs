// What happened in every minute: contiguous spans from the first recorded moment to the last
// (docs/spec/totals.md, "Diary").

import { LATE_FORM, OFF_SCREEN, SEALED } from "./records.mjs";
import { CLASS_NAMES } from "./terms.mjs";
import { DECLARED, LATE, OFFLINE, ONLINE } from "./windows.mjs";

const REASONS = new Map([
  [ONLINE, "recorded, and proved within a minute"],
  [LATE, "recorded, and proved later than a minute afterwards"],
  [OFFLINE, "recorded without a value of the verifier"],
  [DECLARED, "declared off-screen at the time"],
]);
const PAUSED_REASON = "nothing was recorded: paused, suspended or stopped within a session";
const NO_SESSION_REASON = "nothing was recorded: no session was open";

// Fold verified entries into the diary; empty when no time was recorded or declared.
export function diaryOf(entries) {
  const segments = entries.filter(({ record }) => record.kind === "segment");
  const declarations = entries.map(({ record }) => record).filter(({ kind }) => kind === "declaration");
  const live = declarations.filter(({ form }) => form !== LATE_FORM);
  const late = declarations.filter(({ form }) => form === LATE_FORM);
  const spans = [...recordedSpans(segments, live), ...late.map(lateSpan)];
  spans.sort((one, other) => one.begin - other.begin || one.end - other.end);
  return joinedSpans(filledSpans(spans.filter(({ begin, end }) => begin < end)));
}

function recordedSpans(segments, live) {
  const waiting = [...live].sort((one, other) => one.begin - other.begin);
  let [place, describedUntil] = [0, -1];
  return segments.map(({ record, grade }) => {
    while (place < waiting.length && waiting[place].begin < record.end) {
      describedUntil = Math.max(describedUntil, waiting[place++].end);
    }
    let reason = REASONS.get(grade);
    if (record.state === SEALED) reason += ", without images by the freelancer's choice";
    if (record.state === OFF_SCREEN && describedUntil > record.begin) reason += ", with a description";
    const { begin, end, worked, session } = record;
    return { begin, end, state: CLASS_NAMES.get(record.state), reason, worked, grade, session };
  });
}

function lateSpan({ begin, end, worked }) {
  return { begin, end, state: "late-declared", reason: "declared afterwards", worked, grade: DECLARED, session: null };
}

// Fill the gaps: one is a pause when the same session goes on after it.
function filledSpans(spans) {
  const following = new Array(spans.length);
  let session = null;
  for (let at = spans.length - 1; at >= 0; at--) {
    session = spans[at].session ?? session;
    following[at] = session;
  }
  const filled = [];
  let [before, end] = [null, null];
  for (const [at, span] of spans.entries()) {
    if (end !== null && end < span.begin) {
      const paused = before !== null && before === following[at];
      filled.push({
        begin: end, end: span.begin, state: paused ? "paused" : "no session",
        reason: paused ? PAUSED_REASON : NO_SESSION_REASON, worked: 0, grade: null, session: paused ? before : null,
      });
    }
    filled.push(span);
    before = span.session ?? before;
    end = span.end;
  }
  return filled;
}

function joinedSpans(spans) {
  const whole = [];
  for (const span of spans) {
    const last = whole[whole.length - 1];
    const alike = last !== undefined && ["state", "reason", "grade", "session"].every((name) => last[name] === span[name]);
    if (alike) extend(last, span);
    else whole.push({ ...span, course: [[span.begin, 0], [span.end, span.worked]], steady: isSteady(span) });
  }
  return whole;
}

// A machine that never slept needs no turn in the course: one line from begin to end says it.
function extend(last, span) {
  const steady = isSteady(span);
  if (last.steady && steady) last.course.pop();
  last.end = span.end;
  last.worked += span.worked;
  last.course.push([last.end, last.worked]);
  last.steady = steady;
}

function isSteady({ begin, end, worked }) {
  return worked === end - begin;
}

// Cut the spans with worked time at the midnights of a zone, so that they add up to its days; a
// span without any stays whole.
export function cutSpans(diary, zone) {
  return diary.flatMap((span) => {
    if (span.worked === 0) return [span];
    return [...zone.cut(span.begin, span.end)].map(([begin, end]) => ({
      ...span, begin, end, worked: workedBy(span, end) - workedBy(span, begin),
    }));
  });
}

// Give how much of a span was worked by an instant: as the totals divide each record, and by itself.
function workedBy({ course }, instant) {
  let [low, high] = [1, course.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (course[middle][0] > instant) high = middle;
    else low = middle + 1;
  }
  const [[since, before], [until, after]] = [course[low - 1], course[low]];
  return before + Number((BigInt(after - before) * BigInt(instant - since)) / BigInt(until - since));
}
