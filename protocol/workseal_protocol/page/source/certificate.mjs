// X.509 certificates (RFC 5280), as far as the chain of a time-stamp needs them.
//
// Rules: names are equal when their bytes are. A critical extension that this page does not know
// makes a certificate useless here. Revocation is not checked (docs/spec/timestamps.md).

import { Malformed, fromUtf8, sameBytes, toHex } from "./bytes.mjs";
import { BIT_STRING, GENERALIZED_TIME, INTEGER, OBJECT, OCTET_STRING, SEQUENCE, UTC_TIME, bitStringOctets, integerOctets, objectName, readAlgorithm, readDer, smallInteger } from "./der.mjs";

const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";
const EXTENDED_USAGE = "551d25";
const SUBJECT_KEY = "551d0e";
const AUTHORITY_KEY = "551d23";
const OTHER_SUBJECT = "551d11";
const REVOCATION_LISTS = "551d1f";
const NAME_CONSTRAINTS = "551d1e";
const HANDLED = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_USAGE, SUBJECT_KEY, AUTHORITY_KEY, OTHER_SUBJECT]);
const READ_WHOLE = [
  [EXTENDED_USAGE, (usages) => usages.each(OBJECT, "a usage").forEach(objectName)],
  [OTHER_SUBJECT, (names) => directoryName(names)], [REVOCATION_LISTS, (points) => readPoints(points)],
];
const TIME_STAMPING = "2b06010505070308";
const BOOLEAN = 0x01;
const BOOLEAN_TRUE = Uint8Array.of(0xff);
const DIRECTORY_NAME = 0xa4;
// Mail, host, another form's octets, an address on the web or of a network, a registered number.
const OTHER_NAMES = new Set([0x81, 0x82, 0xa0, 0x86, 0x87, 0x88]);
const BMP_STRING = 0x1e;
const UNIVERSAL_STRING = 0x1c;
// What a name is written in: bits, octets, UTF-8, numeric, printable, T61, IA5, times, visible.
const NAME_TEXTS = new Set([BIT_STRING, OCTET_STRING, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, UNIVERSAL_STRING, BMP_STRING]);

const EC_KEY = "2a8648ce3d0201";
const RSA_KEY = "2a864886f70d010101";
const ED25519_KEY = "2b6570";
const CURVES = new Map([
  ["2a8648ce3d030107", ["P-256", 32]], ["2b81040022", ["P-384", 48]], ["2b81040023", ["P-521", 66]],
]);
const SIGNATURES = new Map([
  ["2a8648ce3d040302", "SHA-256"], ["2a8648ce3d040303", "SHA-384"], ["2a8648ce3d040304", "SHA-512"],
  ["2a864886f70d01010b", "SHA-256"], ["2a864886f70d01010c", "SHA-384"], ["2a864886f70d01010d", "SHA-512"],
  [ED25519_KEY, ""],
]);

// The algorithms by which a key of each type may sign a root: its signature is not checked, so that
// old ones do no harm.
const SIGNERS = new Map([
  [EC_KEY, ["2a8648ce3d0401", "2a8648ce3d040301", "2a8648ce3d040302", "2a8648ce3d040303", "2a8648ce3d040304"]],
  [RSA_KEY, ["05", "0b", "0c", "0d", "0e"].map((last) => `2a864886f70d0101${last}`)],
  [ED25519_KEY, [ED25519_KEY]],
]);

export function sameName(one, other) {
  return sameBytes(one, other);
}

// Read a certificate, or throw Malformed.
export function certificateOf(der) {
  const outer = readDer(der, SEQUENCE, "a certificate").inside();
  const body = outer.next(SEQUENCE, "a certificate's body");
  const algorithm = outer.next(SEQUENCE, "a signature algorithm");
  const signature = bitStringOctets(outer.next(BIT_STRING, "a signature"));
  outer.close("a certificate");
  const row = body.inside();
  const version = row.optional(0xa0);
  const serial = integerOctets(row.next(INTEGER, "a serial number"));
  const named = row.next(SEQUENCE, "a signature algorithm");
  const issuer = nameOctets(row.next(SEQUENCE, "an issuer"));
  const validity = row.next(SEQUENCE, "a validity").inside();
  const notBefore = instantOf(validity.any("a time"));
  const notAfter = instantOf(validity.any("a time"));
  const subject = nameOctets(row.next(SEQUENCE, "a subject"));
  const keyInfo = row.next(SEQUENCE, "a public key");
  const keyType = keyTypeOf(keyInfo);
  // Names of issuer and subject beside their names: nobody reads them.
  for (const tag of [0x81, 0x82]) {
    const name = row.optional(tag);
    if (name !== null) bitStringOctets(name);
  }
  const extensions = row.optional(0xa3);
  row.close("a certificate's body");
  const [outerName, innerName] = [algorithm, named].map((one) => readAlgorithm(one).object);
  return {
    der, body: body.whole, serial, issuer, subject, notBefore, notAfter, keyInfo, keyType, signature, innerName,
    // One that names two algorithms is signed by neither.
    signatureAlgorithm: sameBytes(algorithm.whole, named.whole) ? outerName : "",
    version: versionOf(version),
    extensions: extensions === null ? new Map() : extensionsOf(extensions),
  };
}

// Give the bytes of a name, once it has the form of one.
function nameOctets(value) {
  for (const part of value.each(SET, "a part of a name")) {
    for (const attribute of part.members(SEQUENCE, "an attribute")) {
      const row = attribute.inside();
      objectName(row.next(OBJECT, "an attribute"));
      const { tag, content } = row.any("a value");
      row.close("an attribute");
      if (!NAME_TEXTS.has(tag)) throw new Malformed("DER: a name holds something else than text");
      if (tag !== BIT_STRING && tag !== BMP_STRING && tag !== UNIVERSAL_STRING) fromUtf8(content, "a name");
    }
  }
  return value.whole;
}

function keyTypeOf(keyInfo) {
  const row = keyInfo.inside();
  const { object } = readAlgorithm(row.next(SEQUENCE, "a key's algorithm"));
  bitStringOctets(row.next(BIT_STRING, "a key"));
  row.close("a public key");
  return object;
}

function versionOf(value) {
  if (value === null) return 0;
  const row = value.inside();
  const version = smallInteger(row.next(INTEGER, "a version"));
  row.close("a version");
  // The first version is the default, and not written; the second is nowhere in use.
  if (version !== 2) throw new Malformed("a certificate of an unknown version");
  return version;
}

function extensionsOf(value) {
  const found = new Map();
  const all = value.inside();
  const items = all.next(SEQUENCE, "extensions").each(SEQUENCE, "an extension");
  all.close("extensions");
  for (const item of items) {
    const row = item.inside();
    const name = objectName(row.next(OBJECT, "an extension"));
    const critical = row.optional(BOOLEAN);
    if (critical !== null && !sameBytes(critical.content, BOOLEAN_TRUE)) throw new Malformed("DER: a default is written");
    const content = row.next(OCTET_STRING, "an extension's value").content;
    row.close("an extension");
    if (found.has(name)) throw new Malformed("a certificate has an extension twice");
    found.set(name, { critical: critical !== null, content });
  }
  return found;
}

// Read a UTCTime or GeneralizedTime without fraction as Unix milliseconds.
function instantOf(value) {
  const text = String.fromCharCode(...value.content);
  const short = value.tag === UTC_TIME;
  if (!short && value.tag !== GENERALIZED_TIME) throw new Malformed("DER: expected a time");
  const whole = short ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  return calendarInstant(whole.slice(0, 14), whole.slice(14) === "Z" ? whole : "");
}

// Give the instant of YYYYMMDDHHMMSS in UTC; `whole` is empty where its end was wrong.
export function calendarInstant(digits, whole = digits) {
  const form = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(digits);
  if (form === null || whole === "") throw new Malformed("DER: a time is not of its form");
  const [year, month, day, hour, minute, second] = form.slice(1).map(Number);
  const instant = Date.UTC(year, month - 1, day, hour, minute, second);
  const written = new Date(instant).toISOString().replace(/[-T:]/g, "").slice(0, 14);
  if (written !== digits) throw new Malformed("DER: a time that no calendar has");
  return instant;
}

// Tell whether the certificate is for time-stamping, critically and alone.
export function isForTimeStamping(certificate) {
  const usage = certificate.extensions.get(EXTENDED_USAGE);
  if (usage === undefined || !usage.critical) return false;
  const purposes = readDer(usage.content, SEQUENCE, "usages").each(OBJECT, "a usage");
  return purposes.length === 1 && toHex(purposes[0].content) === TIME_STAMPING;
}

// Tell whether what stands in an authority's certificate can be read at all: what its key may be used
// for, its other names, and where lists of revoked ones are. What its own names are bound to this
// page does not check, so that one which says that is none here.
export function hasReadableExtensions(certificate) {
  try {
    for (const [name, read] of READ_WHOLE) {
      const extension = certificate.extensions.get(name);
      if (extension !== undefined) read(readDer(extension.content, SEQUENCE, "an extension"));
    }
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
  return !certificate.extensions.has(NAME_CONSTRAINTS);
}

function readPoints(points) {
  for (const point of points.each(SEQUENCE, "where a list is")) {
    const row = point.inside();
    const place = row.optional(0xa0);
    const reasons = row.optional(0x81);
    const issuer = row.optional(0xa2);
    row.close("where a list is");
    const [name, ...more] = place === null ? [] : place.inside().values;
    if (more.length > 0 || (place !== null && name?.tag !== 0xa0 && name?.tag !== 0xa1)) {
      throw new Malformed("DER: where a list is has no name");
    }
    if (name?.tag === 0xa0) directoryName(name);
    if (reasons !== null) bitStringOctets(reasons);
    if (issuer !== null) directoryName(issuer);
  }
}

// Tell whether a certificate's key may sign what its usage bits (from the highest) name.
export function allowsUsage(certificate, bits) {
  const usage = certificate.extensions.get(KEY_USAGE);
  if (usage === undefined) return true;
  return (readDer(usage.content, BIT_STRING, "key usage").content[1] & bits) !== 0;
}

export function hasUnknownCritical(certificate) {
  return [...certificate.extensions].some(([name, { critical }]) => critical && !HANDLED.has(name));
}

// Give how many authorities may stand below this one; -1 when it is none.
export function authorityDepth(certificate) {
  const constraints = certificate.extensions.get(BASIC_CONSTRAINTS);
  if (constraints === undefined) return -1;
  const row = readDer(constraints.content, SEQUENCE, "basic constraints").inside();
  const authority = row.optional(BOOLEAN);
  const length = row.optional(INTEGER);
  if (authority === null || authority.content[0] === 0) return -1;
  return length === null ? Infinity : smallInteger(length);
}

// Tell whether the issuer's key made the certificate's signature.
export async function isIssuedBy(certificate, issuer) {
  if (!sameName(certificate.issuer, issuer.subject) || !keyNamesAgree(certificate, issuer)) return false;
  if (!keyNamed(certificate).whole) return false;
  const hash = SIGNATURES.get(certificate.signatureAlgorithm);
  if (hash === undefined) return false;
  return signatureHolds(issuer, hash, certificate.signature, certificate.body);
}

// Tell whether an issuer's key is the one that a certificate names: by its identifier, by the serial
// number of its certificate and the name of whoever issued that one, or by all of them.
function keyNamesAgree(certificate, issuer) {
  const { key, name, serial } = keyNamed(certificate);
  const own = issuer.extensions.get(SUBJECT_KEY);
  if (key !== null && own !== undefined) {
    if (!sameBytes(key, readDer(own.content, OCTET_STRING, "a key's name").content)) return false;
  }
  return (serial === null || sameBytes(serial, issuer.serial)) && (name === null || sameName(name, issuer.issuer));
}

// Give how a certificate names the key that signed it; null for what it leaves out.
function keyNamed(certificate) {
  const wanted = certificate.extensions.get(AUTHORITY_KEY);
  if (wanted === undefined) return { key: null, name: null, serial: null, whole: true };
  const row = readDer(wanted.content, SEQUENCE, "a key's name").inside();
  const [key, names, serial] = [0x80, 0xa1, 0x82].map((tag) => row.optional(tag));
  row.close("a key's name");
  return {
    key: key && key.content, name: names && directoryName(names), serial: serial && serial.content,
    // RFC 5280, section 4.2.1.1: a name and a serial number come together.
    whole: (names === null) === (serial === null),
  };
}

// Give the first name of a directory among names of any form; null if there is none.
function directoryName(names) {
  let found = null;
  for (const { tag, content } of names.inside().values) {
    if (tag === DIRECTORY_NAME) found ??= nameOctets(readDer(content, SEQUENCE, "a name"));
    else if (!OTHER_NAMES.has(tag)) throw new Malformed("DER: a name of an unknown form");
  }
  return found;
}

// Tell whether a certificate looks as if it had signed itself; a root's signature proves nothing.
export function looksSelfSigned(certificate) {
  const { issuer, subject, innerName, keyType } = certificate;
  return sameName(issuer, subject) && keyNamesAgree(certificate, certificate)
    && SIGNERS.get(keyType)?.includes(innerName) === true;
}

// Check a signature with a certificate's key; false when it does not hold or nobody can tell.
export async function signatureHolds(certificate, hash, signature, message) {
  const row = certificate.keyInfo.inside();
  const { object, parameters } = readAlgorithm(row.next(SEQUENCE, "a key's algorithm"));
  const { subtle } = crypto;
  const open = (algorithm) => subtle.importKey("spki", certificate.keyInfo.whole, algorithm, false, ["verify"]);
  try {
    if (object === EC_KEY && parameters !== null) {
      const [namedCurve, width] = CURVES.get(toHex(parameters.content)) ?? [];
      if (namedCurve === undefined || hash === "") return false;
      const key = await open({ name: "ECDSA", namedCurve });
      return await subtle.verify({ name: "ECDSA", hash }, key, flatSignature(signature, width), message);
    }
    if (object === RSA_KEY && hash !== "") {
      const algorithm = { name: "RSASSA-PKCS1-v1_5", hash };
      return await subtle.verify(algorithm, await open(algorithm), signature, message);
    }
    if (object === ED25519_KEY && hash === "") {
      return await subtle.verify({ name: "Ed25519" }, await open({ name: "Ed25519" }), signature, message);
    }
  } catch {
    // A key that the browser does not take, or a signature that is not DER.
  }
  return false;
}

// Turn an ECDSA signature in DER into its two numbers, one after the other.
function flatSignature(der, width) {
  const row = readDer(der, SEQUENCE, "a signature").inside();
  const flat = new Uint8Array(2 * width);
  for (const end of [width, 2 * width]) {
    const octets = integerOctets(row.next(INTEGER, "a number"));
    const number = octets[0] === 0 ? octets.subarray(1) : octets;
    if (octets[0] >= 0x80 || number.length > width) throw new Malformed("a signature out of range");
    flat.set(number, end - number.length);
  }
  row.close("a signature");
  return flat;
}
