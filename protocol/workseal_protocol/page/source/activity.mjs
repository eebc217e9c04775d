// Input that was observed, beside the true time: as far as it was opened, no finer than agreed
// (docs/spec/opened.md). No rate and no score.

import { OPENED_ACTIVITY, readActivity } from "./commitment.mjs";
import { BY_DAY } from "./terms.mjs";
import { sharesOf } from "./totals.mjs";

const ACTIVITY_FIGURES = ["worked", "opened", "observed", "input", "synthetic", "untold"];

// Fold verified entries and verified openings; empty when no activity was opened.
export function activityOf(granularity, entries, openings, zone) {
  const opened = new Map(openings.filter(({ kind }) => kind === OPENED_ACTIVITY)
    .map(({ statement, value }) => [statement, readActivity(value)]));
  if (opened.size === 0) return [];
  const measured = entries.filter(({ record }) => record.kind === "segment" && record.activity !== null)
    .map(({ digest, record }) => ({ session: record.session, begin: record.begin, end: record.end, figures: figuresOf(record, opened.get(digest)) }));
  return granularity === BY_DAY ? activityByDay(measured, zone) : activityByStretch(measured);
}

function figuresOf({ worked }, activity) {
  if (activity === undefined) return { worked, opened: 0, observed: 0, input: 0, synthetic: 0, untold: 0 };
  const { observed, seconds, synthetic } = activity;
  return { worked, opened: worked, observed, input: seconds * 1000, synthetic: synthetic > 0 ? worked : 0, untold: synthetic === null ? worked : 0 };
}

function activityByDay(measured, zone) {
  const days = new Map();
  for (const { begin, end, figures } of measured) {
    for (const name of ACTIVITY_FIGURES) {
      // Cut as worked time is, so that the days add up to the totals.
      for (const [day, part] of sharesOf({ begin, end, worked: figures[name] }, zone)) {
        if (!days.has(day)) days.set(day, Object.fromEntries(ACTIVITY_FIGURES.map((each) => [each, 0])));
        days.get(day)[name] += part;
      }
    }
  }
  return [...days].sort((one, other) => one[0] - other[0]).map(([day, figures]) => ({ day, begin: null, end: null, ...figures }));
}

function activityByStretch(measured) {
  const rows = [];
  let session = null;
  for (const { session: here, begin, end, figures } of measured) {
    const last = rows[rows.length - 1];
    if (last !== undefined && here === session && begin === last.end) {
      last.end = end;
      for (const name of ACTIVITY_FIGURES) last[name] += figures[name];
    } else rows.push({ day: null, begin, end, ...figures });
    session = here;
  }
  return rows;
}
