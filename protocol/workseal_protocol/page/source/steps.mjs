// The thirteen steps of docs/spec/verification.md, in their order, with what each builds on.

import { Fails, Malformed, NotReached, fromHex, toHex } from "./bytes.mjs";
import { acceptancesOf } from "./accepted.mjs";
import { activityOf } from "./activity.mjs";
import { checkManifest, checkSignatures, checkTerms } from "./agreed.mjs";
import { Beacons } from "./beacons.mjs";
import { readBundle } from "./bundle.mjs";
import { Chain } from "./chain.mjs";
import { diaryOf } from "./diary.mjs";
import { labelledOf, labelledSheets } from "./labels.mjs";
import { leafHash, pathsOf, verifySparse } from "./merkle.mjs";
import { logSigned } from "./note.mjs";
import { checkOpened, named } from "./opened.mjs";
import { verifyCheckpoint } from "./policy.mjs";
import { SeenReceipts, verifyReceipt } from "./receipt.mjs";
import { heldCounts, possessionsOf, provenPossessions } from "./possession.mjs";
import { readRecord } from "./records.mjs";
import { Work, tried } from "./schedule.mjs";
import { Beside, IN_TURN } from "./signatures.mjs";
import { CHAINED, signedBytes } from "./statement.mjs";
import { DIFFERS, timesheetsOf } from "./timesheets.mjs";
import { pemCertificates, trustedAuthorities, verifyToken } from "./timestamp.mjs";
import { totalsOf } from "./totals.mjs";
import { sideBySide } from "./turns.mjs";
import { notProven } from "./unproven.mjs";
import { gradeOf, windowsOf } from "./windows.mjs";
import { zoneNamed } from "./zone.mjs";

export const HOLDS = "holds";
export const FAILS = "fails";
export const NOT_REACHED = "not reached";

// What the steps of one examination know so far.
class Examination {
  constructor(data, policy, turns, signatures) {
    Object.assign(this, { data, policy, turns, signatures });
    this.zone = zoneNamed("UTC");
    this.bundle = null;
    this.items = [];
    this.latest = null;
    this.earlier = [];
    this.terms = null;
    this.engagement = null;
    this.problems = new Map();
    this.work = new Work();
    this.withdrawn = new Map();
    this.beacons = new Map();
    this.stamps = new Map();
    this.entries = [];
    this.totals = null;
    this.diary = [];
    this.timesheets = [];
    this.acceptances = new Map();
    this.possessions = { findings: [], missed: [] };
    this.openingsHold = false;
    this.activity = [];
    this.labelled = { projects: [], tags: [] };
    this.labelledSheets = new Map();
  }

  get chained() {
    return this.items.filter(({ record }) => CHAINED.has(record.kind));
  }

  get checkpoints() {
    return [...this.earlier, this.latest];
  }
}

async function checkForm(found) {
  const keys = new Map([...found.policy.parties.values()].flat().map((key) => [key.name, key]));
  const bundle = await readBundle(found.data, found.turns, (statement) => {
    const key = keys.get(statement.issuer);
    if (key !== undefined) found.signatures.foresee(statement, key, () => signedBytes(statement));
  });
  const manifest = readRecord(bundle.manifest);
  const items = [];
  for (const [place, statement] of bundle.statements.entries()) {
    items.push({ place, index: bundle.indices[place], statement, record: readRecord(statement) });
    if (found.turns.due) await found.turns.next();
  }
  Object.assign(found, { bundle, manifest, items });
  return `statements: ${items.length}`;
}

async function checkCheckpoint(found) {
  found.latest = await verifyCheckpoint(found.bundle.checkpoint, found.policy.log, found.signatures);
  return `size ${found.latest.checkpoint.size}, witnesses: ${found.latest.cosignatures.length}`;
}

async function checkLog(found) {
  const { bundle, items, turns } = found;
  const earlier = await sideBySide(bundle.checkpoints, (one) => earlierCheckpoint(found, one), turns);
  const { size, root } = bundle.checkpoint;
  const leaves = items.map(({ index, statement }) => [index, leafHash(fromHex(statement.digest))]);
  const roots = bundle.checkpoints.map((one) => [one.size, one.root]);
  const tree = await verifySparse({ size, root, leaves, earlier: roots, hashes: bundle.hashes }, turns);
  const receipts = await checkReceipts(found, tree);
  found.earlier = earlier;
  return `earlier checkpoints: ${earlier.length}${receipts > 0 ? `, receipts: ${receipts}` : ""}`;
}

async function earlierCheckpoint({ bundle, policy, signatures }, one) {
  if (one.origin !== bundle.checkpoint.origin) {
    throw new Fails(`the checkpoint of size ${one.size} is one of another log`);
  }
  try {
    return await verifyCheckpoint(one, policy.log, signatures);
  } catch (error) {
    if (error instanceof Fails) throw new Fails(`the checkpoint of size ${one.size}: ${error.message}`);
    throw error;
  }
}

// So many are checked alone, so that those after them can be compared with them.
const MAX_ALONE = 16;

async function checkReceipts(found, tree) {
  const { bundle, items, latest, turns } = found;
  const { size } = latest.checkpoint;
  const roots = new Map([...bundle.checkpoints, bundle.checkpoint].map((one) => [String(one.size), toHex(one.root)]));
  const seen = new SeenReceipts();
  const check = (place) => checkReceipt(items[place], bundle.receipts[place], { roots, seen, latest });
  const paths = pathsOf(tree);
  const unlike = [];
  let [count, alone] = [0, 0];
  for (const [place, receipt] of bundle.receipts.entries()) {
    const path = paths.next().value;
    if (receipt.length === 0) continue;
    count++;
    if (turns.due) await turns.next();
    if (seen.holds(receipt, items[place].index, path)) continue;
    if (seen.learns && alone++ < MAX_ALONE) {
      // The first that does not hold is the one that counts.
      const claimed = await check(place).catch(async (error) => {
        await sideBySide(unlike, check, turns);
        throw error;
      });
      if (BigInt(claimed) === size) seen.learn(receipt, claimed);
    } else unlike.push(place);
  }
  await sideBySide(unlike, check, turns);
  return count;
}

// Check one, and give the size that it claims.
async function checkReceipt({ place, statement, index }, receipt, { roots, seen, latest }) {
  try {
    const { size, index: claimed, root } = await verifyReceipt(receipt, fromHex(statement.digest), latest.log.key, seen);
    if (claimed !== index) throw new Fails(`it is of index ${claimed}, the statement is at ${index}`);
    if ((roots.get(String(size)) ?? root) !== root) throw new Fails(`it leads to another tree of size ${size}`);
    return size;
  } catch (error) {
    if (!(error instanceof Fails || error instanceof Malformed)) throw error;
    throw new Fails(`the receipt of ${named(place, statement)}: ${error.message}`);
  }
}

async function checkAgreement(found) {
  Object.assign(found, await checkTerms(found));
  found.zone = zoneNamed(found.terms.zone) ?? found.zone;
  return "";
}

// Step 7 folds the chain; problems of steps 8, 9 and 13 are kept for those steps.
async function checkChain(found) {
  const { engagement, terms, acceptance, agreedAt, agreedIndex, turns } = found;
  const chain = new Chain(engagement, terms, acceptance, agreedAt, agreedIndex);
  for (const { place, statement, record } of found.chained) {
    if (turns.due) await turns.next();
    try {
      chain.checkOrder(record);
    } catch (error) {
      if (error instanceof Fails) throw new Fails(`${named(place, statement)}: ${error.message}`);
      throw error;
    }
    const noted = notedProblems(found, () => named(place, statement), chain, record);
    chain.follow(statement.digest, record, noted instanceof Promise ? await noted : noted);
    if (record.kind === "tombstone") found.withdrawn.set(record.frame, place);
  }
  return `statements: ${chain.nextSeq}`;
}

// Give what step 9 came to know, or a promise of it.
function notedProblems({ problems, work, turns }, name, chain, record) {
  const note = (step, check) => {
    // Without possible times, what the schedule asks for cannot be told.
    if (problems.has(step) || (step === 9 && problems.has(8))) return null;
    return tried(check, (error) => {
      if (!(error instanceof Fails)) throw error;
      problems.set(step, `${name()}: ${error.message}`);
      return null;
    });
  };
  note(8, () => chain.checkTiming(record));
  const known = note(9, () => chain.checkSchedule(record, work, turns));
  note(13, () => chain.checkClosing(record));
  return known;
}

function tellProblem({ problems }, step) {
  if (problems.has(step)) throw new Fails(problems.get(step));
}

async function checkUnits(found) {
  tellProblem(found, 8);
  return "";
}

async function checkDrawn(found) {
  tellProblem(found, 9);
  const beacons = new Beacons(found.items, found.terms.roundMs, found.work);
  for (const { place, index, statement, record } of found.chained) {
    if (record.kind !== "segment" || record.verifierValue === null) continue;
    if (found.turns.due) await found.turns.next();
    try {
      const opened = beacons.commitmentOf(index, record.round, record.verifierValue, found.turns);
      found.beacons.set(index, opened instanceof Promise ? await opened : opened);
    } catch (error) {
      if (error instanceof Fails) throw new Fails(`${named(place, statement)}: ${error.message}`);
      throw error;
    }
  }
  return `values of the verifier: ${found.beacons.size}`;
}

async function checkTimeStamps(found) {
  const { bundle, policy } = found;
  const tokens = new Map(bundle.timestamps.map(([size, token]) => [BigInt(size), token]));
  if (bundle.token !== null) tokens.set(bundle.checkpoint.size, bundle.token);
  if (policy.tsa.length === 0) {
    return `the policy names no TSA${tokens.size > 0 ? `; tokens not examined: ${tokens.size}` : ""}`;
  }
  if (tokens.size === 0) throw new NotReached("no token in the bundle");
  const helpers = bundle.tsaCa === null ? [] : pemCertificates(bundle.tsaCa);
  let authorities = null;
  for (const { checkpoint, log } of found.checkpoints) {
    const token = tokens.get(checkpoint.size);
    if (token === undefined) continue;
    await found.turns.next();
    try {
      authorities ??= await trustedAuthorities(policy.tsa, helpers);
      found.stamps.set(checkpoint.size, await verifyToken(token, logSigned(checkpoint, log), authorities));
    } catch (error) {
      if (!(error instanceof Fails || error instanceof Malformed)) throw error;
      throw new Fails(`the token of size ${checkpoint.size}: ${error.message}`);
    }
  }
  const { size } = bundle.checkpoint;
  const newest = newestStamp(found.stamps);
  return `tokens: ${found.stamps.size}${newest === size ? "" : `; the newest is over size ${newest} of ${size}`}`;
}

function newestStamp(stamps) {
  return [...stamps.keys()].reduce((one, other) => (one > other ? one : other));
}

async function checkWindows(found) {
  const { items, terms, beacons, stamps, policy } = found;
  let windows;
  try {
    windows = await windowsOf(items, found.checkpoints, {
      roundMs: terms.roundMs, proven: beacons, stamps, quorum: policy.log.quorum !== null,
    }, found.turns);
  } catch (error) {
    if (!(error instanceof Fails)) throw error;
    throw new Fails(`${named(error.place, items[error.place].statement)}: ${error.message}`);
  }
  found.entries = items.map(({ index, statement, record }, place) => ({
    index, digest: statement.digest, record, window: windows[place],
    grade: gradeOf(record, windows[place].upper, terms.roundMs),
  }));
  return "";
}

async function checkOpenedValues(found) {
  await checkOpened(found, found.turns);
  found.openingsHold = true;
  return `openings: ${found.bundle.openings.length}, disclosures: ${found.bundle.disclosures.length}`;
}

async function foldOpened(found) {
  const { terms, entries, zone, bundle, timesheets, turns } = found;
  found.activity = activityOf(terms.granularity, entries, bundle.openings, zone);
  await turns.next();
  found.labelled = labelledOf(entries, bundle.openings, zone);
  await turns.next();
  found.labelledSheets = labelledSheets(entries, bundle.openings, zone, timesheets);
}

async function checkTotals(found) {
  tellProblem(found, 13);
  found.totals = await totalsOf(found.terms, found.entries, found.zone, found.turns);
  await found.turns.next();
  found.diary = diaryOf(found.entries);
  await found.turns.next();
  // One that differs is told like a limit: the record stands, a summary was wrong.
  found.timesheets = await timesheetsOf(found.terms, found.entries, found.zone, found.turns);
  found.acceptances = acceptancesOf(found.timesheets);
  // So are statements of possession: whether frames are still held changes no hour.
  found.possessions = await possessionsFound(found);
  // What was opened about the time is folded once it is known to be what was committed.
  if (found.openingsHold) await foldOpened(found);
  const held = heldCounts(found.possessions);
  const counts = [
    ["limits of the terms exceeded", found.totals.exceeded.length],
    ["timesheets that differ from the record", found.timesheets.filter(({ agreement }) => agreement === DIFFERS).length],
    ["timesheets that overlap", found.timesheets.filter(({ overlaps }) => overlaps !== null).length],
    ["timesheets with days that were accepted again in another", [...found.acceptances.values()].filter(({ acceptedAgain }) => acceptedAgain.length > 0).length],
    ["statements of possession that do not hold", held.failing],
    ["drawn frames that are lost", held.lost],
    ["weeks without a statement of possession", found.possessions.missed.length],
  ];
  return counts.filter(([, count]) => count > 0).map(([what, count]) => `${what}: ${count}`).join(", ");
}

async function possessionsFound({ items, terms, work, turns }) {
  const beacons = () => new Beacons(items, terms.roundMs, work);
  const proven = await provenPossessions(items, beacons(), turns);
  const later = beacons();
  return possessionsOf(terms.roundMs, items, proven, (round) => later.covers(round), turns);
}

const STEPS = [
  [1, "form", checkForm, []],
  [2, "manifest", (found) => checkManifest(found, found.turns), [1]],
  [3, "checkpoint", checkCheckpoint, [1]],
  [4, "log", checkLog, [3]],
  [5, "signatures", (found) => checkSignatures(found, found.turns), [4]],
  [6, "terms", checkAgreement, [5]],
  [7, "chain", checkChain, [6]],
  [8, "time units", checkUnits, [7]],
  [9, "schedule", checkDrawn, [7, 8]],
  [10, "time-stamp", checkTimeStamps, [4]],
  [11, "windows", checkWindows, [8, 9]],
  [12, "openings", checkOpenedValues, [7]],
  [13, "totals", checkTotals, [11]],
];

// Examine a bundle against the caller's policy, step by step; `turns.progress` hears of each.
//
// Signatures are checked beside the steps. If one does not hold, all is done again in turn.
export async function examineBundle(data, policy, turns) {
  const beside = new Beside(turns);
  try {
    const report = await examinedBy(data, policy, turns, beside);
    turns.progress(5, "signatures");
    if (await beside.all()) return report;
  } finally {
    beside.close();
  }
  return examinedBy(data, policy, turns, IN_TURN);
}

async function examinedBy(data, policy, turns, signatures) {
  const found = new Examination(data, policy, turns, signatures);
  const steps = [];
  for (const [number, name, check, needs] of STEPS) {
    await turns.next();
    turns.progress(number, name);
    const step = { number, name, ...(await outcomeOf(found, check, needs, steps)) };
    steps.push(step);
  }
  const malformed = steps[0].outcome === FAILS;
  const holds = steps.every((step) => step.outcome === HOLDS);
  return { found, steps, malformed, holds, notProven: notProven(found, holds) };
}

async function outcomeOf(found, check, needs, steps) {
  const missing = needs.find((number) => steps[number - 1].outcome !== HOLDS);
  if (missing !== undefined) return { outcome: NOT_REACHED, why: `step ${missing} did not hold` };
  try {
    return { outcome: HOLDS, why: (await check(found)) ?? "" };
  } catch (error) {
    if (error instanceof NotReached) return { outcome: NOT_REACHED, why: error.message };
    if (error instanceof Fails || error instanceof Malformed) return { outcome: FAILS, why: error.message };
    throw error;
  }
}
