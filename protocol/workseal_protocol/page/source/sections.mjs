// The report as sections of the page: the same words and figures as `workseal verify`.
//
// Rules: the steps come first, and what is not proven stands beside them; figures are shown only as
// far as the steps that give them held. A state is told in words, never by colour alone.

import { toHex } from "./bytes.mjs";
import { countText, element, instantText, plain, quoted, table } from "./elements.mjs";
import { sumsOfNames } from "./labels.mjs";
import { openedValues, windowOf } from "./report.mjs";
import { ACCEPTED, OBJECTION, QUESTION } from "./sheetrecords.mjs";
import { FAILS, HOLDS } from "./steps.mjs";
import { BY_DAY, CLASS_NAMES, amountText } from "./terms.mjs";
import { hoursText, independentOf } from "./unproven.mjs";
import { dayText } from "./zone.mjs";

const SPANS_AT_ONCE = 100;
const SHEETS_AT_ONCE = 100;
const OPENED_AT_ONCE = 100;
const NAMES_AT_ONCE = 100;
const WEEKS_NAMED = 12;
const ANSWERED = new Map([[ACCEPTED, "accepted by the client"], [QUESTION, "the client asks"], [OBJECTION, "the client objects"]]);
const MARKS = new Map([[HOLDS, "\u2713"], [FAILS, "\u2717"]]);

// Give the sections of a report, in their order; frames come from elsewhere.
export function reportSections(report) {
  return [
    verdictOf(report),
    element("div", { class: "beside" }, stepsOf(report), unprovenOf(report)),
    ...factsOf(report), ...totalsSections(report), ...diarySections(report),
    ...activitySections(report), ...labelSections(report), ...sheetSections(report), ...possessionSections(report), ...openedSections(report),
  ];
}

function verdictOf({ holds, malformed, steps }) {
  const problem = steps.find(({ outcome }) => outcome === FAILS) ?? steps.find(({ outcome }) => outcome !== HOLDS);
  const [state, text] = holds
    ? ["good", `HOLDS: all ${steps.length} steps hold under your policy.`]
    : malformed
      ? ["bad", "MALFORMED: this is not a bundle that can be judged."]
      : ["bad", `DOES NOT HOLD: step ${problem.number} (${problem.name}) ${problem.outcome}.`];
  return element("p", { class: `verdict ${state}`, id: "verdict" }, text);
}

function stepsOf({ steps }) {
  const rows = steps.map(({ number, name, outcome, why }) => element("li", { class: outcome.replace(" ", "-"), value: String(number) },
    element("span", { class: "mark", "aria-hidden": "true" }, MARKS.get(outcome) ?? "\u2013"),
    element("span", {}, `${name}: `, element("strong", {}, outcome), why === "" ? "" : element("span", { class: "why" }, " (", quoted(why), ")"))));
  return element("section", { "aria-labelledby": "steps" }, element("h2", { id: "steps" }, "Steps"), element("ol", { class: "steps" }, rows));
}

function unprovenOf({ notProven }) {
  return element("section", { class: "limits", "aria-labelledby": "limits" },
    element("h2", { id: "limits" }, "Not proven, whatever the steps say"),
    element("ul", {}, notProven.map((sentence) => element("li", {}, quoted(sentence)))));
}

function factsOf(report) {
  const { found } = report;
  const facts = [];
  if (found.engagement !== null) facts.push(["Engagement", toHex(found.engagement)]);
  if (found.latest !== null) {
    const { checkpoint, cosignatures } = found.latest;
    facts.push(["Log", `${checkpoint.origin}, ${checkpoint.size} entries`]);
    facts.push(["Cosigned by", `${countText(cosignatures.length, "witness", "witnesses")}, ${countText(independentOf(found).length, "independent witness", "independent witnesses")} by your policy`]);
  }
  const window = windowOf(found);
  if (window !== null) {
    facts.push(["Signed not before", boundText(window.lower, window.lowerSource)]);
    facts.push(["All of it existed by", boundText(window.upper, window.upperSource)]);
  }
  if (facts.length === 0) return [];
  const rows = facts.map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, quoted(text))));
  return [element("section", { "aria-labelledby": "window" }, element("h2", { id: "window" }, "Window"), element("dl", {}, rows))];
}

function boundText(bound, source) {
  return `${bound === null ? "nothing bounds it" : instantText(bound)} (${source})`;
}

function totalsSections({ found }) {
  const { totals, terms, zone } = found;
  if (totals === null) return [];
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
  const days = totals.days.map(({ day, worked }) => [
    dayText(day), ...[...CLASS_NAMES.keys()].map((kind) => hoursText(worked.get(kind))),
    hoursText([...worked.values()].reduce((sum, ms) => sum + ms, 0)),
  ]);
  const remark = zone.name === terms.zone ? [] : [element("p", { class: "remark" }, `Note: this browser does not know the zone ${plain(terms.zone)}; days are those of UTC.`)];
  return [element("section", { "aria-labelledby": "totals" }, element("h2", { id: "totals" }, "Totals"), ...remark,
    table("Totals", ["Figure", "Value"], rows),
    table(`Days in ${zone.name}`, ["Day", ...CLASS_NAMES.values(), "together"], days))];
}

function limitText({ limit, allowed, found, week }) {
  // Weekly limits are of time.
  if (week === null) return `${limit}: ${found}, agreed ${allowed}`;
  return `${limit.replace(" ms ", " time ")}: ${hoursText(found)}, agreed ${hoursText(allowed)} in the week of ${week}`;
}

function diarySections({ found }) {
  const { diary, terms } = found;
  if (diary.length === 0) return [];
  const lengths = new Map();
  for (const { begin, end, state } of diary) lengths.set(state, (lengths.get(state) ?? 0) + end - begin);
  const sums = [...lengths].map(([state, ms]) => `${state} ${hoursText(ms)}`).join(", ");
  const parts = [element("h2", { id: "diary" }, "Diary"), element("p", {}, sums)];
  if (terms.granularity === BY_DAY) {
    parts.push(element("p", {}, "The terms show worked time by day: the spans are not listed here."));
  } else {
    const rows = diary.map(({ begin, end, state, worked, reason }) => [instantText(begin), instantText(end), state, worked > 0 ? hoursText(worked) : "", reason]);
    parts.push(...longTable("Spans, in UTC", ["Begin", "End", "State", "Worked", "Reason"], rows, SPANS_AT_ONCE));
  }
  return [element("section", { "aria-labelledby": "diary" }, parts)];
}

function activitySections({ found }) {
  const { activity, zone } = found;
  if (activity.length === 0) return [];
  const byDay = activity[0].day !== null;
  const rows = activity.map((row) => [
    ...(byDay ? [dayText(row.day)] : [instantText(row.begin), instantText(row.end)]),
    hoursText(row.worked), hoursText(row.opened), hoursText(row.observed), hoursText(row.input),
    row.synthetic > 0 ? hoursText(row.synthetic) : "", row.untold > 0 ? hoursText(row.untold) : "",
  ]);
  return [element("section", { "aria-labelledby": "activity" },
    element("h2", { id: "activity" }, "Activity, as far as the freelancer opened it"),
    element("p", {}, "It corroborates; no time depends on it: thinking looks like absence, and a script looks like work."),
    ...longTable(byDay ? `Activity by day in ${zone.name}` : "Activity by stretch, in UTC", [
      ...(byDay ? ["Day"] : ["Begin", "End"]), "Worked", "of it opened", "of that observed", "with input", "some synthetic in", "not told whether in",
    ], rows, SPANS_AT_ONCE))];
}

function labelSections({ found }) {
  const { projects, tags } = found.labelled;
  if (projects.length === 0) return [];
  const tables = (what, named, mark) => longTable(what, ["Name", ...CLASS_NAMES.values(), "together"], nameRows(named, mark), NAMES_AT_ONCE);
  return [element("section", { "aria-labelledby": "labels" },
    element("h2", { id: "labels" }, "By project, in the freelancer's words"),
    ...tables("Projects", projects, ""),
    ...(tags.length === 0 ? [] : tables("Tags; time counts under each of its tags", tags, "#")))];
}

function nameRows(named, mark) {
  return [...sumsOfNames(named)].map(([name, worked]) => [
    name === null ? "(no label)" : quoted(`${mark}${name}`), ...[...worked.values()].map(hoursText),
    hoursText([...worked.values()].reduce((sum, ms) => sum + ms, 0)),
  ]);
}

function sheetSections({ found }) {
  if (found.timesheets.length === 0) return [];
  const rows = found.timesheets.map(({ digest, record, agreement, why, answers, replacedBy, overlaps }) => {
    const late = record.days.reduce((sum, row) => sum + row[4], 0);
    const recorded = record.days.reduce((sum, row) => sum + row[1] + row[2] + row[3], 0);
    return [
      digest.slice(0, 12), `${dayText(record.first)} to ${dayText(record.last)}`, hoursText(recorded),
      late > 0 ? hoursText(late) : "", hoursText(record.billedMs), amountText(record.amount, found.terms.currency),
      why === "" ? agreement : quoted(`${agreement}: ${why}`), answersShown(answers),
      replacedBy === null ? "" : `by ${replacedBy.slice(0, 12)}`,
      overlaps === null ? "" : `with ${overlaps.slice(0, 12)}`,
    ];
  });
  return [element("section", { "aria-labelledby": "timesheets" },
    element("h2", { id: "timesheets" }, "Timesheets, as their maker signed them"),
    ...longTable("Timesheets", ["Timesheet", "Days", "Recorded", "Declared late", "Billed", "Amount", "Compared", "Answer", "Replaced", "Counts twice"], rows, SHEETS_AT_ONCE),
    ...sheetNames(found, "Timesheets by project, in the freelancer's words", ({ projects }) => projects, ""),
    ...sheetNames(found, "Timesheets by tag; time counts under each of its tags", ({ tags }) => tags, "#"))];
}

function sheetNames({ labelledSheets }, what, named, mark) {
  const rows = [...labelledSheets].flatMap(([digest, labelled]) =>
    nameRows(named(labelled), mark).map((row) => [digest.slice(0, 12), ...row]));
  if (rows.length === 0) return [];
  return longTable(what, ["Timesheet", "Name", ...CLASS_NAMES.values(), "together"], rows, NAMES_AT_ONCE);
}

function possessionSections({ found }) {
  const { findings, missed } = found.possessions;
  if (findings.length === 0 && missed.length === 0) return [];
  const rows = findings.map(({ digest, record, week, shown, lost, why }) => [
    digest.slice(0, 12), String(week), why === "" ? String(record.count) : "", why === "" ? `${shown} of ${shown + lost}` : "", lost > 0 ? String(lost) : "",
    why === "" ? "holds" : quoted(`DOES NOT HOLD: ${why}`),
  ]);
  const parts = [element("h2", { id: "possession" }, "Frames still held, by blocks of ciphertext that nobody chose"),
    element("p", {}, "No hour depends on this. Not proven by it: that ciphertext opens to what was recorded, nor that a frame was whole before its week was committed to.")];
  if (rows.length > 0) parts.push(...longTable("Statements of possession", ["Statement", "Week", "Committed to", "Shown of drawn", "Lost", "Found"], rows, SHEETS_AT_ONCE));
  if (missed.length > 0) {
    const named = missed.slice(0, WEEKS_NAMED).join(", ");
    const more = missed.length > WEEKS_NAMED ? ` and ${missed.length - WEEKS_NAMED} more` : "";
    parts.push(element("p", {}, `No statement in ${missed.length === 1 ? "week" : "weeks"} ${named}${more}, in which work was recorded.`));
  }
  return [element("section", { "aria-labelledby": "possession" }, parts)];
}

// Show the answer that counts, the newest one, before the earlier ones.
function answersShown(answers) {
  if (answers.length === 0) return "not answered";
  const sentences = answers.map(({ record }) => `${ANSWERED.get(record.answer)}${record.text === null ? "" : `: ${record.text}`}`);
  return element("div", {}, sentences.reverse().map((sentence, place) =>
    element("p", {}, place === 0 ? "" : "before: ", quoted(sentence))));
}

function openedSections(report) {
  const opened = openedValues(report);
  if (opened.length === 0) return [];
  const rows = opened.map(({ statement: _, kind, existedBy, ...value }) => [
    existedBy === null ? "nothing says since when" : instantText(existedBy), kind, quoted(openedTextOf(value)),
  ]);
  return [element("section", { "aria-labelledby": "opened" },
    element("h2", { id: "opened" }, "Opened by the freelancer, whose words these are"),
    ...longTable("Opened values", ["Existed by", "Kind", "Value"], rows, OPENED_AT_ONCE))];
}

function openedTextOf(value) {
  switch (value.form) {
    case "git-commit":
      return `commit ${value.commit} of ${value.name}, dated ${instantText(value.committed_ms)} by itself`;
    case "file":
      return `file ${value.name}, ${countText(value.bytes, "byte")}, SHA-256 ${value.digest}`;
    case "label":
      return `${instantText(value.begin_ms)} to ${instantText(value.end_ms)} was for ${value.project}${value.tags.map((tag) => ` #${tag}`).join("")}`;
    default:
      return value.text ?? `a file with the digest ${value.digest}`;
  }
}

// Make a table of the first rows, and a button that adds more of them.
function longTable(caption, heads, rows, atOnce) {
  const whole = table(caption, heads, rows.slice(0, atOnce));
  if (rows.length <= atOnce) return [whole];
  let shown = atOnce;
  const more = element("button", { type: "button" });
  const tell = () => {
    more.textContent = `Show more of ${rows.length - shown} rows left`;
    more.hidden = shown >= rows.length;
  };
  more.addEventListener("click", () => {
    const added = table(caption, heads, rows.slice(shown, shown + 10 * atOnce)).querySelector("tbody");
    whole.querySelector("tbody").append(...added.children);
    shown += 10 * atOnce;
    tell();
  });
  tell();
  return [whole, more];
}
