// COSE receipts (RFC 9942) of a bundle: that the log's key signed a tree with this statement.

import { Fails, Malformed, fromHex, joined, sameBytes, toHex } from "./bytes.mjs";
import { Fields, cborHead, decode, encode, isInteger, isOctets } from "./cbor.mjs";
import { SIGNATURE_BYTES } from "./keys.mjs";
import { MAX_PATH, inclusionRoot, leafHash } from "./merkle.mjs";
import { readSign1, sigStructure } from "./statement.mjs";

// A log writes one header for a subject; a stranger's many must not fill the memory.
const MAX_SEEN = 64;
// Of this many signatures receipts are compared with; one for each kind of subject is enough.
const MAX_ALIKE = 4;
const MARK = fromHex("a119018ca12081");
const THREE = Uint8Array.of(0x83);
const DETACHED = Uint8Array.of(0xf6);

// Signatures of receipts that are checked already or at the time, and the path before: the log
// signs a header and a root, which for all statements of one subject is one signature.
export class SeenReceipts {
  constructor() {
    this.path = new Map();
    this.checks = new Map();
    this.known = [];
  }

  // Check a signature, or take what a check of the same gave.
  check(key, signature, message) {
    const name = `${key.name} ${toHex(signature)} ${toHex(message)}`;
    if (!this.checks.has(name)) {
      if (this.checks.size >= MAX_SEEN) this.checks.clear();
      this.checks.set(name, key.verify(signature, message));
    }
    return this.checks.get(name);
  }

  get learns() {
    return this.known.length < MAX_ALIKE;
  }

  // Remember a receipt of the tree's size that was checked, and that leads to its root.
  learn(data, size) {
    const { protectedHeader, signature } = readSign1(data);
    const begin = joined(Uint8Array.of(0xd2, 0x84), encode(protectedHeader), MARK);
    this.known.push({ begin, size: encode(size), end: joined(DETACHED, encode(signature)) });
  }

  // Tell whether it differs from one of these in place and path alone, and has those that the tree
  // has; `path` is that of the leaf, each hash as a byte string.
  holds(data, index, path) {
    const head = cborHead(4, path.length / 34);
    return this.known.some(({ begin, size, end }) => {
      const place = cborHead(0, index);
      const length = cborHead(2, 1 + size.length + place.length + head.length + path.length);
      return isJoined(data, begin, length, THREE, size, place, head, path, end);
    });
  }
}

function isJoined(data, ...parts) {
  let at = 0;
  for (const part of parts) {
    if (at + part.length > data.length) return false;
    for (let n = 0; n < part.length; n++) if (data[at++] !== part[n]) return false;
  }
  return at === data.length;
}

// Check a receipt for one entry; give the size and index that it claims and the root it leads to.
export async function verifyReceipt(data, entry, key, seen = new SeenReceipts()) {
  const sign1 = readSign1(data);
  if (sign1.payload !== null) throw new Malformed("a receipt of inclusion has a detached payload");
  const [size, index, path] = inclusionProof(sign1.unprotected);
  const { algorithm, kid } = receiptHeader(sign1.protectedHeader);
  if (!sameBytes(kid, key.thumbprint) || !key.allows(algorithm)) {
    throw new Fails("the receipt is not by the log's key");
  }
  const root = inclusionRoot(leafHash(entry), index, size, path, seen.path);
  await seen.check(key, sign1.signature, sigStructure(sign1.protectedHeader, root));
  return { size, index, root: toHex(root) };
}

function receiptHeader(data) {
  const fields = new Fields(decode(data), "receipt header");
  const algorithm = fields.integer(1, "algorithm", -65536, -1);
  const kid = fields.exactly(4, "key", 32);
  const claims = fields.fields(15, "claims");
  claims.text(1, "issuer", 512);
  claims.text(2, "subject", 512);
  claims.close();
  if (fields.uint(395, "verifiable data structure") !== 1) {
    throw new Malformed("a receipt is about an RFC 9162 tree with SHA-256");
  }
  fields.close();
  if (!SIGNATURE_BYTES.has(algorithm)) throw new Malformed("the receipt names an unknown algorithm");
  return { algorithm, kid };
}

function inclusionProof(unprotected) {
  const proofs = unprotected.size === 1 ? unprotected.get(396) : undefined;
  const proof = proofs instanceof Map && proofs.size === 1 ? proofs.get(-1) : undefined;
  if (!Array.isArray(proof) || proof.length !== 1 || !isOctets(proof[0])) {
    throw new Malformed("a receipt has exactly one inclusion proof");
  }
  const value = decode(proof[0]);
  const [size, index, path] = Array.isArray(value) && value.length === 3 ? value : [];
  const counts = isInteger(size) && isInteger(index) && size >= 0 && index >= 0;
  if (!counts || !Array.isArray(path) || path.length > MAX_PATH || !path.every(isOctets)) {
    throw new Malformed("an inclusion proof has a size, an index and a path");
  }
  return [size, index, path];
}
