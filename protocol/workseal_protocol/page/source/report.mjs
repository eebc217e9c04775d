// A report as one value, the same as `workseal verify --json` prints; and its sentences.

import { toHex } from "./bytes.mjs";
import { OPENED_ACTIVITY, OPENED_ARTEFACT, OPENED_EVIDENCE, OPENED_NAMES, OPENED_NOTES, openedText, readItemOfEvidence } from "./commitment.mjs";
import { sumsOfNames } from "./labels.mjs";
import { ANSWER_NAMES } from "./sheetrecords.mjs";
import { HOLDS } from "./steps.mjs";
import { CLASS_NAMES, moneySentences } from "./terms.mjs";
import { independentOf } from "./unproven.mjs";
import { dayText } from "./zone.mjs";

// Write a report for a program; times are Unix milliseconds, and text where a number cannot hold them.
export function reportValue(report) {
  const { found, steps, holds, malformed } = report;
  const { latest } = found;
  return {
    holds, malformed,
    steps: steps.map(({ number, name, outcome, why }) => ({ number, name, outcome, why })),
    engagement: found.engagement === null ? null : toHex(found.engagement),
    statements: found.bundle === null ? null : found.bundle.statements.length,
    log: {
      origin: latest === null ? null : latest.checkpoint.origin,
      size: latest === null ? null : exactNumber(latest.checkpoint.size),
      witnesses: latest === null ? [] : latest.cosignatures.map(({ name }) => name),
      independent: independentOf(found),
    },
    window: windowValue(windowOf(found)),
    zone: found.zone.name,
    totals: found.totals === null ? null : totalsValue(found.totals, found.terms),
    diary: found.diary.map(({ begin, end, state, reason, worked, grade }) => ({
      begin_ms: begin, end_ms: end, state, reason, worked_ms: worked, grade,
    })),
    activity: found.activity.map(activityValue),
    labels: labelsValue(found.labelled),
    timesheets: found.timesheets.map((one) => timesheetValue(one, found)),
    possession: {
      statements: found.possessions.findings.map(possessionValue), weeks_without: found.possessions.missed,
    },
    opened: openedValues(report).map(({ statement, kind, existedBy, ...value }) => ({
      statement, kind, existed_by_ms: exactNumber(existedBy), ...value,
    })),
    not_proven: report.notProven,
  };
}

export function exactNumber(value) {
  if (value === null) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

// Give the bounds from the first statement of the chain to the last one, or null.
export function windowOf({ entries }) {
  const windows = entries.filter(({ record }) => record.seq !== undefined).map(({ window }) => window);
  if (windows.length === 0) return null;
  const [first, last] = [windows[0], windows[windows.length - 1]];
  return { lower: first.lower, upper: last.upper, lowerSource: first.lowerSource, upperSource: last.upperSource };
}

function windowValue(window) {
  if (window === null) return null;
  return {
    lower_ms: exactNumber(window.lower), upper_ms: exactNumber(window.upper),
    lower_source: window.lowerSource, upper_source: window.upperSource,
  };
}

function totalsValue(totals, terms) {
  return {
    worked_ms: totals.workedMs, by_state: Object.fromEntries(totals.byState),
    by_grade: Object.fromEntries(totals.byGrade), late_declared_ms: totals.lateDeclaredMs,
    captured: totals.captured, missed: totals.missed, sealed: totals.sealed,
    due_outside: totals.dueOutside, stepped_over: totals.steppedOver, frames: totals.frames,
    withdrawn: totals.withdrawn, expired: totals.expired,
    days: totals.days.map((one) => ({ day: dayText(one.day), ...sumsValue(one) })),
    weeks: totals.weeks.map((one) => ({ week: dayText(one.day), ...sumsValue(one) })),
    billed: {
      ms: exactNumber(totals.billed.ms), amount_minor: exactNumber(totals.billed.amount),
      currency: totals.billed.currency, rules: moneySentences(terms),
    },
    exceeded: totals.exceeded,
  };
}

function sumsValue({ worked, offlineMs, billed }) {
  return {
    worked_ms: classesValue(worked), offline_ms: offlineMs,
    billed_ms: exactNumber(billed.ms), amount_minor: exactNumber(billed.amount),
  };
}

function activityValue({ day, begin, end, worked, opened, observed, input, synthetic, untold }) {
  return {
    day: day === null ? null : dayText(day), begin_ms: begin, end_ms: end, worked_ms: worked, opened_ms: opened,
    observed_ms: observed, input_ms: input, synthetic_ms: synthetic, untold_ms: untold,
  };
}

function labelsValue(labelled) {
  return {
    ...namesValue(labelled),
    days: labelled.projects.map(({ day, name, worked }) => ({ day: dayText(day), project: name, worked_ms: classesValue(worked) })),
  };
}

function namesValue({ projects, tags }) {
  const sums = (rows, what) => [...sumsOfNames(rows)].map(([name, worked]) => ({ [what]: name, worked_ms: classesValue(worked) }));
  return { projects: sums(projects, "project"), tags: sums(tags, "tag") };
}

function classesValue(worked) {
  return Object.fromEntries([...worked].map(([kind, ms]) => [CLASS_NAMES.get(kind), ms]));
}

function timesheetValue({ digest, record, agreement, why, answers, replacedBy, overlaps }, { acceptances, labelledSheets }) {
  const { elsewhere, leftBehind, acceptedAgain } = acceptances.get(digest);
  return {
    timesheet: digest, first: dayText(record.first), last: dayText(record.last),
    billed_ms: record.billedMs, amount_minor: record.amount, agreement, why,
    answers: answers.map((one) => ({
      statement: one.digest, answer: ANSWER_NAMES.get(one.record.answer), text: one.record.text,
    })),
    replaced_by: replacedBy,
    overlaps,
    accepted_elsewhere: elsewhere.map(({ sheet, days, counting }) => ({
      timesheet: sheet, days: days.map(dayText), counting: counting.map(dayText),
    })),
    left_behind: leftBehind.map(dayText),
    accepted_again: acceptedAgain.map(dayText),
    ...namesValue(labelledSheets.get(digest) ?? { projects: [], tags: [] }),
  };
}

function possessionValue({ digest, record, week, shown, lost, why }) {
  return { statement: digest, week, committed: record.count, drawn: record.answers.length, shown, lost, why };
}

// Give what the freelancer opened, once step 12 held: each with the instant by which it existed.
export function openedValues({ found, steps }) {
  if (steps[11].outcome !== HOLDS) return [];
  const bounds = new Map(found.entries.map(({ digest, window }) => [digest, window.upper]));
  return found.bundle.openings
    .filter(({ kind }) => kind !== OPENED_ACTIVITY && kind !== OPENED_NOTES)
    .map((opening) => ({
      statement: opening.statement, kind: OPENED_NAMES.get(opening.kind),
      existedBy: bounds.get(opening.statement) ?? null, ...openedValue(opening),
    }));
}

function openedValue({ kind, value }) {
  if (kind === OPENED_ARTEFACT) return { digest: toHex(value) };
  if (kind !== OPENED_EVIDENCE) return { text: openedText(value) };
  const item = readItemOfEvidence(value);
  switch (item.form) {
    case 1:
      return { form: "git-commit", name: item.name, commit: toHex(item.commit), committed_ms: item.committedMs };
    case 2:
      return { form: "file", name: item.name, digest: item.digest, bytes: item.size };
    case 3:
      return { form: "text", text: item.text };
    default:
      return { form: "label", project: item.project, tags: item.tags, begin_ms: item.begin, end_ms: item.end };
  }
}
