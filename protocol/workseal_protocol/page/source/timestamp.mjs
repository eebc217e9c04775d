// Time-stamp tokens (RFC 3161) over log-signed checkpoints (docs/spec/timestamps.md).
//
// Rules: trust comes from the caller's roots alone; the chain is checked at the token's own time.

import { Fails, Malformed, fromBase64, sameBytes, toHex } from "./bytes.mjs";
import { allowsUsage, authorityDepth, calendarInstant, certificateOf, hasReadableExtensions, hasUnknownCritical, isForTimeStamping, isIssuedBy, looksSelfSigned, sameName, signatureHolds } from "./certificate.mjs";
import { GENERALIZED_TIME, INTEGER, OBJECT, OCTET_STRING, SEQUENCE, SET, integerOctets, readAlgorithm, readDer, smallInteger } from "./der.mjs";
import { sha256 } from "./sha256.mjs";

export const MAX_TOKEN_BYTES = 65536;
const MAX_TOKEN_CERTIFICATES = 8;
const MAX_TRUSTED = 32;
const MAX_CHAIN_LENGTH = 10;
const MAX_ACCURACY_SECONDS = 86400;
const UNSTATED_ACCURACY_NS = 10n ** 9n;
const HASHES = new Map([
  ["608648016503040201", "SHA-256"], ["608648016503040202", "SHA-384"], ["608648016503040203", "SHA-512"],
]);
const SIGNED_DATA = "2a864886f70d010702";
const TST_INFO = "2a864886f70d0109100104";
const CONTENT_TYPE = "2a864886f70d010903";
const MESSAGE_DIGEST = "2a864886f70d010904";
// The bits of key usage: digitalSignature or nonRepudiation; keyCertSign.
const MAY_SIGN = 0xc0;
const MAY_CERTIFY = 0x04;
const PEM = /-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/]{1,64}={0,2}\n)+)-----END CERTIFICATE-----\n/g;

// Find the certificates in PEM text; they may come from anywhere.
export function pemCertificates(data) {
  const text = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  try {
    return [...text.matchAll(PEM)].map((form) => fromBase64(form[1].replaceAll("\n", ""), "tsa-ca.pem"));
  } catch {
    throw new Fails("tsa-ca.pem has a certificate that is not base64");
  }
}

// Read the caller's roots, and of the helpers those that a root vouches for.
export async function trustedAuthorities(roots, helpers) {
  if (helpers.length > MAX_TRUSTED) throw new Malformed(`expected at most ${MAX_TRUSTED} certificates`);
  const trusted = distinct(roots).map(certificateOf);
  const found = [...trusted];
  // Another certificate of a root's key helps nobody who has the root.
  let waiting = distinct(helpers).map(certificateOf).filter((one) => !sameName(one.issuer, one.subject));
  for (let at = 0; at < found.length; at++) {
    const left = [];
    for (const one of waiting) {
      const vouched = authorityDepth(one) >= 0 && (await isIssuedBy(one, found[at]));
      (vouched ? found : left).push(one);
    }
    waiting = left;
  }
  return { roots: trusted, helpers: found.slice(trusted.length) };
}

function distinct(ders) {
  return [...new Map(ders.map((der) => [toHex(der), der])).values()];
}

// Check a TimeStampResp over a message, and say by when (Unix milliseconds) the message existed.
export async function verifyToken(token, message, authorities) {
  if (token.length > MAX_TOKEN_BYTES) {
    throw new Malformed(`a time-stamp response has at most ${MAX_TOKEN_BYTES} bytes`);
  }
  const signed = readResponse(token);
  const info = readInfo(signed.content);
  const signer = signerOf(signed);
  requireContent(info, message);
  if (!isForTimeStamping(signer)) throw new Fails("the signer's certificate is not for time-stamping alone");
  const good = (await isSignedBy(signed, signer)) && (await leadsToRoot(signer, signed.certificates, authorities, info.second));
  if (!good) throw new Fails("the time-stamp's signature does not lead to a trusted root");
  return info.upper;
}

function readResponse(token) {
  const response = readDer(token, SEQUENCE, "a time-stamp response").inside();
  const status = response.next(SEQUENCE, "a status").inside().next(INTEGER, "a status");
  if (smallInteger(status) !== 0) throw new Fails("the time-stamp authority did not grant the request");
  const container = response.next(SEQUENCE, "a token").inside();
  response.close("a time-stamp response");
  if (toHex(container.next(OBJECT, "signed data").content) !== SIGNED_DATA) {
    throw new Malformed("the token is not signed data");
  }
  const data = container.next(0xa0, "signed data").inside().next(SEQUENCE, "signed data").inside();
  container.close("a token");
  smallInteger(data.next(INTEGER, "a version"));
  const digests = data.next(SET, "digest algorithms").members(SEQUENCE, "an algorithm").map((one) => readAlgorithm(one).object);
  const content = data.next(SEQUENCE, "content").inside();
  if (toHex(content.next(OBJECT, "a time-stamp").content) !== TST_INFO) {
    throw new Malformed("the token holds something else than a time-stamp");
  }
  const octets = content.next(0xa0, "content").inside().next(OCTET_STRING, "content").content;
  const certificates = data.optional(0xa0)?.members(SEQUENCE, "a certificate") ?? [];
  data.optional(0xa1);
  const signers = data.next(SET, "signers").members(SEQUENCE, "a signer");
  data.close("signed data");
  return { digests, content: octets, certificates: certificates.map((one) => one.whole), signers };
}

// Give the certificate that the one signer names, and remember what it signed.
function signerOf(signed) {
  if (signed.signers.length !== 1) throw new Malformed("a time-stamp token has one signer");
  if (signed.certificates.length > MAX_TOKEN_CERTIFICATES) {
    throw new Malformed(`expected at most ${MAX_TOKEN_CERTIFICATES} certificates`);
  }
  signed.certificates = distinct(signed.certificates).map(certificateOf);
  const names = signed.certificates.map((one) => `${toHex(one.issuer)} ${toHex(one.serial)}`);
  if (new Set(names).size !== names.length) {
    throw new Malformed("two certificates of the token share one issuer and serial number");
  }
  const row = signed.signers[0].inside();
  smallInteger(row.next(INTEGER, "a version"));
  const named = row.next(SEQUENCE, "a signer's name").inside();
  const wanted = `${toHex(named.next(SEQUENCE, "an issuer").whole)} ${toHex(integerOctets(named.next(INTEGER, "a serial number")))}`;
  named.close("a signer's name");
  signed.digest = readAlgorithm(row.next(SEQUENCE, "a digest algorithm")).object;
  signed.attributes = row.next(0xa0, "signed attributes");
  // Its key tells the algorithm; what stands here need only be one.
  readAlgorithm(row.next(SEQUENCE, "a signature algorithm"));
  signed.signature = row.next(OCTET_STRING, "a signature").content;
  row.optional(0xa1);
  row.close("a signer");
  if (!names.includes(wanted)) throw new Fails("the token does not contain its signer's certificate");
  if (!signed.digests.every((one) => HASHES.has(one))) {
    throw new Fails("the token is signed with a hash function that is not SHA-2");
  }
  return signed.certificates[names.indexOf(wanted)];
}

function readInfo(content) {
  const row = readDer(content, SEQUENCE, "a time-stamp's content").inside();
  const version = smallInteger(row.next(INTEGER, "a version"));
  row.next(OBJECT, "a policy");
  const imprint = row.next(SEQUENCE, "an imprint").inside();
  const algorithm = readAlgorithm(imprint.next(SEQUENCE, "a hash function")).object;
  const digest = imprint.next(OCTET_STRING, "a digest").content;
  imprint.close("an imprint");
  integerOctets(row.next(INTEGER, "a serial number"));
  const time = timeOf(row.next(GENERALIZED_TIME, "a time").content);
  const accuracy = row.optional(SEQUENCE);
  const ordering = row.optional(0x01);
  if (ordering !== null && !sameBytes(ordering.content, Uint8Array.of(0xff))) throw new Malformed("DER: a default is written");
  const nonce = row.optional(INTEGER);
  if (nonce !== null) integerOctets(nonce);
  row.optional(0xa0);
  row.optional(0xa1);
  row.close("a time-stamp's content");
  const least = accuracy === null ? UNSTATED_ACCURACY_NS : accuracyOf(accuracy);
  const upper = (time.nanoseconds + least + 999999n) / 1000000n;
  return { version, algorithm, digest, second: time.second, upper };
}

function timeOf(content) {
  const form = /^([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z$/.exec(String.fromCharCode(...content));
  if (form === null) throw new Malformed("the time of a time-stamp is not a GeneralizedTime");
  const second = calendarInstant(form[1]);
  if (second < 0) throw new Malformed("the time of a time-stamp lies before 1970");
  const fraction = BigInt((form[2] ?? "0").padEnd(9, "0"));
  return { second, nanoseconds: BigInt(second) * 1000000n + fraction };
}

function accuracyOf(value) {
  const row = value.inside();
  const [seconds, millis, micros] = [INTEGER, 0x80, 0x81].map((tag) => {
    const part = row.optional(tag);
    return part === null ? 0 : smallInteger(part);
  });
  row.close("an accuracy");
  if (seconds > MAX_ACCURACY_SECONDS) throw new Fails("the time-stamp's accuracy is worse than a day");
  return BigInt(seconds) * 10n ** 9n + BigInt(millis) * 10n ** 6n + BigInt(micros) * 1000n;
}

function requireContent(info, message) {
  if (info.version !== 1) throw new Fails("a time-stamp token has version 1");
  if (HASHES.get(info.algorithm) !== "SHA-256") throw new Fails("the time-stamp is not over a SHA-256 digest");
  if (!sameBytes(info.digest, sha256(message))) throw new Fails("the time-stamp is over another message");
}

// Check the signed attributes, and the signature over them.
async function isSignedBy(signed, signer) {
  const hash = HASHES.get(signed.digest);
  if (hash === undefined || !signed.digests.includes(signed.digest)) return false;
  const found = new Map();
  for (const attribute of signed.attributes.members(SEQUENCE, "an attribute")) {
    const row = attribute.inside();
    const name = toHex(row.next(OBJECT, "an attribute").content);
    if (found.has(name)) return false;
    found.set(name, row.next(SET, "an attribute's values").inside().values);
  }
  const [type, digest] = [found.get(CONTENT_TYPE), found.get(MESSAGE_DIGEST)];
  if (type?.length !== 1 || toHex(type[0].content) !== TST_INFO || digest?.length !== 1) return false;
  const computed = new Uint8Array(await crypto.subtle.digest(hash, signed.content));
  if (digest[0].tag !== OCTET_STRING || !sameBytes(digest[0].content, computed)) return false;
  // What is signed is the set itself, not its implicit tag.
  const message = signed.attributes.whole.slice();
  message[0] = SET;
  return signatureHolds(signer, hash, signed.signature, message);
}

// Find a chain from the signer to a root, each certificate valid at the token's time.
async function leadsToRoot(signer, own, { roots, helpers }, instant) {
  if (hasUnknownCritical(signer) || !allowsUsage(signer, MAY_SIGN) || !isValidAt(signer, instant)) return false;
  const isRoot = (one) => roots.some((root) => sameBytes(root.der, one.der)) && looksSelfSigned(one);
  const climb = async (one, chain) => {
    if (isRoot(one)) return true;
    if (chain.length > MAX_CHAIN_LENGTH) return false;
    for (const issuer of [...roots, ...helpers, ...own]) {
      if (chain.includes(issuer) || !mayCertify(issuer, chain.length - 1, instant)) continue;
      if ((await isIssuedBy(one, issuer)) && (await climb(issuer, [...chain, issuer]))) return true;
    }
    return false;
  };
  return climb(signer, [signer]);
}

function mayCertify(issuer, below, instant) {
  return authorityDepth(issuer) >= below && allowsUsage(issuer, MAY_CERTIFY)
    && hasReadableExtensions(issuer) && !hasUnknownCritical(issuer) && isValidAt(issuer, instant);
}

function isValidAt(certificate, instant) {
  return certificate.notBefore <= instant && instant <= certificate.notAfter;
}
