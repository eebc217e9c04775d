// Statements: what a party says, signed, in the one form that the log admits (docs/spec/statement.md).

import { Fails, Malformed, joined, sameBytes, toHex, toUtf8 } from "./bytes.mjs";
import { Fields, MAX_BYTES, decode, encode, isOctets, readItem, readOctets } from "./cbor.mjs";
import { SIGNATURE_BYTES, thumbprintUri } from "./keys.mjs";
import { sha256 } from "./sha256.mjs";
import { IN_TURN } from "./signatures.mjs";

const ABOUT_ISSUER = new Set(["key.announce", "key.rotate", "key.revoke", "log.policy", "beacon.commitment"]);
export const CHAINED = new Set(["session.open", "segment", "session.close", "tombstone", "declaration", "evidence"]);
const KINDS = new Set([
  ...ABOUT_ISSUER, ...CHAINED, "offer", "acceptance", "possession", "timesheet", "timesheet.answer",
  "dispute.filing", "dispute.act", "dispute.request", "dispute.disclosure", "dispute.finding", "bundle.manifest",
]);
const SUBJECT = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const CONTENT_FORM = /^application\/vnd\.workseal\.([a-z.]{1,32})\+cbor$/;
const SIGNATURE_1 = joined(Uint8Array.of(0x84, 0x6a), toUtf8("Signature1"));
const NO_EXTERNAL_DATA = Uint8Array.of(0x40);
// Tag 18 and an array of four.
const SIGN1_HEAD = 2;
const NIL = 0xf6;
const EMPTY_MAP = 0xa0;

// Read the four parts of a COSE_Sign1 with tag 18; a payload of null is a detached one.
export function readSign1(data) {
  if (data.length > MAX_BYTES) {
    throw new Malformed(`expected at most ${MAX_BYTES} bytes, found ${data.length}`);
  }
  if (data[0] !== 0xd2 || data[1] !== 0x84) {
    throw new Malformed("expected a COSE_Sign1: tag 18 and an array of four");
  }
  const [protectedHeader, unprotectedAt] = octetsAt(data, 2, "protected header");
  const empty = data[unprotectedAt] === EMPTY_MAP;
  const [unprotected, payloadAt] = empty ? [new Map(), unprotectedAt + 1] : readItem(data, unprotectedAt);
  if (!(unprotected instanceof Map)) throw new Malformed("expected a map as unprotected header");
  const detached = data[payloadAt] === NIL;
  const [payload, signatureAt] = detached ? [null, payloadAt + 1] : octetsAt(data, payloadAt, "payload");
  const [signature, end] = octetsAt(data, signatureAt, "signature");
  if (end !== data.length) throw new Malformed("the COSE_Sign1 is not in its one spelling");
  return { protectedHeader, unprotected, payload, signature };
}

function octetsAt(data, at, what) {
  const [value, end] = readOctets(data, at) ?? readItem(data, at);
  if (!isOctets(value)) throw new Malformed(`expected a byte string as ${what}`);
  return [value, end];
}

// Write what is signed: RFC 9052 section 4.4, with empty external data.
export function sigStructure(protectedHeader, payload) {
  return joined(SIGNATURE_1, encode(protectedHeader), NO_EXTERNAL_DATA, encode(payload));
}

// Read one statement; its signature is not verified.
export function readStatement(data) {
  const parts = readSign1(data);
  if (parts.unprotected.size > 0) throw new Malformed("expected an empty unprotected header");
  if (parts.payload === null) throw new Malformed("expected the payload inside the statement");
  const header = readHeader(parts.protectedHeader);
  if (parts.signature.length !== SIGNATURE_BYTES.get(header.algorithm)) {
    throw new Malformed("the signature does not have the length of its algorithm");
  }
  const { kind, algorithm, issuer, subject } = header;
  const { protectedHeader, payload, signature } = parts;
  const headerEnd = protectedHeader.byteOffset - data.byteOffset + protectedHeader.length;
  return { kind, algorithm, issuer, subject, headerEnd, payload, signature, data, digest: toHex(sha256(data)) };
}

const HEADERS = new Map();
const MAX_HEADERS = 1024;
let lastHeader = null;

// A session's statements share one header: each is read once.
function readHeader(data) {
  // Nearly always that of the statement before.
  if (lastHeader === null || !sameBytes(lastHeader.data, data)) lastHeader = { data, header: knownHeader(data) };
  return lastHeader.header;
}

function knownHeader(data) {
  const name = toHex(data);
  let header = HEADERS.get(name);
  if (header === undefined) {
    header = freshHeader(data);
    if (HEADERS.size >= MAX_HEADERS) HEADERS.clear();
    HEADERS.set(name, header);
  }
  return header;
}

function freshHeader(data) {
  const fields = new Fields(decode(data), "protected header");
  const claims = fields.fields(15, "claims");
  const kind = CONTENT_FORM.exec(fields.text(3, "content type"))?.[1];
  const algorithm = fields.integer(1, "alg", -65535, -1);
  if (!SIGNATURE_BYTES.has(algorithm)) throw new Malformed("protected header: unknown algorithm");
  if (!KINDS.has(kind)) throw new Malformed("protected header: unknown kind");
  const issuer = fields.exactly(4, "kid", 32);
  const subject = claims.text(2, "sub", 255);
  const uri = thumbprintUri(issuer);
  if (ABOUT_ISSUER.has(kind) ? subject !== uri : !SUBJECT.test(subject)) {
    throw new Malformed(`protected header: the subject does not fit a ${kind}`);
  }
  const written = encode(new Map([
    [1, algorithm],
    [3, `application/vnd.workseal.${kind}+cbor`],
    [4, issuer],
    [15, new Map([[1, uri], [2, subject]])],
    [16, `application/vnd.workseal.${kind}+cose`],
  ]));
  if (toHex(written) !== toHex(data)) {
    throw new Malformed("protected header: typ, iss and sub do not follow from kind and kid");
  }
  return { kind, algorithm, issuer: toHex(issuer), subject };
}

// Write an engagement's 16 bytes as the subject of its statements.
export function engagementSubject(engagement) {
  const digits = toHex(engagement);
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)];
  return `urn:uuid:${parts.join("-")}`;
}

// Give what a statement's signature is over: the same as `sigStructure`, cut out of the statement,
// which has both of its parts as they are signed, with one byte between them.
export function signedBytes({ data, headerEnd, payload }) {
  const payloadEnd = payload.byteOffset - data.byteOffset + payload.length;
  return joined(SIGNATURE_1, data.subarray(SIGN1_HEAD, headerEnd), NO_EXTERNAL_DATA, data.subarray(headerEnd + 1, payloadEnd));
}

// Check that this key signed the statement, or throw Fails.
export async function verifyStatement(statement, key, signatures = IN_TURN) {
  if (key.name !== statement.issuer) throw new Fails("the statement names another key as its issuer");
  if (!key.allows(statement.algorithm)) {
    throw new Fails("the statement names an algorithm that is not its key's");
  }
  if (statement.foreseen === key) return;
  await signatures.verify(key, statement.signature, () => signedBytes(statement));
}
