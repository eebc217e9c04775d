// Records of agreement on hours: what a freelancer sums up, and what the client says to it
// (docs/spec/records.md, "Hours").

import { MAX_DAY, ascends, digest, head, optionalDigest, refuse, tableOf, uintPart } from "./recordparts.mjs";

export const ACCEPTED = 1;
export const QUESTION = 2;
export const OBJECTION = 3;
export const ANSWER_NAMES = new Map([[ACCEPTED, "accepted"], [QUESTION, "question"], [OBJECTION, "objection"]]);
const MAX_SHEET_DAYS = 400;
const MAX_SHEET_TEXT = 500;

export function readTimesheet(fields) {
  const record = {
    ...head(fields), first: fields.uint(10, "first", MAX_DAY), last: fields.uint(11, "last", MAX_DAY),
    head: digest(fields, 12, "head"),
    days: tableOf(fields, 13, "days", 0, MAX_SHEET_DAYS, [uintPart, uintPart, uintPart, uintPart, uintPart]),
    billedMs: fields.uint(14, "billed"), amount: fields.uint(15, "amount"),
    replaces: optionalDigest(fields, 16, "replaces"),
  };
  const { first, last, days } = record;
  if (first > last || last - first >= MAX_SHEET_DAYS) refuse(`timesheet: expected 1 to ${MAX_SHEET_DAYS} days`);
  if (days.some(([, ...worked]) => worked.every((ms) => ms === 0))) {
    refuse("timesheet: a day without hours has no row");
  }
  const numbers = days.map(([day]) => day);
  if (!ascends(numbers) || numbers.some((day) => day < first || day > last)) {
    refuse("timesheet: the rows are not days of the timesheet, each once and in order");
  }
  return record;
}

export function readAnswer(fields) {
  const record = {
    ...head(fields), timesheet: digest(fields, 10, "timesheet"),
    answer: fields.uint(11, "answer", OBJECTION, ACCEPTED),
    text: fields.optional(12, () => fields.text(12, "text", MAX_SHEET_TEXT, 1)),
  };
  if (record.text === null && record.answer !== ACCEPTED) {
    refuse("timesheet.answer: a question or an objection has words");
  }
  return record;
}
