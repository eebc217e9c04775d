// What a bundle does not prove, in sentences: always some, and more where bounds are weak.

import { FRAMES_LEVEL } from "./terms.mjs";
import { LATE_FORM } from "./records.mjs";
import { DECLARED, LATE, OFFLINE, isSeenInTime } from "./windows.mjs";

const ALWAYS = [
  "It is not proven that the screen was not staged: the agent's machine is the freelancer's.",
  "It is not proven who sat at the machine, nor that a person was thinking.",
  "The bounds are those of signatures: pixels may be older than the commitment to them.",
  "Whether statements were made after the last one in this bundle, the bundle does not tell.",
  "Whoever made the bundle chose what stands in it: statements on keys and disputes, and a client's answers, may be left out, and another chain of the same engagement would not show.",
];
const FAILED = "A step that fails or was not reached proves nothing of what it stands for.";
const LEAD_DAY_MS = 86400000n;
const LEAD_HOUR_MS = 3600000n;

// Write the sentences that go with a report.
export function notProven(found, holds) {
  return [...ALWAYS, ...aboutWitnesses(found), ...aboutTime(found), ...(holds ? [] : [FAILED])];
}

// Name the cosigners that the caller holds to be independent of the operator.
export function independentOf({ latest, policy }) {
  if (latest === null) return [];
  return latest.cosignatures.map(({ name }) => name).filter((name) => policy.independent.has(name)).sort();
}

function aboutWitnesses(found) {
  if (found.latest === null || independentOf(found).length > 0) return [];
  return ["0 independent witnesses cosigned: that the operator shows everybody the same log rests on the operator's word."];
}

function aboutTime(found) {
  const { entries, terms, zone, totals } = found;
  if (entries.length === 0) return [];
  const told = [];
  if (entries.some(({ window }) => window.upper === null)) {
    told.push("Some statements have no upper bound: neither a witness nor a time-stamp of the policy says by when they existed.");
  }
  if (zone.name !== terms.zone) {
    told.push(`Days, weeks and billing are cut in ${zone.name} here, not in ${terms.zone} as the terms ask: those sums are not the ones that the terms give.`);
  }
  told.push(...aboutAnchors(found), ...aboutStamps(found), ...aboutBeacons(found));
  const early = workedBeforeCommitment(found);
  if (early > 0) {
    told.push(`For ${hoursText(early)} the round began before its session is shown to have been opened: the freelancer could have chosen captures there.`);
  }
  const offline = workedAs(entries, OFFLINE);
  if (offline > 0) {
    told.push(`${hoursText(offline)} were recorded offline: their times are the device's claim within the bounds shown, and the machine's owner could foresee their captures.`);
  }
  const late = workedAs(entries, LATE);
  if (late > 0) {
    told.push(`${hoursText(late)} were proved late: they may have been recorded at any time up to then, with every draw known; the limit on offline time counts them too.`);
  }
  const stepped = totals === null ? 0 : totals.steppedOver;
  if (stepped > 0) {
    told.push(`${stepped} captures were due in gaps of under 5 s between recorded segments of work, or where a new session took the round over: stepping over a capture looks like this.`);
  }
  const declared = workedAs(entries, DECLARED);
  if (declared > 0) told.push(`${hoursText(declared)} are declared: they rest on the freelancer's word.`);
  return told;
}

function aboutAnchors({ entries, checkpoints, terms }) {
  const held = new Set(checkpoints.map(({ checkpoint }) => checkpoint.digest));
  // A segment that was seen in time was not back-dated, whatever its anchor.
  const told = entries.filter(({ record, window }) => record.anchor !== undefined
    && !(record.kind === "segment" && isSeenInTime(record, window.upper, terms.roundMs)));
  const missing = told.filter(({ record }) => !held.has(record.anchor.digest)).length;
  if (missing === 0) return [];
  return [`${missing} of ${told.length} anchors cannot be checked, for their checkpoints are not in the bundle: those statements could have been back-dated as far as the bounds leave room.`];
}

function aboutStamps({ entries, stamps, latest }) {
  if (stamps.size === 0) return [];
  const newest = [...stamps.keys()].reduce((one, other) => (one > other ? one : other));
  const later = entries.filter(({ index }) => index >= newest).length;
  if (later === 0) return [];
  return [`No time-stamp is over the last ${later} statements: the newest one is over size ${newest} of ${latest.checkpoint.size}.`];
}

function aboutBeacons({ entries, beacons, terms }) {
  const uppers = new Map(entries.filter(({ record }) => record.kind === "beacon.commitment").map(({ index, window }) => [index, window.upper]));
  const leads = entries.filter(({ index, record }) => record.kind === "segment" && beacons.has(index)).map(({ index, record }) => {
    const upper = uppers.get(beacons.get(index));
    return upper === null ? null : BigInt(record.round) * BigInt(terms.roundMs) - upper;
  });
  if (leads.some((lead) => lead === null || lead < 0n)) {
    return ["For some rounds it is not shown that the operator committed to its value before the round began: operator and freelancer together could have chosen captures."];
  }
  if (leads.length === 0) return [];
  const least = leads.reduce((one, other) => (one < other ? one : other));
  if (least >= LEAD_DAY_MS) return [];
  return [`The operator committed to its values only ${least / LEAD_HOUR_MS} hours ahead of some rounds.`];
}

// Add up online work in rounds whose agent value may have been made with the round's beacon.
function workedBeforeCommitment({ entries, terms }) {
  if (terms.level !== FRAMES_LEVEL) return 0;
  let opened = null;
  let worked = 0;
  for (const { record, window } of entries) {
    if (record.kind === "session.open") opened = window.upper;
    if (record.kind === "segment" && record.verifierValue !== null) {
      if (opened === null || opened > record.round * terms.roundMs) worked += record.worked;
    }
  }
  return worked;
}

function workedAs(entries, grade) {
  // A live declaration describes time that its segments already count.
  const counts = ({ record }) => record.kind === "segment" || (record.kind === "declaration" && record.form === LATE_FORM);
  return entries.filter((one) => counts(one) && one.grade === grade).reduce((sum, { record }) => sum + record.worked, 0);
}

// Write milliseconds as hours, minutes and seconds with all their digits: sums add up.
export function hoursText(value) {
  const ms = Number(value);
  const seconds = Math.floor(ms / 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)}.${String(ms % 1000).padStart(3, "0")} s`;
}
