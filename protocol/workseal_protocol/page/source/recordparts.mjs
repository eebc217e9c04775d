// What the readers of several records share (docs/spec/records.md, "Conventions" and "Common keys").
//
// Digests become hex, so that they compare and serve as keys.

import { Malformed, toHex } from "./bytes.mjs";
import { isInteger, isOctets } from "./cbor.mjs";

export const MAX_TIME = 253402300799999;
export const MAX_WORKED = 600000;
// Days since 1970-01-01; the last is in the year 9999.
export const MAX_DAY = 2932896;

export const digest = (fields, key, name) => toHex(fields.exactly(key, name, 32));
export const optionalDigest = (fields, key, name) => fields.optional(key, () => digest(fields, key, name));
export const digestPart = (part) => (isOctets(part) && part.length === 32 ? toHex(part) : refuse("expected 32 bytes"));
export const uintPart = (part) => (isInteger(part) && part >= 0 ? part : refuse("expected an unsigned integer"));

export function refuse(what) {
  throw new Malformed(what);
}

export function claimed(fields) {
  return fields.uint(6, "claimed_at", MAX_TIME);
}

export function head(fields) {
  return { engagement: fields.exactly(2, "engagement", 16), claimedAt: claimed(fields) };
}

// Read an array of 1 to `maximum` different digests.
export function digests(fields, key, name, maximum) {
  return different(fields.array(key, name, 1, maximum).map(digestPart), name);
}

// Read an array of rows, each by the readers of its places.
export function tableOf(fields, key, name, minimum, maximum, readers) {
  return fields.array(key, name, minimum, maximum).map((item) => {
    if (!Array.isArray(item) || item.length !== readers.length) {
      refuse(`expected an array of ${readers.length}`);
    }
    return item.map((part, place) => readers[place](part));
  });
}

// Read 1 to `maximum` rows; no value stands twice at the place that tells them apart.
export function rows(fields, key, name, maximum, readers, distinctAt) {
  const found = tableOf(fields, key, name, 1, maximum, readers);
  different(found.map((row) => row[distinctAt]), name);
  return found;
}

function different(values, name) {
  return new Set(values).size === values.length ? values : refuse(`${name}: one stands there twice`);
}

// Tell whether numbers stand in ascending order, each once.
export function ascends(numbers) {
  return numbers.every((number, place) => place === 0 || numbers[place - 1] < number);
}
