// Inflate (RFC 1950, RFC 1951) to an exact length, strictly and within it.
//
// Browsers have a DecompressionStream, but engines differ on what may follow the stream, and none
// takes a limit. Here nothing is written beyond the expected length, and nothing may follow.

import { Malformed } from "./bytes.mjs";

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_BITS = 15;
const WINDOW = 32768;
const PIECE = 1 << 18;
// So many bytes are copied faster by one call than one by one.
const AT_ONCE_FROM = 64;

function refuseStream() {
  throw new Malformed("disclosure: the pixels are not a zlib stream");
}

// A Huffman code as a table that is asked with the next 15 bits: symbol << 4 | length, or 0.
class Codes {
  constructor(lengths, mayBeShort) {
    const counts = new Uint16Array(MAX_BITS + 1);
    for (const length of lengths) counts[length]++;
    counts[0] = 0;
    let room = 1;
    let longest = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      room = 2 * room - counts[bits];
      if (room < 0) refuseStream();
      if (counts[bits] > 0) longest = bits;
    }
    // One code of one bit may stand alone, and so may none; every other set is complete.
    if (room > 0 && longest > 0 && !(mayBeShort && longest === 1)) refuseStream();
    if (longest === 0 && !mayBeShort) refuseStream();
    this.bits = Math.max(longest, 1);
    this.table = new Uint16Array(1 << this.bits);
    this.fill(lengths, counts);
  }

  fill(lengths, counts) {
    const next = new Uint16Array(MAX_BITS + 2);
    for (let bits = 1; bits <= MAX_BITS; bits++) next[bits + 1] = (next[bits] + counts[bits]) << 1;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      const length = lengths[symbol];
      if (length === 0) continue;
      let code = next[length]++;
      let turned = 0;
      for (let n = 0; n < length; n++, code >>= 1) turned = (turned << 1) | (code & 1);
      for (let at = turned; at < this.table.length; at += 1 << length) {
        this.table[at] = (symbol << 4) | length;
      }
    }
  }
}

const FIXED_LENGTHS = Uint8Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8));
const FIXED = [new Codes(FIXED_LENGTHS, true), new Codes(new Uint8Array(32).fill(5), true)];

class Inflater {
  constructor(data, expected) {
    this.data = data;
    this.at = 2;
    this.held = 0;
    this.count = 0;
    this.out = new Uint8Array(expected);
    this.size = 0;
  }

  need(bits) {
    while (this.count < bits) {
      if (this.at >= this.data.length) refuseLength(this.out.length);
      this.held |= this.data[this.at++] << this.count;
      this.count += 8;
    }
  }

  take(bits) {
    if (bits === 0) return 0;
    this.need(bits);
    const value = this.held & ((1 << bits) - 1);
    this.held >>>= bits;
    this.count -= bits;
    return value;
  }

  symbol(codes) {
    // Near the end fewer bits may be left than the longest code has: then a shorter one must do.
    while (this.count < codes.bits && this.at < this.data.length) {
      this.held |= this.data[this.at++] << this.count;
      this.count += 8;
    }
    const entry = codes.table[this.held & ((1 << codes.bits) - 1)];
    const length = entry & 15;
    if (length > this.count) refuseLength(this.out.length);
    if (length === 0) this.count < codes.bits ? refuseLength(this.out.length) : refuseStream();
    this.held >>>= length;
    this.count -= length;
    return entry >> 4;
  }

  put(byte) {
    if (this.size === this.out.length) refuseLength(this.out.length);
    this.out[this.size++] = byte;
  }

  stored() {
    this.held = 0;
    // Whole bytes that were read ahead go back.
    this.at -= this.count >> 3;
    this.count = 0;
    if (this.at + 4 > this.data.length) refuseLength(this.out.length);
    const length = this.data[this.at] | (this.data[this.at + 1] << 8);
    const check = this.data[this.at + 2] | (this.data[this.at + 3] << 8);
    if (length !== (~check & 0xffff)) refuseStream();
    this.at += 4;
    if (this.at + length > this.data.length || this.size + length > this.out.length) {
      refuseLength(this.out.length);
    }
    this.out.set(this.data.subarray(this.at, this.at + length), this.size);
    this.at += length;
    this.size += length;
  }

  dynamicCodes() {
    const [literals, distances, codes] = [this.take(5) + 257, this.take(5) + 1, this.take(4) + 4];
    if (literals > 286 || distances > 30) refuseStream();
    const order = new Uint8Array(19);
    for (let n = 0; n < codes; n++) order[CODE_ORDER[n]] = this.take(3);
    const code = new Codes(order, false);
    const lengths = new Uint8Array(literals + distances);
    for (let n = 0; n < lengths.length; ) {
      const symbol = this.symbol(code);
      if (symbol < 16) {
        lengths[n++] = symbol;
        continue;
      }
      if (symbol === 16 && n === 0) refuseStream();
      const value = symbol === 16 ? lengths[n - 1] : 0;
      const repeat = symbol === 16 ? 3 + this.take(2) : symbol === 17 ? 3 + this.take(3) : 11 + this.take(7);
      if (n + repeat > lengths.length) refuseStream();
      lengths.fill(value, n, n + repeat);
      n += repeat;
    }
    if (lengths[256] === 0) refuseStream();
    return [new Codes(lengths.subarray(0, literals), true), new Codes(lengths.subarray(literals), true)];
  }

  async compressed([literals, distances], turns) {
    let until = this.size + PIECE;
    for (;;) {
      if (this.size > until) {
        await turns.next();
        until = this.size + PIECE;
      }
      const symbol = this.symbol(literals);
      if (symbol < 256) this.put(symbol);
      else if (symbol === 256) return;
      else this.copy(symbol, distances);
    }
  }

  copy(symbol, distances) {
    if (symbol > 285) refuseStream();
    const length = LENGTH_BASE[symbol - 257] + this.take(LENGTH_EXTRA[symbol - 257]);
    const code = this.symbol(distances);
    if (code > 29) refuseStream();
    const distance = DISTANCE_BASE[code] + this.take(code < 4 ? 0 : (code >> 1) - 1);
    if (distance > Math.min(this.size, WINDOW)) refuseStream();
    const { out, size } = this;
    if (size + length > out.length) refuseLength(out.length);
    repeat(out, size, distance, length);
    this.size = size + length;
  }

  async run(turns) {
    for (let last = 0; last === 0; ) {
      await turns.next();
      last = this.take(1);
      const type = this.take(2);
      if (type === 0) this.stored();
      else if (type === 1) await this.compressed(FIXED, turns);
      else if (type === 2) await this.compressed(this.dynamicCodes(), turns);
      else refuseStream();
    }
    this.at -= this.count >> 3;
  }
}

// Copy what stands `distance` before: byte by byte at first, for it may reach into itself; then all
// that is there already, twice as much each time.
function repeat(out, size, distance, length) {
  const [start, end] = [size - distance, size + length];
  const alone = Math.min(end, length < AT_ONCE_FROM ? end : start + Math.max(distance, AT_ONCE_FROM));
  let at = size;
  for (; at < alone; at++) out[at] = out[at - distance];
  let whole = at - start - ((at - start) % distance);
  while (at < end) {
    const count = Math.min(whole, end - at);
    out.copyWithin(at, at - whole, at - whole + count);
    at += count;
    whole *= 2;
  }
}

function refuseLength(expected) {
  throw new Malformed(`disclosure: expected exactly ${expected} bytes of pixels`);
}

async function adler32(data, turns) {
  let sums = [1, 0];
  for (let at = 0; at < data.length; at += PIECE) {
    sums = adlerSums(sums, data, at, Math.min(at + PIECE, data.length));
    await turns.next();
  }
  const [low, high] = sums;
  return ((high << 16) | low) >>> 0;
}

function adlerSums([low, high], data, begin, end) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let at = begin; at < end; ) {
    // So many bytes of 255 keep both sums below 2^31.
    const until = Math.min(at + 3800, end);
    // Eight at a time, read as two words: the sums of one byte need not wait for those before it.
    for (; at + 8 <= until; at += 8) {
      const one = view.getInt32(at, true);
      const two = view.getInt32(at + 4, true);
      const a = one & 0xff;
      const b = (one >>> 8) & 0xff;
      const c = (one >>> 16) & 0xff;
      const d = one >>> 24;
      const e = two & 0xff;
      const f = (two >>> 8) & 0xff;
      const g = (two >>> 16) & 0xff;
      const h = two >>> 24;
      high = (high + (low << 3)) | 0;
      high = (high + Math.imul(a, 8) + Math.imul(b, 7) + Math.imul(c, 6) + Math.imul(d, 5)
        + Math.imul(e, 4) + Math.imul(f, 3) + Math.imul(g, 2) + h) | 0;
      low = (low + a + b + c + d + e + f + g + h) | 0;
    }
    for (; at < until; at++) {
      low = (low + data[at]) | 0;
      high = (high + low) | 0;
    }
    low %= 65521;
    high %= 65521;
  }
  return [low, high];
}

// Inflate one zlib stream that takes all the bytes and gives exactly the expected number.
export async function inflate(data, expected, turns) {
  if (data.length < 2) refuseLength(expected);
  const [first, second] = data;
  if ((first & 15) !== 8 || first >> 4 > 7 || ((first << 8) | second) % 31 !== 0 || second & 0x20) refuseStream();
  const inflater = new Inflater(data, expected);
  await inflater.run(turns);
  const { at, out, size } = inflater;
  if (size !== expected || at + 4 > data.length) refuseLength(expected);
  const told = new DataView(data.buffer, data.byteOffset + at, 4).getUint32(0);
  if (told !== (await adler32(out, turns))) refuseStream();
  if (at + 4 !== data.length) throw new Malformed("disclosure: bytes follow the zlib stream");
  return out;
}
