// The report as sections of the page: the same words and figures as `workseal verify`.
//
// Rules: the steps come first, and what is not proven stands beside them; figures are shown only as
// far as the steps that give them held. A state is told in words, never by colour alone.

import { toHex } from "./bytes.mjs";
import { countText, element, instantText, longTable, quoted } from "./elements.mjs";
import { hoursSections } from "./hourstold.mjs";
import { openedValues, windowOf } from "./report.mjs";
import { sheetSections } from "./sheetstold.mjs";
import { FAILS, HOLDS } from "./steps.mjs";
import { independentOf } from "./unproven.mjs";

const WEEKS_NAMED = 12;
const MARKS = new Map([[HOLDS, "\u2713"], [FAILS, "\u2717"]]);

// Give the sections of a report, in their order; frames come from elsewhere.
export function reportSections(report) {
  return [
    verdictOf(report),
    element("div", { class: "beside" }, stepsOf(report), unprovenOf(report)),
    ...factsOf(report), ...hoursSections(report), ...sheetSections(report),
    ...possessionSections(report), ...openedSections(report),
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

function possessionSections({ found }) {
  const { findings, missed } = found.possessions;
  if (findings.length === 0 && missed.length === 0) return [];
  const rows = findings.map(({ digest, record, week, shown, lost, why }) => [
    digest.slice(0, 12), String(week), why === "" ? String(record.count) : "", why === "" ? `${shown} of ${shown + lost}` : "", lost > 0 ? String(lost) : "",
    why === "" ? "holds" : quoted(`DOES NOT HOLD: ${why}`),
  ]);
  const parts = [element("h2", { id: "possession" }, "Frames still held, by blocks of ciphertext that nobody chose"),
    element("p", {}, "No hour depends on this. Not proven by it: that ciphertext opens to what was recorded, nor that a frame was whole before its week was committed to.")];
  if (rows.length > 0) parts.push(...longTable("Statements of possession", ["Statement", "Week", "Committed to", "Shown of drawn", "Lost", "Found"], rows));
  if (missed.length > 0) {
    const named = missed.slice(0, WEEKS_NAMED).join(", ");
    const more = missed.length > WEEKS_NAMED ? ` and ${missed.length - WEEKS_NAMED} more` : "";
    parts.push(element("p", {}, `No statement in ${missed.length === 1 ? "week" : "weeks"} ${named}${more}, in which work was recorded.`));
  }
  return [element("section", { "aria-labelledby": "possession" }, parts)];
}

function openedSections(report) {
  const opened = openedValues(report);
  if (opened.length === 0) return [];
  const { zone } = report.found;
  const rowOf = ({ statement: _, kind, existedBy, ...value }) => [
    existedBy === null ? "nothing says since when" : instantText(existedBy), kind, quoted(openedTextOf(value, zone)),
  ];
  return [element("section", { "aria-labelledby": "opened" },
    element("h2", { id: "opened" }, "Opened by the freelancer, whose words these are"),
    ...longTable("Opened values", ["Existed by", "Kind", "Value"], opened, rowOf))];
}

function openedTextOf(value, zone) {
  switch (value.form) {
    case "git-commit":
      return `commit ${value.commit} of ${value.name}, dated ${instantText(value.committed_ms)} by itself`;
    case "file":
      return `file ${value.name}, ${countText(value.bytes, "byte")}, SHA-256 ${value.digest}`;
    case "label":
      return `${zone.instantText(value.begin_ms)} to ${zone.instantText(value.end_ms)} was for ${value.project}${value.tags.map((tag) => ` #${tag}`).join("")}`;
    default:
      return value.text ?? `a file with the digest ${value.digest}`;
  }
}
