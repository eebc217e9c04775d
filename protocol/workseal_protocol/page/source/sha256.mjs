// SHA-256 (FIPS 180-4), without waiting.
//
// WebCrypto computes it too, but each of its answers takes a turn of the event loop: millions of
// short hashes would take minutes. `agreesWithBrowser` compares the two before anything is judged.

import { sameBytes, toUtf8 } from "./bytes.mjs";

const K = new Int32Array(64);
const START = new Int32Array(8);
const W = new Int32Array(64);
const STATE = new Int32Array(8);
const BLOCK = new Uint8Array(64);

// The constants are the first bits of the fractions of roots of primes: computed, not copied.
(function fillConstants() {
  const fraction = (value) => Math.floor((value - Math.floor(value)) * 2 ** 32) | 0;
  let found = 0;
  for (let number = 2; found < 64; number++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= number; divisor++) {
      if (number % divisor === 0) prime = false;
    }
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(number));
    K[found++] = fraction(Math.cbrt(number));
  }
})();

// Every sum is cut to 32 bits at once: engines then compute with integers, three times as fast.
function compress(data, at) {
  for (let n = 0; n < 16; n++, at += 4) {
    W[n] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
  }
  for (let n = 16; n < 64; n++) {
    const x = W[n - 15];
    const y = W[n - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[n] = (((W[n - 16] + s0) | 0) + ((W[n - 7] + s1) | 0)) | 0;
  }
  let a = STATE[0];
  let b = STATE[1];
  let c = STATE[2];
  let d = STATE[3];
  let e = STATE[4];
  let f = STATE[5];
  let g = STATE[6];
  let h = STATE[7];
  for (let n = 0; n < 64; n++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (((((h + s1) | 0) + (g ^ (e & (f ^ g)))) | 0) + ((K[n] + W[n]) | 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  STATE[0] += a;
  STATE[1] += b;
  STATE[2] += c;
  STATE[3] += d;
  STATE[4] += e;
  STATE[5] += f;
  STATE[6] += g;
  STATE[7] += h;
}

function writeState(target, at) {
  for (let n = 0; n < 8; n++, at += 4) {
    target[at] = STATE[n] >>> 24;
    target[at + 1] = STATE[n] >>> 16;
    target[at + 2] = STATE[n] >>> 8;
    target[at + 3] = STATE[n];
  }
}

// Hash the concatenation of the parts.
export function sha256(...parts) {
  STATE.set(START);
  let length = 0;
  let filled = 0;
  for (const part of parts) {
    length += part.length;
    let at = 0;
    if (filled > 0) {
      at = Math.min(64 - filled, part.length);
      BLOCK.set(part.subarray(0, at), filled);
      filled += at;
      if (filled < 64) continue;
      compress(BLOCK, 0);
      filled = 0;
    }
    for (; at + 64 <= part.length; at += 64) compress(part, at);
    if (at < part.length) {
      BLOCK.set(part.subarray(at), 0);
      filled = part.length - at;
    }
  }
  finish(filled, length);
  const digest = new Uint8Array(32);
  writeState(digest, 0);
  return digest;
}

function finish(filled, length) {
  BLOCK[filled++] = 0x80;
  if (filled > 56) {
    BLOCK.fill(0, filled);
    compress(BLOCK, 0);
    filled = 0;
  }
  BLOCK.fill(0, filled);
  const bits = new DataView(BLOCK.buffer);
  bits.setUint32(56, Math.floor(length / 2 ** 29));
  bits.setUint32(60, (length << 3) >>> 0);
  compress(BLOCK, 0);
}

// Hash tag and value, and the tag and that, and so on: `steps` times, each within one block.
export async function hashedBack(tag, value, steps, turns) {
  const block = new Uint8Array(64);
  block.set(tag, 0);
  block.set(value, tag.length);
  block[tag.length + 32] = 0x80;
  new DataView(block.buffer).setUint32(60, (tag.length + 32) * 8);
  for (let step = 0; step < steps; step++) {
    STATE.set(START);
    compress(block, 0);
    writeState(block, tag.length);
    if ((step & 0xfff) === 0xfff) await turns.next();
  }
  return block.slice(tag.length, tag.length + 32);
}

// Hash what may be long, by the browser and beside this thread.
export async function longSha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

// Tell whether this implementation and the browser's give the same digests.
export async function agreesWithBrowser() {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const data = toUtf8("workseal ".repeat(112)).subarray(0, length);
    if (!sameBytes(sha256(data), await longSha256(data))) return false;
  }
  return true;
}
