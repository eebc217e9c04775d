// The hours of a report as sections: real and billed time side by side, the diary, and what time
// was for. Times of day are those of the terms' zone, where the browser knows it.

import { cutSpans } from "./diary.mjs";
import { element, longTable, plain, quoted, table } from "./elements.mjs";
import { sumsOfNames } from "./labels.mjs";
import { BY_DAY, CLASS_NAMES, LATE_DECLARED, amountText, moneySentences } from "./terms.mjs";
import { recordedOf } from "./totals.mjs";
import { hoursText } from "./unproven.mjs";
import { dayText } from "./zone.mjs";

const GAPS = new Set(["paused", "no session"]);

export function hoursSections({ found }) {
  if (found.totals === null) return [];
  return [totalsSection(found), billedSection(found), ...diarySections(found), ...activitySections(found), ...labelSections(found)];
}

function totalsSection({ totals }) {
  const rows = [
    ["Worked, recorded", hoursText(totals.workedMs)],
    ...[...totals.byState].filter(([, ms]) => ms > 0).map(([name, ms]) => [`of it ${name}`, hoursText(ms)]),
    ["Declared late", `${hoursText(totals.lateDeclaredMs)} (beside the recorded time)`],
    ["How it is known", [...totals.byGrade].filter(([, ms]) => ms > 0).map(([grade, ms]) => `${grade} ${hoursText(ms)}`).join(", ")],
    ["Captures", `${totals.captured} taken, ${totals.missed} missed, ${totals.sealed} in sealed time, ${totals.dueOutside} due outside recorded work (${totals.steppedOver} stepped over)`],
    ["Frames", `${totals.frames} committed, ${totals.withdrawn} withdrawn${totals.expired > 0 ? ` (${totals.expired} after the days that the terms ask for)` : ""}`],
    ["Billed by the terms", `${hoursText(totals.billed.ms)}, ${amountText(totals.billed.amount, totals.billed.currency)} (a view; the worked time above is the record)`],
    ...totals.exceeded.map((limit) => ["LIMIT PASSED", limitText(limit)]),
  ];
  return element("section", { "aria-labelledby": "totals" }, element("h2", { id: "totals" }, "Totals"),
    table("Figures of all the time", ["Figure", "Value"], rows));
}

function limitText({ limit, allowed, found, week }) {
  // Weekly limits are of time.
  if (week === null) return `${limit}: ${found}, agreed ${allowed}`;
  return `${limit.replace(" ms ", " time ")}: ${hoursText(found)}, agreed ${hoursText(allowed)} in the week of ${week}`;
}

function billedSection({ totals, terms, zone }) {
  const { days, weeks, billed } = totals;
  const worked = new Map([...CLASS_NAMES.keys()].map((kind) => [kind, days.reduce((sum, one) => sum + one.worked.get(kind), 0)]));
  const all = { worked, offlineMs: days.reduce((sum, one) => sum + one.offlineMs, 0), billed };
  const columns = hourColumns(terms, all);
  const heads = columns.map(([head]) => head);
  const row = (name, one) => [name, ...columns.map(([, written]) => written(one))];
  const sums = row("All", all);
  return element("section", { "aria-labelledby": "billed", class: "sums" },
    element("h2", { id: "billed" }, "Real time and billed time"),
    element("ul", { class: "rules" }, moneySentences(terms).map((sentence) => element("li", {}, sentence))),
    ...(terms.rateMinorPerHour > 0 ? [element("p", { class: "hint" }, "Money is rounded once in each row: days and weeks may add up to a little more or less than all of them together.")] : []),
    ...zoneRemark(zone, terms),
    ...longTable(`Weeks, Monday to Sunday, in ${zone.name}, in hours, minutes and seconds`, ["Week of", ...heads], weeks, (one) => row(dayText(one.day), one), sums),
    ...longTable(`Days in ${zone.name}, in hours, minutes and seconds`, ["Day", ...heads], days, (one) => row(dayText(one.day), one), sums));
}

// Give the columns that any of the time has something to say in.
function hourColumns({ rateMinorPerHour }, all) {
  const columns = [["Recorded", (one) => clockText(recordedOf(one))], ["Billed", ({ billed }) => clockText(billed.ms)]];
  if (rateMinorPerHour > 0) columns.push(["Money", ({ billed }) => amountText(billed.amount, billed.currency)]);
  for (const [kind, name] of CLASS_NAMES) {
    if (kind !== LATE_DECLARED && all.worked.get(kind) > 0) columns.push([name, ({ worked }) => clockText(worked.get(kind))]);
  }
  if (all.offlineMs > 0) columns.push(["offline or proved late", ({ offlineMs }) => clockText(offlineMs)]);
  if (all.worked.get(LATE_DECLARED) > 0) columns.push(["Declared late, beside it", ({ worked }) => clockText(worked.get(LATE_DECLARED))]);
  return columns;
}

// Write a length of time as narrow as a cell, with all its digits: hours, minutes and seconds.
function clockText(value) {
  const ms = Number(value);
  const [hours, rest] = [Math.floor(ms / 3600000), ms % 3600000];
  return `${hours}:${new Date(rest).toISOString().slice(14, -1)}`;
}

function zoneRemark(zone, terms) {
  if (zone.name === terms.zone) return [];
  return [element("p", { class: "remark" }, `Note: this browser does not know the zone ${plain(terms.zone)}; days and times are those of UTC.`)];
}

function diarySections({ diary, terms, zone }) {
  if (diary.length === 0) return [];
  const parts = [element("h2", { id: "diary" }, "Diary"), element("p", {}, diarySums(diary))];
  if (terms.granularity === BY_DAY) {
    parts.push(element("p", {}, "The terms show worked time by day: the spans are not listed here."));
  } else {
    const rowOf = ({ begin, end, state, worked, reason }) => [
      momentShown(zone, begin), momentShown(zone, end), state, worked > 0 ? hoursText(worked) : "", reason,
    ];
    parts.push(element("p", { class: "hint" }, `Times are those of ${zone.name}, each with its offset from UTC; worked spans are cut at midnight.`), ...zoneRemark(zone, terms),
      ...longTable(`Spans in ${zone.name}`, ["Begin", "End", "State", "Worked", "Reason"], cutSpans(diary, zone), rowOf));
  }
  return [element("section", { "aria-labelledby": "diary" }, parts)];
}

// What was worked has the figures of the totals; what was not has no other than its length.
function diarySums(diary) {
  const sums = new Map();
  let uncounted = 0;
  for (const { begin, end, state, worked } of diary) {
    const counted = GAPS.has(state) ? end - begin : worked;
    sums.set(state, (sums.get(state) ?? 0) + counted);
    uncounted += end - begin - counted;
  }
  if (uncounted > 0) sums.set("not counted within worked spans", uncounted);
  return [...sums].map(([state, ms]) => `${state} ${hoursText(ms)}`).join(", ");
}

// Show a moment so that a line breaks between its day and its time alone.
function momentShown(zone, instant) {
  const [day, ...time] = zone.instantText(instant).split(" ");
  return element("span", {}, element("span", { class: "figure" }, day), " ", element("span", { class: "figure" }, time.join(" ")));
}

function activitySections({ activity, zone }) {
  if (activity.length === 0) return [];
  const byDay = activity[0].day !== null;
  const rowOf = (row) => [
    ...(byDay ? [dayText(row.day)] : [momentShown(zone, row.begin), momentShown(zone, row.end)]),
    hoursText(row.worked), hoursText(row.opened), hoursText(row.observed), hoursText(row.input),
    row.synthetic > 0 ? hoursText(row.synthetic) : "", row.untold > 0 ? hoursText(row.untold) : "",
  ];
  return [element("section", { "aria-labelledby": "activity" },
    element("h2", { id: "activity" }, "Activity, as far as the freelancer opened it"),
    element("p", {}, "It corroborates; no time depends on it: thinking looks like absence, and a script looks like work."),
    ...longTable(`Activity by ${byDay ? "day" : "stretch"} in ${zone.name}`, [
      ...(byDay ? ["Day"] : ["Begin", "End"]), "Worked", "of it opened", "of that observed", "with input", "some synthetic in", "not told whether in",
    ], activity, rowOf))];
}

function labelSections({ labelled: { projects, tags } }) {
  if (projects.length === 0) return [];
  const tables = (what, named, mark) => longTable(what, ["Name", ...CLASS_NAMES.values(), "together"], nameRows(named, mark));
  return [element("section", { "aria-labelledby": "labels" },
    element("h2", { id: "labels" }, "By project, in the freelancer's words"),
    ...tables("Projects", projects, ""),
    ...(tags.length === 0 ? [] : tables("Tags; time counts under each of its tags", tags, "#")))];
}

// Write the sums of each name as the cells of a row.
export function nameRows(named, mark) {
  return [...sumsOfNames(named)].map(([name, worked]) => [
    name === null ? "(no label)" : quoted(`${mark}${name}`), ...[...worked.values()].map(hoursText),
    hoursText([...worked.values()].reduce((sum, ms) => sum + ms, 0)),
  ]);
}
