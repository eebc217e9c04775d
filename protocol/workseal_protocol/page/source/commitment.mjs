// Salted commitments to single values, and the forms of what they open (docs/spec/commitments.md).

import { Fails, Malformed, countCodePoints, fromUtf8, toHex } from "./bytes.mjs";
import { Fields, decode, isInteger, isOctets } from "./cbor.mjs";
import { MAX_TIME } from "./recordparts.mjs";
import { sha256 } from "./sha256.mjs";

export const OPENED_ACTIVITY = 1;
export const OPENED_NOTES = 2;
export const OPENED_ENVIRONMENT = 3;
export const OPENED_MEMO = 4;
export const OPENED_ARTEFACT = 5;
export const OPENED_EVIDENCE = 6;
export const LABEL_FORM = 4;
export const OPENED_NAMES = new Map([
  [OPENED_ACTIVITY, "activity"], [OPENED_NOTES, "notes"], [OPENED_ENVIRONMENT, "environment"],
  [OPENED_MEMO, "memo"], [OPENED_ARTEFACT, "artefact"], [OPENED_EVIDENCE, "evidence"],
]);
const MAX_VALUE_BYTES = 32768;
const MAX_NOTES = 64;

export function readOpening(data) {
  const value = decode(data);
  const [statement, kind, salt, opened] = Array.isArray(value) && value.length === 4 ? value : [];
  if (![statement, salt, opened].every(isOctets) || !isInteger(kind)) {
    throw new Malformed("an opening is an array of digest, kind, salt and value");
  }
  if (statement.length !== 32 || !OPENED_NAMES.has(kind) || salt.length !== 16 || opened.length > MAX_VALUE_BYTES) {
    throw new Malformed("opening: digest, kind, salt or value is out of its range");
  }
  return { statement: toHex(statement), kind, salt, value: opened };
}

// Check that the opened value is the one that was committed, and has the form of its kind; give an activity record.
export function verifyOpening({ kind, salt, value }, commitment) {
  if (toHex(sha256(Uint8Array.of(4, kind), salt, value)) !== commitment) {
    throw new Fails(`the opened ${OPENED_NAMES.get(kind)} is not what was committed`);
  }
  if (kind === OPENED_NOTES) readNotes(value);
  if (kind === OPENED_EVIDENCE) readItemOfEvidence(value);
  if (kind === OPENED_ENVIRONMENT || kind === OPENED_MEMO) openedText(value);
  return kind === OPENED_ACTIVITY ? readActivity(value) : null;
}

export function openedText(value) {
  try {
    return fromUtf8(value, "the value");
  } catch {
    throw new Fails("the value is not text in UTF-8");
  }
}

// Read what was observed; `synthetic` is null where the system does not tell.
export function readActivity(data) {
  const fields = new Fields(decode(data), "activity record");
  const observed = fields.uint(1, "observed_ms", 600000);
  const seconds = fields.uint(2, "input_seconds", 600);
  fields.uint(3, "keys", 5);
  fields.uint(4, "pointer", 5);
  const synthetic = fields.optional(5, () => fields.uint(5, "synthetic_tenths", 10));
  fields.optional(6, () => fields.uint(6, "changed_percent", 100));
  fields.uint(7, "source", 4);
  fields.close();
  if (seconds * 1000 > observed + 2000) {
    throw new Malformed("activity record: input_seconds exceed the observed time");
  }
  return { observed, seconds, synthetic };
}

function readNotes(data) {
  const items = decode(data);
  if (!Array.isArray(items) || items.length > MAX_NOTES) {
    throw new Malformed(`notes are an array of at most ${MAX_NOTES} items`);
  }
  for (const item of items) {
    if (!Array.isArray(item) || item.length !== 2 || !item.every(isInteger)) {
      throw new Malformed("a note is an array of a code and an integer");
    }
    if (item[0] < 1 || item[0] > 9) throw new Malformed("note: unknown code, or value out of range");
  }
}

// Read a commit, a file, a text or a label.
export function readItemOfEvidence(data) {
  const fields = new Fields(decode(data), "evidence");
  const form = fields.uint(1, "form", 4, 1);
  const item = { form, ...ITEM_READERS[form - 1](fields) };
  fields.close();
  return item;
}

const nameIn = (fields, what) => fields.text(2, what, 200, 1);
const ITEM_READERS = [
  (fields) => {
    const item = { name: nameIn(fields, "name"), commit: fields.octets(3, "commit", 20, 32), committedMs: fields.uint(4, "committed_ms", MAX_TIME) };
    if (item.commit.length !== 20 && item.commit.length !== 32) throw new Malformed("evidence: a commit has 20 or 32 bytes");
    return item;
  },
  (fields) => ({ name: nameIn(fields, "name"), digest: toHex(fields.exactly(3, "digest", 32)), size: fields.uint(4, "size") }),
  (fields) => ({ text: fields.text(2, "text", 8000, 1) }),
  (fields) => {
    const item = { project: nameIn(fields, "project"), tags: fields.array(3, "tags", 0, 16), begin: fields.uint(4, "begin", MAX_TIME), end: fields.uint(5, "end", MAX_TIME) };
    const fits = (tag) => typeof tag === "string" && tag !== "" && countCodePoints(tag) <= 200;
    if (!item.tags.every(fits) || new Set(item.tags).size !== item.tags.length) {
      throw new Malformed("evidence: expected at most 16 tags, each once");
    }
    if (item.begin >= item.end) throw new Malformed("evidence: a label ends before it begins");
    return item;
  },
];
