// What a client accepted already: the days of timesheets that count, and of those left behind
// (docs/spec/timesheets.md).

import { ACCEPTED } from "./sheetrecords.mjs";

// Accepted timesheets that are told of one day; who makes a bundle does not choose a reader's work.
const MOST_OF_A_DAY = 3;
// Days of one timesheet that are told to have changed.
const MOST_CHANGED = 7;

// Find, for all timesheets of an engagement in log order, what was accepted beside each.
export function acceptancesOf(timesheets) {
  const newest = new Map();
  for (const one of [...timesheets].reverse()) {
    // What replaces a timesheet stands after it.
    newest.set(one.digest, one.replacedBy === null ? one : (newest.get(one.replacedBy) ?? one));
  }
  const accepted = timesheets.filter((one) => lastAnswer(one)?.record.answer === ACCEPTED);
  const { counting, again } = heldDays(accepted, newest);
  const holders = holdersOf(accepted, counting);
  return new Map(timesheets.map((one) => [one.digest, {
    elsewhere: elsewhereOf(one, holders, counting),
    counting: [...(counting.get(one.digest) ?? [])],
    leftBehind: one.replacedBy === null ? [] : [...(counting.get(one.digest) ?? [])],
    acceptedAgain: again.get(one.digest) ?? [],
  }]));
}

// Find, for each accepted timesheet, its days of which the record says something else by now. Rows
// are those of timesheets; a day that counts in none was accepted as without work by those that are
// about it and have no row of it.
export function changedDays(timesheets, acceptances, recorded) {
  const holders = new Map(timesheets.flatMap(({ digest }) => acceptances.get(digest).counting.map((day) => [day, digest])));
  const known = new Map(recorded.map((row) => [row[0], row]));
  const loose = recorded.map(([day]) => day).filter((day) => !holders.has(day));
  const accepted = timesheets.filter((one) => lastAnswer(one)?.record.answer === ACCEPTED);
  return new Map(accepted.map((one) => [one.digest, changedOf(one, holders, known, loose)]));
}

function changedOf({ digest, record, replacedBy }, holders, known, loose) {
  const own = record.days
    .filter((row) => holders.get(row[0]) === digest && String(known.get(row[0]) ?? row) !== String(row))
    .map((row) => ({ accepted: row, recorded: known.get(row[0]) }));
  const [low, high] = replacedBy === null ? [countBelow(loose, record.first), countBelow(loose, record.last + 1)] : [0, 0];
  // Whoever signs many timesheets of all days does not choose a reader's work.
  const added = loose.slice(low, Math.min(high, low + MOST_CHANGED)).map((day) => ({ accepted: null, recorded: known.get(day) }));
  const told = [...own.slice(0, MOST_CHANGED), ...added].sort((a, b) => a.recorded[0] - b.recorded[0]).slice(0, MOST_CHANGED);
  return { told, more: own.length + high - low - told.length };
}

// Count the days before one, of days in order.
function countBelow(days, wanted) {
  let [low, high] = [0, days.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (days[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastAnswer({ answers }) {
  return answers[answers.length - 1];
}

// Give of accepted timesheets the days that count, and those that were accepted again: of a day the
// last acceptance holds.
function heldDays(accepted, newest) {
  const [counting, again, taken] = [new Map(), new Map(), new Set()];
  for (const one of [...accepted].sort((a, b) => lastAnswer(b).index - lastAnswer(a).index)) {
    const { digest } = one;
    const kept = notReplaced(one, newest.get(digest));
    counting.set(digest, new Set(kept.filter((day) => !taken.has(day))));
    again.set(digest, kept.filter((day) => taken.has(day)));
    for (const day of daysAmong(one)) taken.add(day);
  }
  return { counting, again };
}

function notReplaced(one, newest) {
  const { first, last } = newest.record;
  return daysAmong(one).filter((day) => newest === one || day < first || last < day);
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
