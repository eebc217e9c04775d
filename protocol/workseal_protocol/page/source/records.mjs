// Records: what each kind of statement says (docs/spec/records.md).
//
// Digests become hex; values of the schedule stay bytes.

import { Malformed, sameBytes, toHex } from "./bytes.mjs";
import { readAct, readFiling, readPlace } from "./caserecords.mjs";
import { Fields, MAX_BYTES, MAX_INTEGER, decode } from "./cbor.mjs";
import { SIGNATURE_BYTES, publicKey } from "./keys.mjs";
import { readCheckpoint } from "./note.mjs";
import { readPossession } from "./possessionrecord.mjs";
import { MAX_TIME, MAX_WORKED, claimed, digest, digestPart, head, optionalDigest, refuse, rows, uintPart } from "./recordparts.mjs";
import { segmentAtOnce } from "./segmentform.mjs";
import { readAnswer, readTimesheet } from "./sheetrecords.mjs";
import { engagementSubject } from "./statement.mjs";
import { readTerms } from "./terms.mjs";

export const WORKING = 1;
export const OFF_SCREEN = 2;
export const SEALED = 3;
export const NO_CAPTURE = 0;
export const CAPTURED = 1;
export const MISSED = 2;
export const LIVE = 1;
export const LATE_FORM = 2;
export const RETENTION = 4;
const MAX_ROWS = 64;
const MAX_ENTRY_ROWS = 512;
const ENTRY_NAME = /^(?=.{1,80}$)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

function link(fields) {
  const anchor = fields.fields(5, "anchor");
  const named = { digest: digest(anchor, 1, "digest"), size: anchor.uint(2, "size", MAX_INTEGER, 1) };
  anchor.close();
  return {
    ...head(fields), seq: fields.uint(3, "seq"), prev: digest(fields, 4, "prev"), anchor: named,
  };
}

function session(fields) {
  return toHex(fields.exactly(7, "session", 16));
}

const namePart = (part) =>
  typeof part === "string" && ENTRY_NAME.test(part) ? part : refuse("an entry's name is not a plain relative path");

function readSegment(fields) {
  return checkedSegment({
    ...link(fields), session: session(fields),
    round: fields.uint(10, "round"), begin: fields.uint(11, "begin", MAX_TIME),
    end: fields.uint(12, "end", MAX_TIME), worked: fields.uint(13, "worked", MAX_WORKED),
    state: fields.uint(14, "state", SEALED, WORKING),
    agentValue: fields.exactly(15, "agent value", 32),
    verifierValue: fields.optional(16, () => fields.exactly(16, "verifier value", 32)),
    activity: optionalDigest(fields, 17, "activity"), notes: digest(fields, 18, "notes"),
    capture: fields.uint(19, "capture", MISSED),
    frames: fields.optional(20, () => fields.array(20, "frames", 1, 8).map(digestPart)) ?? [],
  });
}

function checkedSegment(record) {
  if (record.begin > record.end) refuse("segment: a segment ends before it begins");
  if ((record.capture === CAPTURED) !== record.frames.length > 0) {
    refuse("segment: frames stand exactly in a segment that was captured");
  }
  if (record.frames.length > 1 && new Set(record.frames).size !== record.frames.length) refuse("segment: one frame stands there twice");
  if (record.state !== WORKING && record.capture !== NO_CAPTURE) {
    refuse("segment: only a segment of work on the screen has a capture");
  }
  if (record.state === SEALED && record.activity !== null) refuse("segment: a sealed segment has no activity");
  return record;
}

function readDeclaration(fields) {
  const record = {
    ...link(fields), begin: fields.uint(10, "begin", MAX_TIME), end: fields.uint(11, "end", MAX_TIME),
    worked: fields.uint(12, "worked"), form: fields.uint(13, "form", LATE_FORM, LIVE),
    memo: digest(fields, 14, "memo"), artefact: optionalDigest(fields, 15, "artefact"),
  };
  if (record.begin >= record.end) refuse("declaration: a declaration ends before it begins");
  if (record.worked > record.end - record.begin) refuse("declaration: more work than time");
  return record;
}

function readKey(fields, raw, algorithm) {
  const key = publicKey(fields.octets(raw, "public key"));
  if (fields.integer(algorithm, "algorithm", -65535, -1) !== key.algorithm) {
    refuse("the algorithm is not that of the key");
  }
  return key;
}

function readRotation(fields) {
  const record = { claimedAt: claimed(fields), old: fields.exactly(10, "old", 32), key: readKey(fields, 11, 12), proof: fields.octets(13, "proof") };
  if (record.proof.length !== SIGNATURE_BYTES.get(record.key.algorithm)) {
    refuse("key.rotate: the proof does not have the length of its algorithm");
  }
  if (record.key.name === toHex(record.old)) refuse("key.rotate: a key cannot replace itself");
  return record;
}

function readLogPolicyRecord(fields) {
  const record = {
    claimedAt: claimed(fields), origin: fields.text(10, "origin", 255, 1),
    policy: fields.text(11, "policy", 4096, 1), rules: fields.text(12, "rules", 16384, 1),
    previous: fields.optional(13, () => readCheckpoint(fields.octets(13, "previous", 0, 16384))),
    page: optionalDigest(fields, 14, "page"),
  };
  if (record.previous !== null && record.previous.origin === record.origin) {
    refuse("log.policy: a log that continues another has another origin");
  }
  return record;
}

function readRequest(fields) {
  const record = {
    ...head(fields), frames: rows(fields, 10, "frames", MAX_ROWS, [digestPart, digestPart], 1),
    reason: fields.text(11, "reason", 500, 1), sealingKey: fields.exactly(12, "sealing key", 1216),
    answerBy: fields.uint(13, "answer_by", MAX_TIME), place: readPlace(fields),
  };
  if (record.answerBy <= record.claimedAt) {
    refuse("dispute.request: the answer is due before it is asked for");
  }
  return record;
}

function readFinding(fields) {
  const record = {
    ...head(fields), disclosure: digest(fields, 10, "disclosure"),
    findings: rows(fields, 11, "findings", MAX_ROWS, [digestPart, uintPart, uintPart, uintPart], 0),
    place: readPlace(fields),
  };
  for (const [, outcome, shown, tiles] of record.findings) {
    if ((outcome !== 1 && outcome !== 2) || tiles > 65536 || shown > tiles) {
      refuse("dispute.finding: a finding out of its bounds");
    }
  }
  return record;
}

const READERS = {
  "offer": (fields) => ({ ...head(fields), terms: readTerms(fields.fields(10, "terms")) }),
  "acceptance": (fields) => ({
    ...head(fields), terms: readTerms(fields.fields(10, "terms")), offer: digest(fields, 11, "offer"),
  }),
  "session.open": (fields) => ({
    ...link(fields), session: session(fields), head: fields.exactly(10, "head", 32),
    firstRound: fields.uint(11, "first_round"), rounds: fields.uint(12, "rounds", 65536, 1),
    agent: fields.text(13, "agent", 64, 1), environment: digest(fields, 14, "environment"),
  }),
  "segment": readSegment,
  "session.close": (fields) => ({
    ...link(fields), session: session(fields), segments: fields.uint(10, "segments"),
    worked: fields.uint(11, "worked"), captured: fields.uint(12, "captured"), missed: fields.uint(13, "missed"),
  }),
  "tombstone": (fields) => ({
    ...link(fields), segment: digest(fields, 10, "segment"), frame: digest(fields, 11, "frame"),
    reason: fields.uint(12, "reason", 5, 1),
  }),
  "declaration": readDeclaration,
  "evidence": (fields) => ({ ...link(fields), item: digest(fields, 10, "item") }),
  "possession": readPossession,
  "timesheet": readTimesheet,
  "timesheet.answer": readAnswer,
  "key.announce": (fields) => ({
    claimedAt: claimed(fields), key: readKey(fields, 10, 11), role: fields.uint(12, "role", 4, 1),
    recovery: optionalDigest(fields, 13, "recovery"),
  }),
  "key.rotate": readRotation,
  "key.revoke": (fields) => ({
    claimedAt: claimed(fields), key: digest(fields, 10, "key"), reason: fields.uint(11, "reason", 3, 1),
  }),
  "log.policy": readLogPolicyRecord,
  "beacon.commitment": (fields) => ({
    claimedAt: claimed(fields), periodMs: fields.uint(10, "period_ms", 600000, 1000),
    firstRound: fields.uint(11, "first_round"), count: fields.uint(12, "count", 1048576, 1),
    head: fields.exactly(13, "head", 32),
  }),
  "dispute.filing": readFiling,
  "dispute.act": readAct,
  "dispute.request": readRequest,
  "dispute.disclosure": (fields) => ({
    ...head(fields), request: digest(fields, 10, "request"),
    frames: rows(fields, 11, "frames", MAX_ROWS, [digestPart, digestPart], 0), place: readPlace(fields),
  }),
  "dispute.finding": readFinding,
  "bundle.manifest": (fields) => ({
    ...head(fields), entries: rows(fields, 10, "entries", MAX_ENTRY_ROWS, [namePart, digestPart, uintPart], 0),
  }),
};

// Read a statement's payload as its kind says; the signature may be unverified.
export function readRecord(statement) {
  const quick = statement.kind === "segment" ? segmentAtOnce(statement.payload) : null;
  const record = quick === null ? readFields(statement) : checkedSegment(quick);
  record.kind = statement.kind;
  if (record.engagement !== undefined && !isSubject(statement.subject, record.engagement)) {
    throw new Malformed(`${statement.kind}: the subject is not the payload's engagement`);
  }
  return record;
}

function readFields(statement) {
  const fields = new Fields(decode(statement.payload, MAX_BYTES), statement.kind);
  fields.uint(1, "version", 1, 1);
  const record = READERS[statement.kind](fields);
  fields.close();
  return record;
}

// Nearly always the engagement of the statement before.
let lastEngagement = { raw: new Uint8Array(0), subject: "" };

function isSubject(subject, engagement) {
  if (!sameBytes(engagement, lastEngagement.raw)) lastEngagement = { raw: engagement, subject: engagementSubject(engagement) };
  return lastEngagement.subject === subject;
}
