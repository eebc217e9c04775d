// Public keys, their names, and signatures (docs/spec/keys.md).
//
// Rules: a key has one algorithm, told by its length. Ed25519 is verified by WebCrypto, once
// `checkEd25519` has seen that the browser accepts and refuses what the specification does. For
// ML-DSA browsers have nothing yet: a step that meets one is not reached, and never holds.

import { Fails, Malformed, NotReached, fromBase64Url, fromHex, joined, toBase64Url, toHex, toUtf8 } from "./bytes.mjs";
import { sha256 } from "./sha256.mjs";

export const EDDSA = -8;
const ED25519 = -19;
export const SIGNATURE_BYTES = new Map([[EDDSA, 64], [ED25519, 64], [-48, 2420], [-49, 3309]]);
const ALGORITHMS = new Map([[32, EDDSA], [1312, -48], [1952, -49]]);
const COSE_KEY_HEADS = new Map([
  [EDDSA, fromHex("a301012006215820")],
  [-48, fromHex("a3010703382f20590520")],
  [-49, fromHex("a30107033830205907a0")],
]);
const TEXT_NAMES = new Map([["ed25519", EDDSA], ["mldsa44", -48], ["mldsa65", -49]]);
const ML_DSA_NAMES = new Map([[-48, "ML-DSA-44"], [-49, "ML-DSA-65"]]);

export const FREELANCER = 1;
export const CLIENT = 2;
export const ARBITRATOR = 3;
export const OPERATOR = 4;
export const ROLE_NAMES = new Map([
  [FREELANCER, "freelancer"], [CLIENT, "client"], [ARBITRATOR, "arbitrator"], [OPERATOR, "operator"],
]);

const P = 2n ** 255n - 19n;
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
const ORDER_8_Y = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const SMALL_ORDER_Y = [0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y];

function power(base, exponent) {
  let result = 1n;
  for (let bit = BigInt(exponent.toString(2).length) - 1n; bit >= 0n; bit--) {
    result = (result * result) % P;
    if ((exponent >> bit) & 1n) result = (result * base) % P;
  }
  return result;
}

// Refuse what RFC 8032 does not decode, and points of small order.
function checkPoint(raw) {
  const y = BigInt(`0x${toHex(Uint8Array.from(raw).reverse())}`) & (2n ** 255n - 1n);
  if (y >= P) throw new Malformed("the Ed25519 key is not canonical");
  if (SMALL_ORDER_Y.includes(y)) throw new Malformed("the Ed25519 key is a point of small order");
  const square = (y * y) % P;
  // x^2 = (y^2 - 1) / (d y^2 + 1): a quotient is a square exactly when the product is one.
  const product = (((square + P - 1n) % P) * ((D * square + 1n) % P)) % P;
  if (power(product, (P - 1n) / 2n) !== 1n) {
    throw new Malformed("the Ed25519 key is not a point of the curve");
  }
}

export class PublicKey {
  constructor(raw, algorithm) {
    this.raw = raw;
    this.algorithm = algorithm;
    this.thumbprint = sha256(COSE_KEY_HEADS.get(algorithm), raw);
    this.name = toHex(this.thumbprint);
    this.opened = null;
    this.key = null;
  }

  // Name the key by its algorithm and bytes, for a person.
  text() {
    const [name] = [...TEXT_NAMES].find(([, algorithm]) => algorithm === this.algorithm);
    return `${name}:${toBase64Url(this.raw)}`;
  }

  allows(algorithm) {
    if (this.algorithm === EDDSA) return algorithm === EDDSA || algorithm === ED25519;
    return algorithm === this.algorithm;
  }

  get isChecked() {
    return this.algorithm === EDDSA;
  }

  // Throw NotReached where the browser cannot tell.
  requireChecked() {
    if (this.isChecked) return;
    const name = ML_DSA_NAMES.get(this.algorithm);
    throw new NotReached(`this program cannot check signatures by ${name}`);
  }

  // Check a signature, or throw Fails; throw NotReached where the browser cannot tell.
  async verify(signature, message) {
    this.requireChecked();
    if (!(await this.accepts(signature, message))) throw new Fails("the signature does not match");
  }

  async accepts(signature, message) {
    if (signature.length !== 64) return false;
    const { subtle } = crypto;
    // Once it is open the browser is asked at once, so that whoever asks can tell how long it takes.
    this.key ??= await (this.opened ??= subtle.importKey("raw", this.raw, { name: "Ed25519" }, false, ["verify"]));
    return subtle.verify({ name: "Ed25519" }, this.key, signature, message);
  }
}

const KNOWN = new Map();
const MAX_KNOWN = 4096;

// Give the key of these bytes; the algorithm is told by the length unless it is given.
export function publicKey(raw, algorithm = ALGORITHMS.get(raw.length)) {
  if (algorithm === undefined || ALGORITHMS.get(raw.length) !== algorithm) {
    throw new Malformed(`expected a public key of 32, 1312 or 1952 bytes, found ${raw.length}`);
  }
  const name = toHex(raw);
  let key = KNOWN.get(name);
  if (key === undefined) {
    if (algorithm === EDDSA) checkPoint(raw);
    key = new PublicKey(raw.slice(), algorithm);
    if (KNOWN.size >= MAX_KNOWN) KNOWN.clear();
    KNOWN.set(name, key);
  }
  return key;
}

// Read a key as it stands in a policy file.
export function keyOfText(text) {
  const form = /^(ed25519|mldsa44|mldsa65):([A-Za-z0-9_-]{43,2603})$/.exec(text);
  if (form === null) {
    throw new Malformed("a key is written ed25519:, mldsa44: or mldsa65: and base64url");
  }
  return publicKey(fromBase64Url(form[2], "a key"), TEXT_NAMES.get(form[1]));
}

export function thumbprintUri(thumbprint) {
  return `urn:ietf:params:oauth:ckt:sha-256:${toBase64Url(thumbprint)}`;
}

// Signatures at the edges, each with what the specification says of it.
const EDGES = [
  // RFC 8032, section 7.1, test 3.
  [true, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"],
  // The same with S + L in the place of S.
  [false, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac05d391b0a77904e98404ef037747a56e4a7c15e9716ed28dc027beceea1ec41a"],
  // Under a key with a part of order 8, one whose equation holds only times the cofactor.
  [false, "988b8b06afc3abd50c44e1396f4587342176485abb80721cfde8385f5e9320ce", "6d3130",
    "f87a22889707d326b221b2dba4102625f99227c2febe06664c8d9409eb213e2198de37ed4db961132d40c19d2318eda32dcb5bd878b04c07ff7f775987727003"],
];

// Say in words why this browser's Ed25519 is not the specification's; null when it is.
export async function checkEd25519() {
  try {
    for (const [good, key, message, signature] of EDGES) {
      const found = await publicKey(fromHex(key)).accepts(fromHex(signature), fromHex(message));
      if (found !== good) return "this browser's Ed25519 accepts other signatures than it should; use another, such as Chromium or Firefox";
    }
  } catch {
    return "this browser has no Ed25519: use a newer one, such as Chromium or Firefox";
  }
  return null;
}

// What the new key signs when it takes the place of an old one.
export function rotationMessage(old, fresh) {
  return joined(toUtf8("workseal/key.rotate/v1"), old, fresh);
}
