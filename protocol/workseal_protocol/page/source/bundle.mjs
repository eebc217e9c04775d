// The bundle: one ZIP file in one form, and what its entries hold (docs/spec/bundle.md).

import { Malformed, fromUtf8, joined, sameBytes, toHex, toUtf8 } from "./bytes.mjs";
import { Fields, decode, isInteger, isOctets, readOctets, splitSequence } from "./cbor.mjs";
import { readOpening } from "./commitment.mjs";
import { readDisclosure } from "./frames.mjs";
import { readCheckpoint } from "./note.mjs";
import { readLogPolicy } from "./policy.mjs";
import { sha256 } from "./sha256.mjs";
import { readStatement } from "./statement.mjs";
import { MAX_TOKEN_BYTES } from "./timestamp.mjs";

export const MAX_BUNDLE_BYTES = 268435456;
const MAX_ENTRIES = 513;
const MAX_STATEMENTS = 65536;
const MAX_CHECKPOINTS = 65000;
const MAX_CA_BYTES = 65536;
const MAX_SHOWN_BYTES = 536870912;
const MAX_PROOF_BYTES = 201326592;
const README_SHA256 = "d83914ec7fc640fe31b0a36207a4af1ce51f7733c5f613c704319f0125755131";
const ORDER = [
  "README.txt", "manifest.cose", "statements.cbor", "proof.cbor", "checkpoint", "checkpoints.cbor",
  "checkpoint.tsr", "timestamps.cbor", "tsa-ca.pem", "policy", "receipts.cbor", "openings.cbor",
];
const NEEDED = ["manifest.cose", "statements.cbor", "proof.cbor", "checkpoint", "checkpoints.cbor", "policy"];
const NEVER_EMPTY = ["timestamps.cbor", "receipts.cbor", "openings.cbor"];
const ARCHIVE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/;
const DISCLOSURE_NAME = /^disclosures\/([0-9]{6})(?:-([0-7]))?\.disclosure$/;
const PEM_FORM = /-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/]{1,64}={0,2}\n)+-----END CERTIFICATE-----\n/;
const LOCAL_BYTES = 30;
const DATE = 33;
const MODE = 2175008768;
const CRC_PIECE = 1 << 20;

// Eight bytes at a time: the table after the first n says what a byte becomes n bytes later. They
// stand one after the other, as signed integers: engines read those without making them larger.
const CRC_TABLE = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  CRC_TABLE[byte] = value;
}
for (let at = 256; at < CRC_TABLE.length; at++) {
  CRC_TABLE[at] = CRC_TABLE[CRC_TABLE[at - 256] & 0xff] ^ (CRC_TABLE[at - 256] >>> 8);
}

function crcOf(value, data, begin, end) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = begin;
  for (; at + 8 <= end; at += 8) {
    const first = value ^ view.getInt32(at, true);
    const second = view.getInt32(at + 4, true);
    value = CRC_TABLE[1792 | (first & 0xff)] ^ CRC_TABLE[1536 | ((first >>> 8) & 0xff)]
      ^ CRC_TABLE[1280 | ((first >>> 16) & 0xff)] ^ CRC_TABLE[1024 | (first >>> 24)]
      ^ CRC_TABLE[768 | (second & 0xff)] ^ CRC_TABLE[512 | ((second >>> 8) & 0xff)]
      ^ CRC_TABLE[256 | ((second >>> 16) & 0xff)] ^ CRC_TABLE[second >>> 24];
  }
  for (; at < end; at++) value = CRC_TABLE[(value ^ data[at]) & 0xff] ^ (value >>> 8);
  return value;
}

async function crc32(data, turns) {
  let value = 0xffffffff;
  for (let at = 0; at < data.length; at += CRC_PIECE) {
    value = crcOf(value, data, at, Math.min(at + CRC_PIECE, data.length));
    await turns.next();
  }
  return (value ^ 0xffffffff) >>> 0;
}

// Write little-endian numbers, each given as [bytes, value].
function packed(...parts) {
  const data = new Uint8Array(parts.reduce((sum, [length]) => sum + length, 0));
  let at = 0;
  for (const [length, value] of parts) {
    for (let n = 0; n < length; n++) data[at++] = Math.floor(value / 256 ** n) & 0xff;
  }
  return data;
}

const u16 = (value) => [2, value];
const u32 = (value) => [4, value];

function localHead({ name, crc, content }) {
  const length = content.length;
  return joined(packed(
    u32(0x04034b50), u16(20), u16(0), u16(0), u16(0), u16(DATE),
    u32(crc), u32(length), u32(length), u16(name.length), u16(0),
  ), toUtf8(name));
}

function directory(entries) {
  const heads = entries.map(({ name, crc, content, start }) => joined(packed(
    u32(0x02014b50), u16(788), u16(20), u16(0), u16(0), u16(0), u16(DATE),
    u32(crc), u32(content.length), u32(content.length), u16(name.length),
    u16(0), u16(0), u16(0), u16(0), u32(MODE), u32(start),
  ), toUtf8(name)));
  const size = heads.reduce((sum, one) => sum + one.length, 0);
  const last = entries[entries.length - 1];
  const offset = last === undefined ? 0 : last.end;
  return joined(...heads, packed(
    u32(0x06054b50), u16(0), u16(0), u16(entries.length), u16(entries.length), u32(size), u32(offset), u16(0),
  ));
}

// Read the entries of the container in their order.
async function readArchive(data, turns) {
  if (data.length > MAX_BUNDLE_BYTES) {
    throw new Malformed(`expected at most ${MAX_BUNDLE_BYTES} bytes, found ${data.length}`);
  }
  if (data[0] !== 0x50 || data[1] !== 0x4b) {
    throw new Malformed("this is not a bundle: it does not begin as a ZIP file does");
  }
  const entries = [];
  const names = new Set();
  let at = 0;
  while (data[at] === 0x50 && data[at + 1] === 0x4b && data[at + 2] === 3 && data[at + 3] === 4) {
    if (entries.length === MAX_ENTRIES) throw new Malformed(`expected at most ${MAX_ENTRIES} entries`);
    const entry = await readEntry(data, at, turns);
    if (names.has(entry.name)) throw new Malformed("an entry stands twice in the bundle");
    names.add(entry.name);
    entries.push(entry);
    at = entry.end;
  }
  if (!sameBytes(data.subarray(at), directory(entries))) {
    throw new Malformed("the directory of the bundle is not the one of its entries");
  }
  return entries;
}

async function readEntry(data, start, turns) {
  const named = start + LOCAL_BYTES;
  if (named > data.length) throw new Malformed("the bundle ends inside an entry");
  const view = new DataView(data.buffer, data.byteOffset + start, LOCAL_BYTES);
  const begin = named + view.getUint16(26, true);
  const name = String.fromCharCode(...data.subarray(named, Math.min(begin, named + 200)));
  if (begin - named > 200 || !ARCHIVE_NAME.test(name)) {
    throw new Malformed("the name of an entry has an unexpected form");
  }
  const end = begin + view.getUint32(22, true);
  if (end > data.length) throw new Malformed("the bundle ends inside an entry");
  const content = data.subarray(begin, end);
  const entry = { name, content, start, end, crc: await crc32(content, turns) };
  if (!sameBytes(data.subarray(start, begin), localHead(entry))) {
    throw new Malformed("the head of an entry is not the one of its content");
  }
  return entry;
}

// Read a bundle; nothing of it is verified. `met` hears of each statement as it is read.
export async function readBundle(data, turns, met = () => {}) {
  const entries = await readArchive(data, turns);
  const found = new Map(entries.map(({ name, content }) => [name, content]));
  if (!found.has("README.txt") || toHex(sha256(found.get("README.txt"))) !== README_SHA256) {
    throw new Malformed("the bundle lacks its README.txt, or it is another one");
  }
  for (const name of NEEDED) {
    if (!found.has(name)) throw new Malformed(`the bundle lacks the entry ${name}`);
  }
  requireOrder(entries);
  const manifest = readStatement(found.get("manifest.cose"));
  if (manifest.kind !== "bundle.manifest") {
    throw new Malformed("the entry manifest.cose is another kind of statement");
  }
  const contents = await readContents(found, turns, met);
  return { entries, manifest, ...contents };
}

function requireOrder(entries) {
  const names = entries.map((entry) => entry.name);
  for (const name of names) {
    if (!ORDER.includes(name) && !DISCLOSURE_NAME.test(name)) {
      throw new Malformed("the bundle has an entry of an unknown name");
    }
  }
  // The ascending order of the disclosures is looked at where they are read.
  const place = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  for (let n = 1; n < names.length; n++) {
    if (place(names[n - 1]) > place(names[n])) {
      throw new Malformed("the entries of the bundle are not in canonical form");
    }
  }
  if (entries.some(({ name, content }) => NEVER_EMPTY.includes(name) && content.length === 0)) {
    throw new Malformed("the entries of the bundle are not in canonical form");
  }
}

async function readContents(found, turns, met) {
  const optional = (name) => found.get(name) ?? null;
  const { indices, sizes, hashes } = readProof(found.get("proof.cbor"));
  const statements = [];
  for (const item of await splitSequence(found.get("statements.cbor"), MAX_STATEMENTS, turns)) {
    const statement = readStatement(item);
    statements.push(statement);
    met(statement);
    if (turns.due) await turns.next();
  }
  requireStatements(statements, indices);
  const checkpoint = readCheckpoint(found.get("checkpoint"));
  const checkpoints = [];
  for (const item of await octetItems(found.get("checkpoints.cbor"), MAX_CHECKPOINTS, turns)) {
    checkpoints.push(readCheckpoint(item));
    if (turns.due) await turns.next();
  }
  requireSizes(checkpoints, checkpoint, sizes);
  const policy = readLogPolicy(fromUtf8(found.get("policy"), "the policy of the bundle"));
  const timestamps = await readTimestamps(optional("timestamps.cbor"), turns);
  requireTokens(timestamps, optional("checkpoint.tsr"), optional("tsa-ca.pem"), sizes);
  const receipts = await octetItems(optional("receipts.cbor"), MAX_STATEMENTS, turns);
  if (receipts.length > 0 && receipts.length !== statements.length) {
    throw new Malformed("bundle: receipts are one for each statement, or none");
  }
  const openings = [];
  for (const item of await splitSequence(optional("openings.cbor") ?? new Uint8Array(0), 2 * MAX_STATEMENTS, turns)) {
    openings.push(readOpening(item));
    if (turns.due) await turns.next();
  }
  return {
    statements, indices, hashes, checkpoint, checkpoints, policy, timestamps, receipts, openings,
    token: optional("checkpoint.tsr"), tsaCa: optional("tsa-ca.pem"),
    disclosures: await readDisclosures(found, turns),
  };
}

function ascend(values) {
  return values.every((value, at) => at === 0 || values[at - 1] < value);
}

function readProof(data) {
  const fields = new Fields(decode(data, MAX_PROOF_BYTES), "proof");
  const indices = fields.array(1, "indices", 1, MAX_STATEMENTS);
  const sizes = fields.array(2, "sizes", 0, MAX_CHECKPOINTS);
  const whole = fields.octets(3, "hashes", 0, MAX_PROOF_BYTES);
  fields.close();
  if (!indices.every((index) => isInteger(index) && index >= 0)) {
    throw new Malformed("proof: expected unsigned integers as indices");
  }
  if (whole.length % 32 !== 0) throw new Malformed("bundle: a hash of the proof has 32 bytes");
  const hashes = [];
  for (let at = 0; at < whole.length; at += 32) hashes.push(whole.subarray(at, at + 32));
  return { indices, sizes, hashes };
}

function requireStatements(statements, indices) {
  if (statements.some((statement) => statement.kind === "bundle.manifest")) {
    throw new Malformed("bundle: a manifest does not stand among the statements");
  }
  if (statements.length !== indices.length) {
    throw new Malformed("bundle: the proof has one index for each statement");
  }
  if (!ascend(indices)) throw new Malformed("bundle: the indices of the statements do not ascend");
}

function requireSizes(checkpoints, checkpoint, sizes) {
  // What is no integer would be made one by a comparison with a big one.
  if (!sizes.every(isInteger)) throw new Malformed("proof: expected unsigned integers as sizes");
  const found = checkpoints.map((one) => one.size);
  if (!ascend([...found, checkpoint.size])) {
    throw new Malformed("bundle: the sizes of the checkpoints do not ascend");
  }
  if ((found[0] ?? checkpoint.size) === 0n) {
    throw new Malformed("bundle: a checkpoint of an empty log covers nothing");
  }
  if (found.length !== sizes.length || !found.every((size, at) => size == sizes[at])) {
    throw new Malformed("the entries of the bundle are not in canonical form");
  }
}

function requireTokens(timestamps, token, tsaCa, sizes) {
  const stamped = timestamps.map(([size]) => size);
  if (!ascend(stamped)) throw new Malformed("bundle: the sizes of the time-stamps do not ascend");
  const known = new Set(sizes);
  if (!stamped.every((size) => known.has(size))) {
    throw new Malformed("bundle: a time-stamp is over an earlier checkpoint of the bundle");
  }
  const tokens = [...timestamps.map(([, one]) => one), ...(token === null ? [] : [token])];
  if (tokens.some((one) => one.length < 1 || one.length > MAX_TOKEN_BYTES)) {
    throw new Malformed(`bundle: a time-stamp has 1 to ${MAX_TOKEN_BYTES} bytes`);
  }
  if (tsaCa === null) return;
  if (tsaCa.length > MAX_CA_BYTES || !PEM_FORM.test(Array.from(tsaCa, (byte) => String.fromCharCode(byte)).join(""))) {
    throw new Malformed("bundle: the certificates of the time-stamping authority are not PEM");
  }
}

// Cut a byte string out of its item; one of another form is read when all are cut.
function octetsOrItem(data, begin, end) {
  const [value, itsEnd] = readOctets(data, begin) ?? [];
  return itsEnd === end ? value : { whole: data.subarray(begin, end) };
}

async function octetItems(data, maximum, turns) {
  const items = [];
  for (const item of await splitSequence(data ?? new Uint8Array(0), maximum, turns, MAX_BUNDLE_BYTES, octetsOrItem)) {
    const value = isOctets(item) ? item : decode(item.whole, MAX_BUNDLE_BYTES);
    if (!isOctets(value)) throw new Malformed("expected a sequence of byte strings");
    items.push(value);
  }
  return items;
}

async function readTimestamps(data, turns) {
  const longest = 2 * MAX_TOKEN_BYTES;
  const items = await splitSequence(data ?? new Uint8Array(0), MAX_CHECKPOINTS, turns, longest);
  return items.map((item) => {
    const value = decode(item, longest);
    if (!Array.isArray(value) || value.length !== 2 || !isInteger(value[0]) || value[0] < 0 || !isOctets(value[1])) {
      throw new Malformed("expected a size and a time-stamp in each item");
    }
    return value;
  });
}

async function readDisclosures(found, turns) {
  const disclosures = [];
  let left = MAX_SHOWN_BYTES;
  let last = -1;
  for (const [name, data] of found) {
    const form = DISCLOSURE_NAME.exec(name);
    if (form === null) continue;
    const disclosure = await readDisclosure(data, left, turns);
    left -= disclosure.pixelBytes;
    const [number, display] = [Number(form[1]), form[2] === undefined ? null : Number(form[2])];
    const place = number * 8 + (display ?? 0);
    if (place <= last) throw new Malformed("bundle: the disclosures do not ascend");
    last = place;
    disclosures.push({ name, number, display, disclosure });
  }
  return disclosures;
}
