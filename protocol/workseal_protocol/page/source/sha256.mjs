// SHA-256 (FIPS 180-4), without waiting.
//
// WebCrypto computes it too, but each of its answers takes a turn of the event loop: millions of
// short hashes would take minutes. `agreesWithBrowser` compares the two before anything is judged.

import { sameBytes, toUtf8 } from "./bytes.mjs";

const K = new Int32Array(64);
const START = new Int32Array(8);
const STATE = new Int32Array(8);
const BLOCK = new Uint8Array(64);
const BLOCK_VIEW = new DataView(BLOCK.buffer);
// What is hashed mostly lies in one buffer: a bundle, or the pixels of a frame.
let lastView = BLOCK_VIEW;

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

// Every sum is cut to 32 bits at once: engines then compute with integers, three times as fast. The
// rounds are written out, sixteen at a time, so that nothing is moved: the names change places.
function compress(view, at) {
  // The sixteen words that the next rounds take.
  let w0 = view.getInt32(at);
  let w1 = view.getInt32(at + 4);
  let w2 = view.getInt32(at + 8);
  let w3 = view.getInt32(at + 12);
  let w4 = view.getInt32(at + 16);
  let w5 = view.getInt32(at + 20);
  let w6 = view.getInt32(at + 24);
  let w7 = view.getInt32(at + 28);
  let w8 = view.getInt32(at + 32);
  let w9 = view.getInt32(at + 36);
  let w10 = view.getInt32(at + 40);
  let w11 = view.getInt32(at + 44);
  let w12 = view.getInt32(at + 48);
  let w13 = view.getInt32(at + 52);
  let w14 = view.getInt32(at + 56);
  let w15 = view.getInt32(at + 60);
  let a = STATE[0];
  let b = STATE[1];
  let c = STATE[2];
  let d = STATE[3];
  let e = STATE[4];
  let f = STATE[5];
  let g = STATE[6];
  let h = STATE[7];
  for (let n = 0; ; n += 16) {
    h = (((h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7)))) | 0) + (((g ^ (e & (f ^ g))) + ((K[n] + w0) | 0)) | 0)) | 0;
    d = (d + h) | 0;
    h = (h + (((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)))) | 0)) | 0;
    g = (((g + (((d >>> 6) | (d << 26)) ^ ((d >>> 11) | (d << 21)) ^ ((d >>> 25) | (d << 7)))) | 0) + (((f ^ (d & (e ^ f))) + ((K[n + 1] + w1) | 0)) | 0)) | 0;
    c = (c + g) | 0;
    g = (g + (((((h >>> 2) | (h << 30)) ^ ((h >>> 13) | (h << 19)) ^ ((h >>> 22) | (h << 10))) + ((h & a) | (b & (h | a)))) | 0)) | 0;
    f = (((f + (((c >>> 6) | (c << 26)) ^ ((c >>> 11) | (c << 21)) ^ ((c >>> 25) | (c << 7)))) | 0) + (((e ^ (c & (d ^ e))) + ((K[n + 2] + w2) | 0)) | 0)) | 0;
    b = (b + f) | 0;
    f = (f + (((((g >>> 2) | (g << 30)) ^ ((g >>> 13) | (g << 19)) ^ ((g >>> 22) | (g << 10))) + ((g & h) | (a & (g | h)))) | 0)) | 0;
    e = (((e + (((b >>> 6) | (b << 26)) ^ ((b >>> 11) | (b << 21)) ^ ((b >>> 25) | (b << 7)))) | 0) + (((d ^ (b & (c ^ d))) + ((K[n + 3] + w3) | 0)) | 0)) | 0;
    a = (a + e) | 0;
    e = (e + (((((f >>> 2) | (f << 30)) ^ ((f >>> 13) | (f << 19)) ^ ((f >>> 22) | (f << 10))) + ((f & g) | (h & (f | g)))) | 0)) | 0;
    d = (((d + (((a >>> 6) | (a << 26)) ^ ((a >>> 11) | (a << 21)) ^ ((a >>> 25) | (a << 7)))) | 0) + (((c ^ (a & (b ^ c))) + ((K[n + 4] + w4) | 0)) | 0)) | 0;
    h = (h + d) | 0;
    d = (d + (((((e >>> 2) | (e << 30)) ^ ((e >>> 13) | (e << 19)) ^ ((e >>> 22) | (e << 10))) + ((e & f) | (g & (e | f)))) | 0)) | 0;
    c = (((c + (((h >>> 6) | (h << 26)) ^ ((h >>> 11) | (h << 21)) ^ ((h >>> 25) | (h << 7)))) | 0) + (((b ^ (h & (a ^ b))) + ((K[n + 5] + w5) | 0)) | 0)) | 0;
    g = (g + c) | 0;
    c = (c + (((((d >>> 2) | (d << 30)) ^ ((d >>> 13) | (d << 19)) ^ ((d >>> 22) | (d << 10))) + ((d & e) | (f & (d | e)))) | 0)) | 0;
    b = (((b + (((g >>> 6) | (g << 26)) ^ ((g >>> 11) | (g << 21)) ^ ((g >>> 25) | (g << 7)))) | 0) + (((a ^ (g & (h ^ a))) + ((K[n + 6] + w6) | 0)) | 0)) | 0;
    f = (f + b) | 0;
    b = (b + (((((c >>> 2) | (c << 30)) ^ ((c >>> 13) | (c << 19)) ^ ((c >>> 22) | (c << 10))) + ((c & d) | (e & (c | d)))) | 0)) | 0;
    a = (((a + (((f >>> 6) | (f << 26)) ^ ((f >>> 11) | (f << 21)) ^ ((f >>> 25) | (f << 7)))) | 0) + (((h ^ (f & (g ^ h))) + ((K[n + 7] + w7) | 0)) | 0)) | 0;
    e = (e + a) | 0;
    a = (a + (((((b >>> 2) | (b << 30)) ^ ((b >>> 13) | (b << 19)) ^ ((b >>> 22) | (b << 10))) + ((b & c) | (d & (b | c)))) | 0)) | 0;
    h = (((h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7)))) | 0) + (((g ^ (e & (f ^ g))) + ((K[n + 8] + w8) | 0)) | 0)) | 0;
    d = (d + h) | 0;
    h = (h + (((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)))) | 0)) | 0;
    g = (((g + (((d >>> 6) | (d << 26)) ^ ((d >>> 11) | (d << 21)) ^ ((d >>> 25) | (d << 7)))) | 0) + (((f ^ (d & (e ^ f))) + ((K[n + 9] + w9) | 0)) | 0)) | 0;
    c = (c + g) | 0;
    g = (g + (((((h >>> 2) | (h << 30)) ^ ((h >>> 13) | (h << 19)) ^ ((h >>> 22) | (h << 10))) + ((h & a) | (b & (h | a)))) | 0)) | 0;
    f = (((f + (((c >>> 6) | (c << 26)) ^ ((c >>> 11) | (c << 21)) ^ ((c >>> 25) | (c << 7)))) | 0) + (((e ^ (c & (d ^ e))) + ((K[n + 10] + w10) | 0)) | 0)) | 0;
    b = (b + f) | 0;
    f = (f + (((((g >>> 2) | (g << 30)) ^ ((g >>> 13) | (g << 19)) ^ ((g >>> 22) | (g << 10))) + ((g & h) | (a & (g | h)))) | 0)) | 0;
    e = (((e + (((b >>> 6) | (b << 26)) ^ ((b >>> 11) | (b << 21)) ^ ((b >>> 25) | (b << 7)))) | 0) + (((d ^ (b & (c ^ d))) + ((K[n + 11] + w11) | 0)) | 0)) | 0;
    a = (a + e) | 0;
    e = (e + (((((f >>> 2) | (f << 30)) ^ ((f >>> 13) | (f << 19)) ^ ((f >>> 22) | (f << 10))) + ((f & g) | (h & (f | g)))) | 0)) | 0;
    d = (((d + (((a >>> 6) | (a << 26)) ^ ((a >>> 11) | (a << 21)) ^ ((a >>> 25) | (a << 7)))) | 0) + (((c ^ (a & (b ^ c))) + ((K[n + 12] + w12) | 0)) | 0)) | 0;
    h = (h + d) | 0;
    d = (d + (((((e >>> 2) | (e << 30)) ^ ((e >>> 13) | (e << 19)) ^ ((e >>> 22) | (e << 10))) + ((e & f) | (g & (e | f)))) | 0)) | 0;
    c = (((c + (((h >>> 6) | (h << 26)) ^ ((h >>> 11) | (h << 21)) ^ ((h >>> 25) | (h << 7)))) | 0) + (((b ^ (h & (a ^ b))) + ((K[n + 13] + w13) | 0)) | 0)) | 0;
    g = (g + c) | 0;
    c = (c + (((((d >>> 2) | (d << 30)) ^ ((d >>> 13) | (d << 19)) ^ ((d >>> 22) | (d << 10))) + ((d & e) | (f & (d | e)))) | 0)) | 0;
    b = (((b + (((g >>> 6) | (g << 26)) ^ ((g >>> 11) | (g << 21)) ^ ((g >>> 25) | (g << 7)))) | 0) + (((a ^ (g & (h ^ a))) + ((K[n + 14] + w14) | 0)) | 0)) | 0;
    f = (f + b) | 0;
    b = (b + (((((c >>> 2) | (c << 30)) ^ ((c >>> 13) | (c << 19)) ^ ((c >>> 22) | (c << 10))) + ((c & d) | (e & (c | d)))) | 0)) | 0;
    a = (((a + (((f >>> 6) | (f << 26)) ^ ((f >>> 11) | (f << 21)) ^ ((f >>> 25) | (f << 7)))) | 0) + (((h ^ (f & (g ^ h))) + ((K[n + 15] + w15) | 0)) | 0)) | 0;
    e = (e + a) | 0;
    a = (a + (((((b >>> 2) | (b << 30)) ^ ((b >>> 13) | (b << 19)) ^ ((b >>> 22) | (b << 10))) + ((b & c) | (d & (b | c)))) | 0)) | 0;
    if (n === 48) break;
    w0 = (((w0 + (((w1 >>> 7) | (w1 << 25)) ^ ((w1 >>> 18) | (w1 << 14)) ^ (w1 >>> 3))) | 0) + ((w9 + (((w14 >>> 17) | (w14 << 15)) ^ ((w14 >>> 19) | (w14 << 13)) ^ (w14 >>> 10))) | 0)) | 0;
    w1 = (((w1 + (((w2 >>> 7) | (w2 << 25)) ^ ((w2 >>> 18) | (w2 << 14)) ^ (w2 >>> 3))) | 0) + ((w10 + (((w15 >>> 17) | (w15 << 15)) ^ ((w15 >>> 19) | (w15 << 13)) ^ (w15 >>> 10))) | 0)) | 0;
    w2 = (((w2 + (((w3 >>> 7) | (w3 << 25)) ^ ((w3 >>> 18) | (w3 << 14)) ^ (w3 >>> 3))) | 0) + ((w11 + (((w0 >>> 17) | (w0 << 15)) ^ ((w0 >>> 19) | (w0 << 13)) ^ (w0 >>> 10))) | 0)) | 0;
    w3 = (((w3 + (((w4 >>> 7) | (w4 << 25)) ^ ((w4 >>> 18) | (w4 << 14)) ^ (w4 >>> 3))) | 0) + ((w12 + (((w1 >>> 17) | (w1 << 15)) ^ ((w1 >>> 19) | (w1 << 13)) ^ (w1 >>> 10))) | 0)) | 0;
    w4 = (((w4 + (((w5 >>> 7) | (w5 << 25)) ^ ((w5 >>> 18) | (w5 << 14)) ^ (w5 >>> 3))) | 0) + ((w13 + (((w2 >>> 17) | (w2 << 15)) ^ ((w2 >>> 19) | (w2 << 13)) ^ (w2 >>> 10))) | 0)) | 0;
    w5 = (((w5 + (((w6 >>> 7) | (w6 << 25)) ^ ((w6 >>> 18) | (w6 << 14)) ^ (w6 >>> 3))) | 0) + ((w14 + (((w3 >>> 17) | (w3 << 15)) ^ ((w3 >>> 19) | (w3 << 13)) ^ (w3 >>> 10))) | 0)) | 0;
    w6 = (((w6 + (((w7 >>> 7) | (w7 << 25)) ^ ((w7 >>> 18) | (w7 << 14)) ^ (w7 >>> 3))) | 0) + ((w15 + (((w4 >>> 17) | (w4 << 15)) ^ ((w4 >>> 19) | (w4 << 13)) ^ (w4 >>> 10))) | 0)) | 0;
    w7 = (((w7 + (((w8 >>> 7) | (w8 << 25)) ^ ((w8 >>> 18) | (w8 << 14)) ^ (w8 >>> 3))) | 0) + ((w0 + (((w5 >>> 17) | (w5 << 15)) ^ ((w5 >>> 19) | (w5 << 13)) ^ (w5 >>> 10))) | 0)) | 0;
    w8 = (((w8 + (((w9 >>> 7) | (w9 << 25)) ^ ((w9 >>> 18) | (w9 << 14)) ^ (w9 >>> 3))) | 0) + ((w1 + (((w6 >>> 17) | (w6 << 15)) ^ ((w6 >>> 19) | (w6 << 13)) ^ (w6 >>> 10))) | 0)) | 0;
    w9 = (((w9 + (((w10 >>> 7) | (w10 << 25)) ^ ((w10 >>> 18) | (w10 << 14)) ^ (w10 >>> 3))) | 0) + ((w2 + (((w7 >>> 17) | (w7 << 15)) ^ ((w7 >>> 19) | (w7 << 13)) ^ (w7 >>> 10))) | 0)) | 0;
    w10 = (((w10 + (((w11 >>> 7) | (w11 << 25)) ^ ((w11 >>> 18) | (w11 << 14)) ^ (w11 >>> 3))) | 0) + ((w3 + (((w8 >>> 17) | (w8 << 15)) ^ ((w8 >>> 19) | (w8 << 13)) ^ (w8 >>> 10))) | 0)) | 0;
    w11 = (((w11 + (((w12 >>> 7) | (w12 << 25)) ^ ((w12 >>> 18) | (w12 << 14)) ^ (w12 >>> 3))) | 0) + ((w4 + (((w9 >>> 17) | (w9 << 15)) ^ ((w9 >>> 19) | (w9 << 13)) ^ (w9 >>> 10))) | 0)) | 0;
    w12 = (((w12 + (((w13 >>> 7) | (w13 << 25)) ^ ((w13 >>> 18) | (w13 << 14)) ^ (w13 >>> 3))) | 0) + ((w5 + (((w10 >>> 17) | (w10 << 15)) ^ ((w10 >>> 19) | (w10 << 13)) ^ (w10 >>> 10))) | 0)) | 0;
    w13 = (((w13 + (((w14 >>> 7) | (w14 << 25)) ^ ((w14 >>> 18) | (w14 << 14)) ^ (w14 >>> 3))) | 0) + ((w6 + (((w11 >>> 17) | (w11 << 15)) ^ ((w11 >>> 19) | (w11 << 13)) ^ (w11 >>> 10))) | 0)) | 0;
    w14 = (((w14 + (((w15 >>> 7) | (w15 << 25)) ^ ((w15 >>> 18) | (w15 << 14)) ^ (w15 >>> 3))) | 0) + ((w7 + (((w12 >>> 17) | (w12 << 15)) ^ ((w12 >>> 19) | (w12 << 13)) ^ (w12 >>> 10))) | 0)) | 0;
    w15 = (((w15 + (((w0 >>> 7) | (w0 << 25)) ^ ((w0 >>> 18) | (w0 << 14)) ^ (w0 >>> 3))) | 0) + ((w8 + (((w13 >>> 17) | (w13 << 15)) ^ ((w13 >>> 19) | (w13 << 13)) ^ (w13 >>> 10))) | 0)) | 0;
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

// Give the whole buffer of some bytes: its words are read at once, which is faster than by bytes.
function viewOf({ buffer }) {
  if (lastView.buffer !== buffer) lastView = new DataView(buffer);
  return lastView;
}

// Hash the concatenation of the parts.
export function sha256(...parts) {
  for (let n = 0; n < 8; n++) STATE[n] = START[n];
  let length = 0;
  let filled = 0;
  for (const part of parts) {
    length += part.length;
    let at = 0;
    if (filled > 0) {
      while (filled < 64 && at < part.length) BLOCK[filled++] = part[at++];
      if (filled < 64) continue;
      compress(BLOCK_VIEW, 0);
      filled = 0;
    }
    if (at + 64 <= part.length) {
      const view = viewOf(part);
      for (; at + 64 <= part.length; at += 64) compress(view, part.byteOffset + at);
    }
    while (at < part.length) BLOCK[filled++] = part[at++];
  }
  finish(filled, length);
  const digest = new Uint8Array(32);
  writeState(digest, 0);
  return digest;
}

function finish(filled, length) {
  BLOCK[filled++] = 0x80;
  if (filled > 56) {
    while (filled < 64) BLOCK[filled++] = 0;
    compress(BLOCK_VIEW, 0);
    filled = 0;
  }
  while (filled < 56) BLOCK[filled++] = 0;
  writeLength(BLOCK, length);
  compress(BLOCK_VIEW, 0);
}

// Write the length in bits as the last eight bytes of a block.
function writeLength(block, length) {
  const high = Math.floor(length / 2 ** 29);
  const low = length << 3;
  for (let n = 0; n < 4; n++) {
    block[56 + n] = high >>> (24 - 8 * n);
    block[60 + n] = low >>> (24 - 8 * n);
  }
}

// Hash tag and value, and the tag and that, and so on: `steps` times, each within one block.
export function hashedBack(tag, value, steps) {
  const block = new Uint8Array(64);
  block.set(tag, 0);
  block.set(value, tag.length);
  block[tag.length + 32] = 0x80;
  writeLength(block, tag.length + 32);
  const view = new DataView(block.buffer);
  for (let step = 0; step < steps; step++) {
    for (let n = 0; n < 8; n++) STATE[n] = START[n];
    compress(view, 0);
    writeState(block, tag.length);
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
