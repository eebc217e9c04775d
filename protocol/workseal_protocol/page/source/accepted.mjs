// What a client accepted already: the days of timesheets that count, and of those left behind
// (docs/spec/timesheets.md).

import { ACCEPTED } from "./sheetrecords.mjs";

// Accepted timesheets that are told of one day; who makes a bundle does not choose a reader's work.
const MOST_OF_A_DAY = 3;

// Find, for all timesheets of an engagement in log order, what was accepted beside each.
export function acceptancesOf(timesheets) {
  const newest = new Map();
  for (const one of [...timesheets].reverse()) {
    // What replaces a timesheet stands after it.
    newest.set(one.digest, one.replacedBy === null ? one : (newest.get(one.replacedBy) ?? one));
  }
  const accepted = timesheets.filter(({ answers }) => answers[answers.length - 1]?.record.answer === ACCEPTED);
  const counting = new Map(accepted.map((one) => [one.digest, countingDays(one, newest.get(one.digest))]));
  const holders = holdersOf(accepted, counting);
  return new Map(timesheets.map((one) => [one.digest, {
    elsewhere: elsewhereOf(one, holders, counting),
    leftBehind: one.replacedBy === null ? [] : [...(counting.get(one.digest) ?? [])],
  }]));
}

function countingDays(one, newest) {
  const { first, last } = newest.record;
  return new Set(daysAmong(one).filter((day) => newest === one || day < first || last < day));
}

function daysAmong({ record }) {
  return record.days.map(([day]) => day);
}

// Give the accepted timesheets of each day, as many as are told and the one that asks: first where
// it goes on counting, for that is what may not be accepted again.
function holdersOf(accepted, counting) {
  const [counted, left] = [new Map(), new Map()];
  for (const one of accepted) {
    for (const day of daysAmong(one)) {
      const kept = counting.get(one.digest).has(day) ? counted : left;
      if (!kept.has(day)) kept.set(day, []);
      if (kept.get(day).length <= MOST_OF_A_DAY) kept.get(day).push(one.digest);
    }
  }
  return (day) => [...(counted.get(day) ?? []), ...(left.get(day) ?? [])];
}

function elsewhereOf(one, holders, counting) {
  const found = new Map();
  for (const day of daysAmong(one)) {
    for (const each of holders(day).filter((other) => other !== one.digest).slice(0, MOST_OF_A_DAY)) {
      if (!found.has(each)) found.set(each, []);
      found.get(each).push(day);
    }
  }
  return [...found].map(([sheet, days]) => ({
    sheet, days, counting: days.filter((day) => counting.get(sheet).has(day)),
  }));
}
