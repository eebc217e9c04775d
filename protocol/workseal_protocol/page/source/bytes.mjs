// Bytes, and the three ways in which a step can end otherwise than "holds".
//
// Rule: a parser throws Malformed and nothing else; a check throws Fails; what this program cannot
// examine throws NotReached. Anything else that is thrown is a mistake of this program.

export class Malformed extends Error {}

export class Fails extends Error {}

export class NotReached extends Error {}

// The character codes of a byte's two hex digits, one after the other.
const HEX_CODES = Uint8Array.from({ length: 512 }, (_, n) => ((n >> 1) >> (n % 2 === 0 ? 4 : 0) & 15).toString(16).charCodeAt(0));
const HEX_PIECE = 32;
const PIECE_CODES = new Array(2 * HEX_PIECE).fill(0);
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// By character code; 255 is no digit.
const VALUES = new Uint8Array(128).fill(255);
for (let n = 0; n < 64; n++) VALUES[DIGITS.charCodeAt(n)] = n;
const HEX_VALUES = new Uint8Array(128);
for (let n = 0; n < 16; n++) HEX_VALUES["0123456789abcdef".charCodeAt(n)] = HEX_VALUES["0123456789ABCDEF".charCodeAt(n)] = n;
const ENCODER = new TextEncoder();
// ignoreBOM: the mark is a character like others, and must not vanish.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Write bytes as hex: a piece at a time in one go, for a text of many small parts is slow as a key.
export function toHex(data) {
  let text = "";
  for (let at = 0; at < data.length; at += HEX_PIECE) {
    const length = Math.min(HEX_PIECE, data.length - at);
    for (let n = 0; n < length; n++) {
      PIECE_CODES[2 * n] = HEX_CODES[2 * data[at + n]];
      PIECE_CODES[2 * n + 1] = HEX_CODES[2 * data[at + n] + 1];
    }
    const codes = length === HEX_PIECE ? PIECE_CODES : PIECE_CODES.slice(0, 2 * length);
    text += String.fromCharCode.apply(null, codes);
  }
  return text;
}

export function fromHex(text) {
  const data = new Uint8Array(text.length >> 1);
  for (let at = 0; at < data.length; at++) {
    data[at] = (HEX_VALUES[text.charCodeAt(2 * at)] << 4) | HEX_VALUES[text.charCodeAt(2 * at + 1)];
  }
  return data;
}

export function toUtf8(text) {
  return ENCODER.encode(text);
}

export function fromUtf8(data, what) {
  try {
    return DECODER.decode(data);
  } catch {
    throw new Malformed(`${what} is not UTF-8`);
  }
}

export function sameBytes(one, other) {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

export function joined(...parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function toBase64(data) {
  let text = "";
  for (let at = 0; at < data.length; at += 3) {
    const three = (data[at] << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
    const left = data.length - at;
    text += DIGITS[three >> 18] + DIGITS[(three >> 12) & 63];
    text += left > 1 ? DIGITS[(three >> 6) & 63] : "=";
    text += left > 2 ? DIGITS[three & 63] : "=";
  }
  return text;
}

export function toBase64Url(data) {
  return toBase64(data).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// Small arrays are cut from a large one: engines take long to make, and to let go of, a buffer each.
const POOL_BYTES = 32768;
const MAX_POOLED = 128;
let pool = new Uint8Array(0);
let poolUsed = 0;

function freshBytes(length) {
  if (length > MAX_POOLED) return new Uint8Array(length);
  if (poolUsed + length > pool.length) [pool, poolUsed] = [new Uint8Array(POOL_BYTES), 0];
  poolUsed += length;
  return pool.subarray(poolUsed - length, poolUsed);
}

// Read base64 with padding in its one spelling: bits that the last digit does not need are 0.
export function fromBase64(text, what) {
  let length = text.length;
  while (length > 0 && text.length - length < 2 && text[length - 1] === "=") length--;
  const data = freshBytes(Math.floor((length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let place = 0; place < length; place++) {
    const value = VALUES[text.charCodeAt(place)] ?? 255;
    if (value === 255) throw new Malformed(`${what}: expected base64 with padding`);
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      data[at++] = (held >> bits) & 0xff;
    }
  }
  // Whole groups of four, and 0 in what the last digit does not need.
  if (text.length % 4 !== 0 || (held & ((1 << bits) - 1)) !== 0) {
    throw new Malformed(`${what}: base64 is not in canonical form`);
  }
  return data;
}

export function fromBase64Url(text, what) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Malformed(`${what}: expected base64url`);
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(plain + "=".repeat((4 - (plain.length % 4)) % 4), what);
}

// Read an unsigned integer, big endian, of at most six bytes.
export function readUint(data, at, length) {
  let value = 0;
  for (let n = 0; n < length; n++) value = value * 256 + data[at + n];
  return value;
}

export function readBigUint(data) {
  let start = 0;
  while (data[start] === 0) start++;
  const length = data.length - start;
  return length > 6 ? BigInt(`0x${toHex(data.subarray(start))}`) : BigInt(readUint(data, start, length));
}

// Write an unsigned integer, a number or a big one, as eight bytes, big endian.
export function u64(value) {
  const data = new Uint8Array(8);
  const [high, low] = typeof value === "bigint"
    ? [Number(value >> 32n), Number(value & 0xffffffffn)]
    : [Math.floor(value / 2 ** 32), value % 2 ** 32];
  for (let n = 0; n < 4; n++) {
    data[n] = high >>> (24 - 8 * n);
    data[4 + n] = low >>> (24 - 8 * n);
  }
  return data;
}

export function countCodePoints(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

// Order texts by code point, as the specification does; JavaScript alone orders by UTF-16 unit.
export function byCodePoint(one, other) {
  const [left, right] = [[...one], [...other]];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = left[at].codePointAt(0) - right[at].codePointAt(0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
