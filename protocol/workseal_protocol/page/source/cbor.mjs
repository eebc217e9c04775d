// Deterministic CBOR, read strictly: one value, one spelling (docs/spec/encoding.md).
//
// Rules: integers become numbers, byte strings Uint8Array views, text strings, arrays arrays, maps
// Map with integer keys. A longer spelling than the shortest is refused where it stands.

import { Malformed, countCodePoints, fromUtf8, joined, toUtf8, u64 } from "./bytes.mjs";

export const MAX_BYTES = 65536;
const MAX_DEPTH = 8;
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;
const MAX_KEY = 65535;
const MAX_ITEMS = 131072;
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;
const LEAST = { 24: 24, 25: 0x100, 26: 0x10000, 27: 0x100000000 };
const TAG_18 = 0xd2;

class Reader {
  constructor(data, at) {
    this.data = data;
    this.at = at;
    this.budget = MAX_ITEMS;
  }

  byte() {
    if (this.at >= this.data.length) throw new Malformed("the bytes end inside a value");
    return this.data[this.at++];
  }

  // Read major type and argument; an argument above 2^53 - 1 comes out as Infinity.
  head() {
    const first = this.byte();
    const major = first >> 5;
    let count = first & 0x1f;
    if (major > 5) {
      throw new Malformed("expected no tag, no simple value and no floating-point number");
    }
    if (count > 23) count = this.count(count);
    return [major, count];
  }

  count(size) {
    if (size > 27) {
      throw new Malformed("expected a definite length, found an indefinite or reserved one");
    }
    const length = 1 << (size - 24);
    let value = 0;
    for (let n = 0; n < length; n++) value = value * 256 + this.byte();
    if (value < LEAST[size]) {
      throw new Malformed("a length or an integer is not in its shortest form");
    }
    return value > MAX_INTEGER ? Infinity : value;
  }

  take(count) {
    if (count > this.data.length - this.at) throw new Malformed("the bytes end inside a value");
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  spend(count, depth) {
    if (depth === 0) throw new Malformed("values are nested too deep");
    this.budget -= count;
    if (this.budget < 0) throw new Malformed(`expected at most ${MAX_ITEMS} items`);
  }

  value(depth) {
    const [major, count] = this.head();
    if (major === 2) return this.take(count);
    if (count === Infinity) throw new Malformed("an integer is beyond 2^53 - 1");
    if (major === 0) return count;
    if (major === 1) {
      if (count === MAX_INTEGER) throw new Malformed("an integer is beyond 2^53 - 1");
      return -1 - count;
    }
    if (major === 3) return this.text(count);
    return major === 4 ? this.array(count, depth) : this.map(count, depth);
  }

  text(count) {
    const text = fromUtf8(this.take(count), "text");
    if (CONTROL.test(text)) {
      throw new Malformed("text has a control character other than line feed");
    }
    return text;
  }

  array(count, depth) {
    this.spend(count, depth);
    const items = [];
    for (let n = 0; n < count; n++) items.push(this.value(depth - 1));
    return items;
  }

  map(count, depth) {
    this.spend(2 * count, depth);
    const items = new Map();
    let last = -1;
    for (let n = 0; n < count; n++) {
      const key = this.key();
      const rank = key >= 0 ? key : MAX_KEY - key;
      if (rank <= last) throw new Malformed("map keys are not in ascending order, each once");
      last = rank;
      items.set(key, this.value(depth - 1));
    }
    return items;
  }

  key() {
    const [major, count] = this.head();
    if (major > 1) throw new Malformed("expected an integer as map key");
    const key = major === 0 ? count : -1 - count;
    if (Math.abs(key) > MAX_KEY) throw new Malformed(`a map key is beyond ${MAX_KEY}`);
    return key;
  }
}

// Read the value that begins at `at`, and say where it ends.
export function readItem(data, at) {
  const reader = new Reader(data, at);
  return [reader.value(MAX_DEPTH), reader.at];
}

// Say where a byte string ends that has a length of its shortest form and lies within the data;
// -1 when that is for `readItem` to tell, or to refuse.
function octetsEnd(data, at) {
  const first = data[at];
  let end = -1;
  if (first === 0x58 && data[at + 1] > 23) end = at + 2 + data[at + 1];
  else if (first === 0x59 && data[at + 1] > 0) end = at + 3 + ((data[at + 1] << 8) | data[at + 2]);
  else if (first >= 0x40 && first < 0x58) end = at + 1 + first - 0x40;
  return end <= data.length ? end : -1;
}

// Read a byte string that begins at `at`, and say where it ends; null as above.
export function readOctets(data, at) {
  const end = octetsEnd(data, at);
  if (end < 0) return null;
  const head = data[at] < 0x58 ? 1 : data[at] - 0x56;
  return [data.subarray(at + head, end), end];
}

// Say where a byte string or a signed statement ends; null as above.
function quickEnd(data, at) {
  if (data[at] !== TAG_18) {
    const end = octetsEnd(data, at);
    return end < 0 ? null : end;
  }
  if (data[at + 1] !== 0x84) return null;
  const header = octetsEnd(data, at + 2);
  if (header < 0 || data[header] !== 0xa0) return null;
  const payload = octetsEnd(data, header + 1);
  const end = payload < 0 ? -1 : octetsEnd(data, payload);
  return end < 0 ? null : end;
}

// Read exactly one value.
export function decode(data, maximum = MAX_BYTES) {
  if (data.length > maximum) {
    throw new Malformed(`expected at most ${maximum} bytes of CBOR, found ${data.length}`);
  }
  const [value, end] = readItem(data, 0);
  if (end !== data.length) {
    throw new Malformed(`expected the value to end at byte ${data.length}, it ends at ${end}`);
  }
  return value;
}

// Cut a sequence into the exact bytes of its values; each may carry tag 18.
//
// `cut` gives what is kept of each, of the data and between which places it stands.
export async function splitSequence(data, maximum, turns, longest = MAX_BYTES, cut = cutWhole) {
  const items = [];
  let at = 0;
  while (at < data.length) {
    if (turns.due) await turns.next();
    if (items.length === maximum) {
      throw new Malformed(`expected at most ${maximum} values in the sequence`);
    }
    const end = quickEnd(data, at) ?? readItem(data, at + (data[at] === TAG_18 ? 1 : 0))[1];
    if (end - at > longest) {
      throw new Malformed(`expected at most ${longest} bytes in a value, found ${end - at}`);
    }
    items.push(cut(data, at, end));
    at = end;
  }
  return items;
}

function cutWhole(data, begin, end) {
  return data.subarray(begin, end);
}

export function cborHead(major, count) {
  if (count < 24) return Uint8Array.of((major << 5) | count);
  if (count < 0x100) return Uint8Array.of((major << 5) | 24, count);
  if (count < 0x10000) return Uint8Array.of((major << 5) | 25, count >> 8, count & 0xff);
  if (count >= 0x100000000) return joined(Uint8Array.of((major << 5) | 27), u64(count));
  const [high, low] = [count >>> 16, count & 0xffff];
  return Uint8Array.of((major << 5) | 26, high >> 8, high & 0xff, low >> 8, low & 0xff);
}

// Write one value of those that statements are compared with: byte strings, text, small integers.
export function encode(value) {
  if (typeof value === "string") {
    const data = toUtf8(value);
    return joined(cborHead(3, data.length), data);
  }
  if (typeof value === "number") return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value);
  if (value instanceof Uint8Array) return joined(cborHead(2, value.length), value);
  const entries = [...value].flatMap(([key, item]) => [encode(key), encode(item)]);
  return joined(cborHead(5, value.size), ...entries);
}

export function sameValue(one, other) {
  if (one instanceof Uint8Array) {
    return other instanceof Uint8Array && one.length === other.length && one.every((b, n) => b === other[n]);
  }
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((v, n) => sameValue(v, other[n]));
  }
  if (one instanceof Map) {
    return other instanceof Map && one.size === other.size && [...one].every(([k, v]) => sameValue(v, other.get(k)));
  }
  return one === other;
}

export function isInteger(value) {
  return typeof value === "number";
}

export function isOctets(value) {
  return value instanceof Uint8Array;
}

function typeName(value) {
  if (isInteger(value)) return "an integer";
  if (isOctets(value)) return "a byte string";
  if (typeof value === "string") return "text";
  return Array.isArray(value) ? "an array" : "a map";
}

// Read a decoded map by key, once each, and refuse what is left over.
export class Fields {
  constructor(value, what) {
    if (!(value instanceof Map)) throw new Malformed(`${what}: expected a map`);
    for (const key of value.keys()) {
      if (key < 0) throw new Malformed(`${what}: expected unsigned keys, found ${key}`);
    }
    this.left = new Map(value);
    this.what = what;
  }

  has(key) {
    return this.left.has(key);
  }

  take(key, name, type, fits) {
    const value = this.left.get(key);
    if (value === undefined) throw new Malformed(`${this.what}: ${name} (${key}) is missing`);
    this.left.delete(key);
    if (!fits(value)) this.refuse(key, name, `${type}, found ${typeName(value)}`);
    return value;
  }

  refuse(key, name, expected) {
    throw new Malformed(`${this.what}: ${name} (${key}): expected ${expected}`);
  }

  uint(key, name, maximum = MAX_INTEGER, minimum = 0) {
    return this.integer(key, name, minimum, maximum);
  }

  integer(key, name, minimum, maximum) {
    const value = this.take(key, name, "an integer", isInteger);
    if (value < minimum || value > maximum) this.refuse(key, name, `${minimum} to ${maximum}, found ${value}`);
    return value;
  }

  octets(key, name, minimum = 0, maximum = MAX_BYTES) {
    const value = this.take(key, name, "a byte string", isOctets);
    const { length } = value;
    const bounds = minimum === maximum ? `${maximum}` : `at most ${maximum}`;
    if (length < minimum || length > maximum) this.refuse(key, name, `${bounds} bytes, found ${length}`);
    return value;
  }

  exactly(key, name, length) {
    return this.octets(key, name, length, length);
  }

  text(key, name, maximum = MAX_BYTES, minimum = 0) {
    const value = this.take(key, name, "text", (found) => typeof found === "string");
    const count = countCodePoints(value);
    if (count > maximum) this.refuse(key, name, `at most ${maximum} characters, found ${count}`);
    if (count < minimum) {
      throw new Malformed(`${this.what}: ${name}: expected ${minimum} to ${maximum} characters, found ${count}`);
    }
    return value;
  }

  array(key, name, minimum = 0, maximum = MAX_ITEMS) {
    const value = this.take(key, name, "an array", Array.isArray);
    const { length } = value;
    if (length < minimum || length > maximum) this.refuse(key, name, `${minimum} to ${maximum} items, found ${length}`);
    return value;
  }

  fields(key, name) {
    const value = this.take(key, name, "a map", (found) => found instanceof Map);
    return new Fields(value, `${this.what}: ${name} (${key})`);
  }

  // Take what a reader takes, or null when the key is absent.
  optional(key, read) {
    return this.left.has(key) ? read() : null;
  }

  close() {
    if (this.left.size > 0) {
      throw new Malformed(`unknown key ${Math.min(...this.left.keys())} in ${this.what}`);
    }
  }
}
