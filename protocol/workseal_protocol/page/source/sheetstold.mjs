// The timesheets of a report as a section: figures, whether they hold, answers, and what the client
// accepted elsewhere.

import { changedDays } from "./accepted.mjs";
import { countText, element, longTable, quoted } from "./elements.mjs";
import { nameRows } from "./hourstold.mjs";
import { ACCEPTED, OBJECTION, QUESTION } from "./sheetrecords.mjs";
import { CLASS_NAMES, amountText } from "./terms.mjs";
import { hoursText } from "./unproven.mjs";
import { dayText } from "./zone.mjs";

const ANSWERED = new Map([[ACCEPTED, "accepted by the client"], [QUESTION, "the client asks"], [OBJECTION, "the client objects"]]);
const DAYS_NAMED = 7;
const UNCHANGED = { told: [], more: 0 };

export function sheetSections({ found }) {
  const { timesheets, terms, acceptances } = found;
  if (timesheets.length === 0) return [];
  const changed = changedIn(found);
  const rowOf = ({ digest, record, agreement, why, answers, replacedBy, overlaps }) => {
    const late = record.days.reduce((sum, row) => sum + row[4], 0);
    const recorded = record.days.reduce((sum, row) => sum + row[1] + row[2] + row[3], 0);
    return [
      digest.slice(0, 12), `${dayText(record.first)} to ${dayText(record.last)}`, hoursText(recorded),
      late > 0 ? hoursText(late) : "", hoursText(record.billedMs), amountText(record.amount, terms.currency),
      why === "" ? agreement : quoted(`${agreement}: ${why}`), answersShown(answers),
      replacedBy === null ? "" : `by ${replacedBy.slice(0, 12)}`,
      overlaps === null ? "" : `with ${overlaps.slice(0, 12)}`,
      paragraphs([...acceptedSentences(acceptances.get(digest)), ...changedSentences(changed.get(digest) ?? UNCHANGED)]),
    ];
  };
  return [element("section", { "aria-labelledby": "timesheets" },
    element("h2", { id: "timesheets" }, "Timesheets, as their maker signed them"),
    ...longTable("Timesheets", ["Timesheet", "Days", "Recorded", "Declared late", "Billed", "Amount", "Compared", "Answer", "Replaced", "Counts twice", "Accepted days"], timesheets, rowOf),
    ...sheetNames(found, "Timesheets by project, in the freelancer's words", ({ projects }) => projects, ""),
    ...sheetNames(found, "Timesheets by tag; time counts under each of its tags", ({ tags }) => tags, "#"))];
}

// Say which days of a timesheet were accepted elsewhere, and which still count in it.
function acceptedSentences({ elsewhere, leftBehind, acceptedAgain }) {
  return [
    ...elsewhere.map(({ sheet, days, counting }) =>
      `ACCEPTED in ${sheet.slice(0, 12)} as well: ${daysText(days)}${counting.length > 0 ? `; and counting there: ${daysText(counting)}` : ""}`),
    ...(leftBehind.length > 0 ? [`STILL COUNTING here, accepted and not among the days of what replaced it: ${daysText(leftBehind)}`] : []),
    ...(acceptedAgain.length > 0 ? [`ACCEPTED AGAIN later in another timesheet, and so not counting here: ${daysText(acceptedAgain)}`] : []),
  ];
}

// In another zone than that of the terms these are other days.
function changedIn({ timesheets, terms, acceptances, totals, zone }) {
  if (totals === null || zone.name !== terms.zone) return new Map();
  const recorded = totals.days.map(({ day, worked }) => [day, ...worked.values()]);
  return changedDays(timesheets, acceptances, recorded);
}

function changedSentences({ told, more }) {
  return [
    ...told.map(({ accepted, recorded }) => {
      const [day, , , , late] = recorded;
      const before = accepted === null ? 0 : accepted[4];
      const beside = before === late ? "" : `, and ${hoursText(before)} of ${hoursText(late)} declared late`;
      return `OTHER HOURS by now than were accepted: ${dayText(day)}, ${hoursText(recordedIn(accepted))} of ${hoursText(recordedIn(recorded))}${beside}`;
    }),
    ...(more > 0 ? [`and of ${countText(more, "more day")}`] : []),
  ];
}

function recordedIn(row) {
  return row === null ? 0 : row[1] + row[2] + row[3];
}

function daysText(days) {
  const told = days.slice(0, DAYS_NAMED).map(dayText).join(", ");
  const left = days.length - DAYS_NAMED;
  return left > 0 ? `${told} and ${countText(left, "more day")}` : told;
}

function sheetNames({ labelledSheets }, what, named, mark) {
  const rows = [...labelledSheets].flatMap(([digest, labelled]) =>
    nameRows(named(labelled), mark).map((row) => [digest.slice(0, 12), ...row]));
  if (rows.length === 0) return [];
  return longTable(what, ["Timesheet", "Name", ...CLASS_NAMES.values(), "together"], rows);
}

// Show the answer that counts, the newest one, before the earlier ones.
function answersShown(answers) {
  if (answers.length === 0) return "not answered";
  const sentences = answers.map(({ record }) => `${ANSWERED.get(record.answer)}${record.text === null ? "" : `: ${record.text}`}`).reverse();
  return paragraphs(sentences.map((sentence, place) => (place === 0 ? sentence : `before: ${sentence}`)));
}

function paragraphs(sentences) {
  return sentences.length === 0 ? "" : element("div", {}, sentences.map((sentence) => element("p", {}, quoted(sentence))));
}
