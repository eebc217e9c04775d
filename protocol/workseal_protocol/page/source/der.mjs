// DER (X.690), as far as certificates and time-stamps need it: definite lengths in their shortest
// form, tags of one byte, sets in their order.

import { Malformed, readUint, toHex } from "./bytes.mjs";

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
const NULL = 0x05;
export const OBJECT = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
const MAX_DER_DEPTH = 16;

class DerValue {
  constructor(tag, whole, content, depth) {
    Object.assign(this, { tag, whole, content, depth });
  }

  // Give the values inside a constructed one.
  inside() {
    if (this.depth > MAX_DER_DEPTH) throw new Malformed("DER: nested too deep");
    return new DerRow(valuesIn(this.content, this.depth + 1));
  }

  // Give the values inside, which all have one tag.
  each(tag, what) {
    const { values } = this.inside();
    if (values.some((value) => value.tag !== tag)) throw new Malformed(`DER: expected ${what}`);
    return values;
  }

  // Give the values of a set, which have one tag and ascend by their encoding.
  members(tag, what) {
    const values = this.each(tag, what);
    const encoded = values.map((value) => toHex(value.whole));
    for (let n = 1; n < encoded.length; n++) {
      if (encoded[n - 1] > encoded[n]) throw new Malformed("DER: a set is not in its order");
    }
    return values;
  }
}

// Values that are taken one after the other, each by its tag.
class DerRow {
  constructor(values) {
    this.values = values;
    this.at = 0;
  }

  next(tag, what) {
    const value = this.optional(tag);
    if (value === null) throw new Malformed(`DER: expected ${what}`);
    return value;
  }

  optional(tag) {
    const value = this.values[this.at];
    if (value === undefined || value.tag !== tag) return null;
    this.at++;
    return value;
  }

  any(what) {
    if (this.at === this.values.length) throw new Malformed(`DER: expected ${what}`);
    return this.values[this.at++];
  }

  close(what) {
    if (this.at < this.values.length) throw new Malformed(`DER: more than ${what} has`);
  }
}

function valuesIn(data, depth) {
  const values = [];
  for (let at = 0; at < data.length; ) {
    const value = valueAt(data, at, depth);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

function valueAt(data, at, depth) {
  const tag = data[at];
  if ((tag & 0x1f) === 0x1f) throw new Malformed("DER: a tag of more than one byte");
  const first = data[at + 1];
  if (first === undefined) throw new Malformed("DER: the bytes end inside a value");
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count < 1 || count > 4 || start + count > data.length) throw new Malformed("DER: a bad length");
    length = readUint(data, start, count);
    start += count;
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) {
      throw new Malformed("DER: a length is not in its shortest form");
    }
  }
  if (length > data.length - start) throw new Malformed("DER: the bytes end inside a value");
  const end = start + length;
  return new DerValue(tag, data.subarray(at, end), data.subarray(start, end), depth);
}

// Read one value that takes all the bytes.
export function readDer(data, tag, what) {
  const row = new DerRow(valuesIn(data, 0));
  const value = row.next(tag, what);
  row.close(what);
  return value;
}

// Give the content of an INTEGER in its shortest form.
export function integerOctets(value) {
  const { content } = value;
  if (content.length === 0) throw new Malformed("DER: an empty integer");
  const [first, second] = content;
  if (content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new Malformed("DER: an integer is not in its shortest form");
  }
  return content;
}

// Give a small unsigned INTEGER as a number.
export function smallInteger(value) {
  const content = integerOctets(value);
  if (content[0] >= 0x80 || content.length > 6) throw new Malformed("DER: an integer out of range");
  return readUint(content, 0, content.length);
}

// Give the bytes of a BIT STRING; bits that its last byte does not need are 0.
export function bitStringOctets(value) {
  const [unused] = value.content;
  const octets = value.content.subarray(1);
  const last = octets[octets.length - 1] ?? 0;
  if (unused === undefined || unused > 7 || (unused > 0 && octets.length === 0) || last & ((1 << unused) - 1)) {
    throw new Malformed("DER: a bad bit string");
  }
  return octets;
}

// Give an object identifier in hex: numbers in base 128, each in its shortest form.
export function objectName(value) {
  const { content } = value;
  const begins = (byte, at) => byte === 0x80 && (at === 0 || content[at - 1] < 0x80);
  if (content.length === 0 || content[content.length - 1] >= 0x80 || content.some(begins)) {
    throw new Malformed("DER: a bad object identifier");
  }
  return toHex(content);
}

// What stands beside the algorithms that a certificate or a token may name, by tags; ABSENT is
// nothing at all. Beside those that are not here anything may stand.
const ABSENT = -1;
const PARAMETERS = [
  // Keys on a curve; NULL says that it is told elsewhere, and such a key verifies nothing.
  [/^2a8648ce3d0201$/, [OBJECT, NULL]],
  // ECDSA with SHA-2; X25519, X448, Ed25519, Ed448.
  [/^(2a8648ce3d04030[1-4]|2b65(6e|6f|70|71))$/, [ABSENT]],
  // RSA, keys and signatures; SHA-1, SHA-2, SHA-3.
  [/^(2a864886f70d0101(01|05|0b|0c|0d|0e)|2b0e0302(1a|1d)|6086480165030402(0[1-47-9a]))$/, [ABSENT, NULL]],
  [/^2a864886f70d01010a$/, [ABSENT, SEQUENCE]], // RSA-PSS
  // Keys for agreement: their names are a bit or two from those above.
  [/^(2a8648ce3e0201|2a864886f70d010301)$/, [SEQUENCE]],
];

// Read an AlgorithmIdentifier: its object in hex, and the parameters as they stand, or null.
export function readAlgorithm(value) {
  const row = value.inside();
  const object = objectName(row.next(OBJECT, "an algorithm"));
  const parameters = row.at < row.values.length ? row.any("parameters") : null;
  row.close("an algorithm");
  if (!areParametersOf(object, parameters)) throw new Malformed("DER: parameters that are not the algorithm's");
  return { object, parameters };
}

function areParametersOf(object, parameters) {
  const row = PARAMETERS.find(([names]) => names.test(object));
  if (row === undefined) return true;
  if (parameters?.tag === OBJECT) objectName(parameters);
  return row[1].includes(parameters?.tag ?? ABSENT) && (parameters?.tag !== NULL || parameters.content.length === 0);
}
