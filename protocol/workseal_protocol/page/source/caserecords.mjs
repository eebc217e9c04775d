// Records of a case: its filing, its acts, and the place that a statement has in it
// (docs/spec/acts.md).
//
// Rule: an act has the keys of its row, no more. What is allowed when is no matter of a record.

import { MAX_INTEGER, isInteger } from "./cbor.mjs";
import { MAX_DAY, MAX_TIME, ascends, digest, digests, head, refuse, tableOf, uintPart } from "./recordparts.mjs";
import { CALENDAR_FORM, ZONE_FORM } from "./terms.mjs";

const MAX_WORDS = 4000;
const MAX_CITES = 64;
const MAX_LEVEL = 4;
const MAX_FRAMES = 100000;
const MAX_STRATA = 400;
const MAX_DUE_DAYS = 99;
const MAX_SOURCE = 64;
const MAX_DAYS_OFF = 10;
const MAX_OFFSET = 960;
const MAX_CLAIM = 7;
const HPKE_KEY_BYTES = 1216;

// The keys that an act must have, those that it may have, and the greatest of its codes.
const FORMS = [
  [], // acts begin with 1
  [[12], [], 2], [[11], [22]], [[], []], [[11, 21], []], [[13], []], [[], [11]], [[], []], [[18, 19, 23], []],
  [[11], [22, 25]], [[11], []], [[], [11]], [[], []], [[11, 14, 15, 16, 17, 24], [20]], [[11, 12], [], 11],
  [[11, 12], [15], 3], [[18], []], [[18], []], [[18, 19], []], [[], []], [[18], []], [[11, 12], [], 7],
  [[11], [18]], [[11], []], [[11, 12, 13, 21], [], 3], [[11, 12, 13, 21], [], 3], [[11], []],
  [[11, 12, 17], [], 5], [[], [11]], [[], [11]], [[11, 13], []], [[16, 17], []], [[], []],
  [[11, 13], []],
];

const words = (fields, key, name) => fields.text(key, name, MAX_WORDS, 1);
const BODY = new Map([
  [11, (fields) => ["text", words(fields, 11, "text")]],
  [12, (fields, codes) => ["code", fields.uint(12, "code", codes, 1)]],
  [13, (fields) => ["cites", digests(fields, 13, "cites", MAX_CITES)]],
  [14, (fields) => ["level", fields.uint(14, "level", MAX_LEVEL, 1)]],
  [15, (fields) => ["count", fields.uint(15, "count", MAX_FRAMES, 1)]],
  [16, (fields) => ["begin", fields.uint(16, "begin", MAX_TIME)]],
  [17, (fields) => ["end", fields.uint(17, "end", MAX_TIME)]],
  [18, (fields) => ["value", fields.exactly(18, "value", 32)]],
  [19, (fields) => ["round", fields.uint(19, "round", MAX_INTEGER)]],
  [20, (fields) => ["freeze", readFreeze(fields.fields(20, "freeze"))]],
  [21, (fields) => ["amount", fields.uint(21, "amount", MAX_INTEGER)]],
  [22, (fields) => ["calendar", readCalendar(fields.fields(22, "calendar"))]],
  [23, (fields) => ["person", digest(fields, 23, "person")]],
  [24, (fields) => ["reason", words(fields, 24, "why")]],
  [25, (fields) => ["sealingKey", fields.exactly(25, "sealing key", HPKE_KEY_BYTES)]],
]);

export function readFiling(fields) {
  const record = {
    ...head(fields), due: readDue(fields.fields(9, "due")), claim: fields.uint(10, "claim", MAX_CLAIM, 1),
    text: words(fields, 11, "text"),
    segments: fields.optional(13, () => digests(fields, 13, "segments", MAX_CITES)) ?? [],
    begin: fields.uint(16, "begin", MAX_TIME), end: fields.uint(17, "end", MAX_TIME),
    amount: fields.uint(21, "amount"),
    calendar: fields.optional(22, () => readCalendar(fields.fields(22, "calendar"))),
  };
  checkPeriod(record);
  return record;
}

export function readAct(fields) {
  const record = { ...head(fields), act: fields.uint(10, "act", FORMS.length - 1, 1) };
  record.place = placeIn(fields);
  const [needed, allowed, codes] = FORMS[record.act];
  for (const key of [...needed, ...allowed.filter((each) => fields.has(each))]) {
    const [name, value] = BODY.get(key)(fields, codes);
    record[name] = value;
  }
  if (record.begin !== undefined && record.end !== undefined) checkPeriod(record);
  return record;
}

// Take the place in a case of a statement that may stand alone; then 4 and 9 are unknown keys.
export function readPlace(fields) {
  return fields.has(8) ? placeIn(fields) : null;
}

function placeIn(fields) {
  return {
    inCase: digest(fields, 8, "case"), prev: digest(fields, 4, "prev"),
    due: fields.optional(9, () => readDue(fields.fields(9, "due"))),
  };
}

function checkPeriod({ begin, end }) {
  if (end <= begin) refuse("the period ends before it begins");
}

function readDue(fields) {
  const due = {
    until: fields.uint(1, "until", MAX_TIME), days: fields.uint(2, "days", MAX_DUE_DAYS, 1),
    ...workingWeek(fields, 3, 5, 7), source: fields.text(4, "source", MAX_SOURCE, 1),
    offset: fields.integer(6, "offset", -MAX_OFFSET, MAX_OFFSET),
  };
  fields.close();
  return due;
}

function readCalendar(fields) {
  const calendar = { ...workingWeek(fields, 1, 2, 3), daysOff: fields.array(4, "days off", 0, MAX_DAYS_OFF) };
  fields.close();
  const { daysOff } = calendar;
  if (!daysOff.every((day) => isInteger(day) && day >= 0 && day <= MAX_DAY) || !ascends(daysOff)) {
    refuse("days off: expected numbers of days in ascending order, each once");
  }
  return calendar;
}

function workingWeek(fields, nameKey, zoneKey, weekendKey) {
  const name = fields.text(nameKey, "calendar", 6);
  const zone = fields.text(zoneKey, "zone", 64);
  const weekend = fields.uint(weekendKey, "weekend", 127);
  if (!CALENDAR_FORM.test(name)) refuse("calendar: expected two capital letters and maybe a subdivision");
  if (!ZONE_FORM.test(zone)) refuse("zone: expected the name of a time zone");
  // Two or three days: with one, a week would have six working days.
  const off = weekend.toString(2).replaceAll("0", "").length;
  if (off !== 2 && off !== 3) refuse("weekend: expected two or three days of the week");
  return { name, zone, weekend };
}

function readFreeze(fields) {
  const freeze = {
    root: digest(fields, 1, "root"),
    strata: tableOf(fields, 2, "strata", 1, MAX_STRATA, [uintPart, uintPart, uintPart]),
  };
  fields.close();
  let frames = 0;
  for (const [holding, day, count] of freeze.strata) {
    if (holding > 1 || day > MAX_DAY || count < 1) refuse("strata: a row out of its bounds");
    frames += count;
  }
  const places = freeze.strata.map(([holding, day]) => holding * (MAX_DAY + 1) + day);
  if (!ascends(places)) refuse("strata: expected them in order, each once");
  if (frames > MAX_FRAMES) refuse(`frames: expected 1 to ${MAX_FRAMES}, found ${frames}`);
  return freeze;
}
