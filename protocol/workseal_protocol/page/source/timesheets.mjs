// Whether a timesheet says what its statements say, and what was answered: a pure fold
// (docs/spec/timesheets.md).

import { CHAINED } from "./statement.mjs";
import { CLASS_NAMES } from "./terms.mjs";
import { billedOf, sharesOf, workClassOf } from "./totals.mjs";

export const AGREES = "agrees with the record";
export const DIFFERS = "differs from the record";
export const UNCHECKED = "not checked";
// Whoever makes a bundle does not choose how long a reader works: more than these are not checked.
const MAX_CHECKED = 500;

// Find every timesheet among verified entries, in log order, and check it.
export async function timesheetsOf(terms, entries, zone, turns) {
  const sheets = entries.filter(({ record }) => record.kind === "timesheet");
  if (sheets.length === 0) return [];
  const known = zone.name === terms.zone;
  const sums = known ? await sumsOf(terms, entries, zone, sheets.slice(0, MAX_CHECKED), turns) : new Map();
  const places = new Map(entries.map(({ digest, index }) => [digest, index]));
  const stands = (named, index) => (places.get(named) ?? index) < index;
  const answers = answersOf(entries, stands);
  const successors = successorsOf(sheets);
  const overlaps = overlapsOf(sheets.filter(({ digest }) => !successors.has(digest)));
  return sheets.map(({ index, digest, record }, place) => {
    let found;
    if (!known) found = [UNCHECKED, `this machine does not know ${terms.zone}`];
    else if (place >= MAX_CHECKED) found = [UNCHECKED, `it is not among the first ${MAX_CHECKED}`];
    else found = judged(record, index, places, sums);
    const [agreement, why] = found;
    return { digest, record, agreement, why, answers: answers.get(digest) ?? [], replacedBy: successors.get(digest) ?? null,
      overlaps: overlaps.get(digest) ?? null };
  });
}

// Find by what each timesheet was replaced: by a later one with which it shares a day.
function successorsOf(sheets) {
  const known = new Map();
  const found = new Map();
  for (const { digest, record } of sheets) {
    const earlier = known.get(record.replaces);
    if (earlier !== undefined && earlier.first <= record.last && record.first <= earlier.last) found.set(record.replaces, digest);
    known.set(digest, record);
  }
  return found;
}

// Find for each timesheet the first other one with hours on a day that both have.
function overlapsOf(sheets) {
  const holders = new Map();
  sheets.forEach(({ record }, place) => {
    for (const [day] of record.days) {
      if (!holders.has(day)) holders.set(day, []);
      // The first two of a day are enough: one of them is another one.
      if (holders.get(day).length < 2) holders.get(day).push(place);
    }
  });
  const found = new Map();
  sheets.forEach(({ digest, record }, place) => {
    let first = sheets.length;
    for (const [day] of record.days) for (const one of holders.get(day)) if (one !== place && one < first) first = one;
    if (first < sheets.length) found.set(digest, sheets[first].digest);
  });
  return found;
}

// Give the answers to each timesheet that stands before them, in log order.
function answersOf(entries, stands) {
  const answers = new Map();
  for (const { index, digest, record } of entries) {
    if (record.kind !== "timesheet.answer" || !stands(record.timesheet, index)) continue;
    if (!answers.has(record.timesheet)) answers.set(record.timesheet, []);
    answers.get(record.timesheet).push({ index, digest, record });
  }
  return answers;
}

function wishOf({ head, first, last }) {
  return `${head} ${first} ${last}`;
}

function judged(record, index, places, sums) {
  const found = sums.get(wishOf(record));
  if (found === undefined) return [UNCHECKED, "the statement that it counts up to is not in the chain here"];
  if (places.get(record.head) > index) return [DIFFERS, "it counts up to a statement that came after it"];
  const sameDays = found.days.length === record.days.length
    && found.days.every((row, at) => row.every((number, place) => number === record.days[at][place]));
  if (!sameDays) return [DIFFERS, "its days are not those of the chain"];
  const { ms, amount } = found.billed;
  if (ms !== BigInt(record.billedMs) || amount !== BigInt(record.amount)) {
    return [DIFFERS, "its days cost something else by the terms"];
  }
  return [AGREES, ""];
}

// Fold the chain once, and look at the days of each timesheet where its head stands.
async function sumsOf(terms, entries, zone, sheets, turns) {
  const wishes = new Map();
  for (const { record } of sheets) {
    if (!wishes.has(record.head)) wishes.set(record.head, new Map());
    wishes.get(record.head).set(wishOf(record), record);
  }
  const worked = new Map();
  const found = new Map();
  for (const { digest, record } of entries) {
    if (!CHAINED.has(record.kind)) continue;
    addShares(worked, record, zone);
    for (const [wish, { first, last }] of wishes.get(digest) ?? []) {
      await turns.next();
      found.set(wish, sumsAmong(terms, worked, first, last));
    }
  }
  return found;
}

function addShares(worked, record, zone) {
  const kind = workClassOf(record);
  if (kind === null) return;
  for (const [day, part] of sharesOf(record, zone)) {
    if (!worked.has(day)) worked.set(day, new Map([...CLASS_NAMES.keys()].map((each) => [each, 0])));
    worked.get(day).set(kind, worked.get(day).get(kind) + part);
  }
}

function sumsAmong(terms, worked, first, last) {
  const days = [];
  for (let day = first; day <= last; day++) {
    const classes = worked.get(day);
    if (classes !== undefined && [...classes.values()].some((ms) => ms > 0)) days.push({ day, worked: classes });
  }
  return { days: days.map(({ day, worked: classes }) => [day, ...classes.values()]), billed: billedOf(terms, days) };
}
