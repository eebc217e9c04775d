// Signed notes, verifier keys, checkpoints and cosignatures (docs/spec/checkpoint.md).
//
// Sizes and timestamps go up to 2^63 - 1: they are BigInt.

import { Fails, Malformed, NotReached, fromBase64, fromUtf8, joined, readBigUint, sameBytes, toHex, toUtf8, u64 } from "./bytes.mjs";
import { EDDSA, publicKey } from "./keys.mjs";
import { EMPTY_ROOT } from "./merkle.mjs";
import { sha256 } from "./sha256.mjs";
import { IN_TURN } from "./signatures.mjs";

export const MAX_NOTE_BYTES = 262144;
const MAX_LINES = 64;
export const LOG_TYPE = 1;
const COSIGNATURE_TYPE = 4;
const ML_DSA_TYPE = 6;
const ALGORITHMS_OF_TYPES = new Map([[LOG_TYPE, EDDSA], [COSIGNATURE_TYPE, EDDSA], [ML_DSA_TYPE, -48]]);
const COSIGNATURE_BYTES = new Map([[COSIGNATURE_TYPE, 64], [ML_DSA_TYPE, 2420]]);
const MAX_TIMESTAMP = 2n ** 63n - 1n;
// White space of Unicode, and every character that some library takes for it.
export const SPACES = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const BAD_NAME = new RegExp(`[${SPACES}+\\x00-\\x1f]`, "u");
const NOTE_CONTROL = /[\x00-\x09\x0b-\x1f]/;
const LINE_BEGIN = "\u2014 ";
const MAX_LINE_BASE64 = 10934;
const VKEY = /^([^+]{1,255})\+([0-9a-f]{8})\+([0-9A-Za-z+/]{44}|[0-9A-Za-z+/]{1751}=)$/u;
const CHECKPOINT = /^([!-*,-~]{1,255})\n(0|[1-9][0-9]{0,18})\n([0-9A-Za-z+/]{43}=)\n$/;

// The names of the last few keys: those of a log and its witnesses stand in each of its checkpoints.
const GOOD_NAMES = new Set();
const MAX_GOOD_NAMES = 64;

function requireName(name) {
  if (GOOD_NAMES.has(name)) return;
  if (name === "" || BAD_NAME.test(name) || toUtf8(name).length > 255) {
    throw new Malformed("a key name has 1 to 255 bytes, no space, plus or control character");
  }
  if (GOOD_NAMES.size === MAX_GOOD_NAMES) GOOD_NAMES.clear();
  GOOD_NAMES.add(name);
}

// Read `name+id+key`.
export function readVkey(text) {
  const form = VKEY.exec(text);
  if (form === null) throw new Malformed("a verifier key has three parts: name, key id, key");
  const [, name, id, encoded] = form;
  const raw = fromBase64(encoded, "verifier key");
  const type = raw[0];
  requireName(name);
  if (!ALGORITHMS_OF_TYPES.has(type)) {
    throw new Malformed("a verifier key has a valid name, type and public key");
  }
  const key = publicKey(raw.subarray(1), ALGORITHMS_OF_TYPES.get(type));
  const found = toHex(sha256(toUtf8(name), Uint8Array.of(10), raw).subarray(0, 4));
  if (found !== id) throw new Malformed("the key id is not the one of this name and key");
  return { name, id, type, key, text: `${name}+${id}+${encoded}` };
}

function readLine(text) {
  const cut = text.indexOf(" ", LINE_BEGIN.length);
  if (cut < 0 || !text.startsWith(LINE_BEGIN) || text.length - cut - 1 > MAX_LINE_BASE64) {
    throw new Malformed("a signature line has a dash, a name and base64");
  }
  const name = text.slice(LINE_BEGIN.length, cut);
  requireName(name);
  const blob = fromBase64(text.slice(cut + 1), "signature line");
  if (blob.length < 6 || blob.length > 4 + 8192) {
    throw new Malformed("signature line: a signature has 2 to 8192 bytes");
  }
  return { name, id: toHex(blob.subarray(0, 4)), signature: blob.subarray(4), text };
}

// Read a signed checkpoint; no line of it is verified.
export function readCheckpoint(data) {
  if (data.length > MAX_NOTE_BYTES) throw new Malformed(`a note has at most ${MAX_NOTE_BYTES} bytes`);
  const text = fromUtf8(data, "a note");
  if (NOTE_CONTROL.test(text)) {
    throw new Malformed("a note has no control characters but the newline");
  }
  const cut = text.lastIndexOf("\n\n");
  if (cut < 0 || !text.endsWith("\n") || cut + 2 >= text.length) {
    throw new Malformed("a note has a text, an empty line and signature lines");
  }
  const rows = text.slice(cut + 2, -1).split("\n");
  if (rows.length > MAX_LINES) throw new Malformed(`a note has 1 to ${MAX_LINES} signature lines`);
  const lines = rows.map(readLine);
  if (lines.some((line, at) => lines.findIndex(({ id, name }) => id === line.id && name === line.name) < at)) {
    throw new Malformed("a note has one line for each key");
  }
  const { body, origin, size, root } = readBody(text.slice(0, cut + 1));
  return { body, origin, size, root, lines, data, digest: toHex(sha256(data)) };
}

function readBody(body) {
  const form = CHECKPOINT.exec(body);
  if (form === null) throw new Malformed("a checkpoint has three lines: origin, size, root");
  const size = BigInt(form[2]);
  const root = fromBase64(form[3], "checkpoint");
  if (size > 2n ** 63n - 1n) throw new Malformed("checkpoint: a log has 0 to 2**63 - 1 leaves");
  if (size === 0n && !sameBytes(root, EMPTY_ROOT)) {
    throw new Malformed("checkpoint: an empty log has the root of the empty tree");
  }
  return { body, origin: form[1], size, root };
}

// Give the bytes of the body, which is of ASCII: they are as many as its characters.
function bodyBytes({ body, data }) {
  return data.subarray(0, body.length);
}

export function lineOf(checkpoint, vkey) {
  return checkpoint.lines.find((line) => line.name === vkey.name && line.id === vkey.id) ?? null;
}

// Give the checkpoint with the log's line alone: what a time-stamp is over.
export function logSigned(checkpoint, vkey) {
  return toUtf8(`${checkpoint.body}\n${lineOf(checkpoint, vkey).text}\n`);
}

// Check the line of a log whose name is the origin.
export async function verifyLogLine(checkpoint, vkey, signatures = IN_TURN) {
  const line = lineOf(checkpoint, vkey);
  await verifyNamed(signatures, vkey.key, line.signature, () => bodyBytes(checkpoint), "the log's signature");
}

// Give the time (POSIX seconds) of a cosignature of a known key, or throw Fails.
export async function verifyCosignature(checkpoint, vkey, line, signatures = IN_TURN) {
  if (line.signature.length !== 8 + COSIGNATURE_BYTES.get(vkey.type)) {
    throw new Fails("a cosignature of a known key has a wrong length");
  }
  const timestamp = readBigUint(line.signature.subarray(0, 8));
  if (timestamp > MAX_TIMESTAMP) {
    throw new Fails("a cosignature's timestamp has more than 63 bits");
  }
  const signed = () => cosignedMessage(checkpoint, vkey, timestamp);
  await verifyNamed(signatures, vkey.key, line.signature.subarray(8), signed, "a cosignature of a known key");
  return timestamp;
}

function cosignedMessage(checkpoint, vkey, timestamp) {
  if (vkey.type === COSIGNATURE_TYPE) {
    return joined(toUtf8(`cosignature/v1\ntime ${timestamp}\n`), bodyBytes(checkpoint));
  }
  const [name, origin] = [toUtf8(vkey.name), toUtf8(checkpoint.origin)];
  return joined(
    toUtf8("subtree/v1\n\0"), Uint8Array.of(name.length), name, u64(timestamp),
    Uint8Array.of(origin.length), origin, u64(0), u64(checkpoint.size), checkpoint.root,
  );
}

async function verifyNamed(signatures, key, signature, signed, what) {
  try {
    await signatures.verify(key, signature, signed);
  } catch (error) {
    if (error instanceof NotReached) throw error;
    throw new Fails(`${what} does not verify`);
  }
}

