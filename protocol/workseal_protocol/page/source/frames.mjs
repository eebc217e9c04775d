// Frames and disclosures (docs/spec/frames.md, docs/spec/disclosure.md).
//
// Rules: the reader derives from header and shown tiles what must follow, inflates the pixels once,
// hashes them and lets them go, one frame at a time; only tiles that verified are ever drawn.

import { Fails, Malformed, readUint, toHex } from "./bytes.mjs";
import { Fields, decode, isInteger } from "./cbor.mjs";
import { inflate } from "./inflate.mjs";
import { nodeHash, rootOf, splitPoint } from "./merkle.mjs";
import { longSha256, sha256 } from "./sha256.mjs";

const HEADER_BYTES = 41;
const MAX_SIDE = 16384;
const MAX_PIXELS = 2 ** 25;
const MAX_TILES = 65536;
const MAX_DISCLOSURE_BYTES = 67108864;
const SEED_BYTES = 16;
const CHANNELS = 3;
const SEED_TAG = Uint8Array.of(3);
const LEAF_TAG = Uint8Array.of(0);

// Read the header of a frame.
function readFrameHeader(raw) {
  if (raw[0] !== 2 || raw[1] !== 1) throw new Malformed("a frame header begins with tag 2 and version 1");
  const header = {
    raw, width: readUint(raw, 2, 4), height: readUint(raw, 6, 4), tile: readUint(raw, 10, 2), display: raw[12],
    round: readUint(raw, 13, 8), offsetMs: readUint(raw, 21, 4), nonce: raw.subarray(25, 41),
  };
  const sides = [header.width, header.height];
  if (sides.some((side) => side < 1 || side > MAX_SIDE) || header.width * header.height > MAX_PIXELS) {
    throw new Malformed("frame header: a frame is larger or smaller than a frame can be");
  }
  if (![16, 32, 64, 128].includes(header.tile)) throw new Malformed("frame header: a tile is 16, 32, 64 or 128 pixels wide");
  if (header.round > Number.MAX_SAFE_INTEGER) throw new Malformed("frame header: a round number does not fit in 53 bits");
  header.columns = Math.ceil(header.width / header.tile);
  header.rows = Math.ceil(header.height / header.tile);
  header.count = header.columns * header.rows;
  if (header.count > MAX_TILES) throw new Malformed(`frame header: a frame has at most ${MAX_TILES} tiles`);
  return header;
}

function spreadBits(number) {
  let spread = 0;
  for (let bit = 0; number >> bit; bit++) spread |= ((number >> bit) & 1) << (2 * bit);
  return spread;
}

// Screens of one size follow each other: the boxes of the last one are kept.
let lastBoxes = { of: "", boxes: [] };

// Give left, top, width and height of each tile, in Z-order.
export function tileBoxes(header) {
  const of = `${header.width} ${header.height} ${header.tile}`;
  if (lastBoxes.of !== of) lastBoxes = { of, boxes: boxesOf(header) };
  return lastBoxes.boxes;
}

function boxesOf({ width, height, tile, columns, rows }) {
  const places = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      places.push([spreadBits(column) + 2 * spreadBits(row), column, row]);
    }
  }
  places.sort((one, other) => one[0] - other[0]);
  return places.map(([, column, row]) => {
    const [left, top] = [column * tile, row * tile];
    return [left, top, Math.min(tile, width - left), Math.min(tile, height - top)];
  });
}

// Give [low, high, shown] of the largest wholly shown or hidden subtrees, from left to right.
function expectedSubtrees(count, shown) {
  const before = new Uint32Array(count + 1);
  for (const number of shown) before[number + 1] = 1;
  for (let n = 0; n < count; n++) before[n + 1] += before[n];
  const found = [];
  const walk = (low, high) => {
    const inside = before[high] - before[low];
    if (inside === 0 || inside === high - low) {
      found.push([low, high, inside > 0]);
      return;
    }
    const middle = low + splitPoint(high - low);
    walk(low, middle);
    walk(middle, high);
  };
  walk(0, count);
  return found;
}

function readRuns(runs, count) {
  const shown = [];
  let least = 0;
  for (const run of runs) {
    const [start, length] = Array.isArray(run) && run.length === 2 ? run : [];
    if (!isInteger(start) || !isInteger(length) || start < least || length < 1 || start + length > count) {
      throw new Malformed(`shown tiles are ascending, separate runs [start, count] below ${count}`);
    }
    for (let n = 0; n < length; n++) shown.push(start + n);
    least = start + length + 1;
  }
  return shown;
}

// Read a disclosure; one that shows more than `maximum` bytes of pixels is not inflated.
//
// `commitment` is that of the frame whose tiles these are: it is compared when others ask for it.
export async function readDisclosure(data, maximum, turns) {
  const fields = new Fields(decode(data, MAX_DISCLOSURE_BYTES), "disclosure");
  fields.uint(1, "version", 1, 1);
  const header = readFrameHeader(fields.exactly(2, "header", HEADER_BYTES));
  const runs = fields.array(3, "shown", 0, MAX_TILES / 2);
  const seeds = fields.octets(4, "seeds", 0, MAX_TILES * SEED_BYTES);
  const hashes = fields.octets(5, "hashes", 0, MAX_TILES * 32);
  const deflated = fields.octets(6, "pixels", 0, MAX_DISCLOSURE_BYTES);
  fields.close();
  const shown = readRuns(runs, header.count);
  const boxes = tileBoxes(header);
  const pixelBytes = shown.reduce((sum, number) => sum + boxes[number][2] * boxes[number][3] * CHANNELS, 0);
  if (pixelBytes > maximum) throw new Malformed(`it shows more than ${maximum} bytes of pixels`);
  const subtrees = expectedSubtrees(header.count, shown);
  const opened = subtrees.filter(([, , isShown]) => isShown).length;
  if (seeds.length !== opened * SEED_BYTES) throw new Malformed(`disclosure: expected ${opened} seeds of 16 bytes`);
  if (hashes.length !== (subtrees.length - opened) * 32) {
    throw new Malformed(`disclosure: expected ${subtrees.length - opened} hashes of 32 bytes`);
  }
  const disclosure = { header, shown, seeds, hashes, deflated, pixelBytes };
  const tiles = await tilesOf(disclosure, boxes, turns);
  const commitment = toHex(sha256(header.raw, await foldedRoot(disclosure, tiles, turns)));
  return { ...disclosure, commitment, digest: toHex(await longSha256(data)) };
}

// Inflate the pixels, and cut them into the shown tiles in Z-order.
async function tilesOf({ shown, deflated, pixelBytes }, boxes, turns) {
  const pixels = await inflate(deflated, pixelBytes, turns);
  const tiles = new Map();
  let at = 0;
  for (const number of shown) {
    const end = at + boxes[number][2] * boxes[number][3] * CHANNELS;
    tiles.set(number, pixels.subarray(at, end));
    at = end;
  }
  return tiles;
}

// Derive the salts of some leaves from the seed of the node above them.
function expandSeed(seed, nonce, count) {
  const widths = [count];
  while (widths[0] > 1) widths.unshift(Math.ceil(widths[0] / 2));
  let seeds = [seed];
  for (const width of widths.slice(1)) {
    const below = [];
    for (const parent of seeds.slice(0, Math.floor(width / 2))) {
      const pair = sha256(SEED_TAG, nonce, parent);
      below.push(pair.subarray(0, SEED_BYTES), pair.subarray(SEED_BYTES));
    }
    if (width % 2 === 1) below.push(seeds[seeds.length - 1]);
    seeds = below;
  }
  return seeds;
}

// Check that the shown tiles are those of the committed frame.
export function verifyDisclosure(disclosure, commitment) {
  if (disclosure.commitment !== commitment) {
    throw new Fails("the disclosed tiles are not those of the committed frame");
  }
}

// Give the tiles of a disclosure that was verified, in Z-order, with their boxes.
export async function shownTiles(disclosure, turns) {
  const boxes = tileBoxes(disclosure.header);
  return { header: disclosure.header, boxes, tiles: await tilesOf(disclosure, boxes, turns) };
}

async function foldedRoot({ header, shown, seeds, hashes }, tiles, turns) {
  const roots = [];
  let [seedAt, hashAt] = [0, 0];
  for (const [low, high, isShown] of expectedSubtrees(header.count, shown)) {
    if (turns.due) await turns.next();
    if (!isShown) {
      roots.push([low, high, hashes.subarray(hashAt, (hashAt += 32))]);
      continue;
    }
    const salts = expandSeed(seeds.subarray(seedAt, (seedAt += SEED_BYTES)), header.nonce, high - low);
    const leaves = [];
    for (let number = low; number < high; number++) {
      leaves.push(sha256(LEAF_TAG, salts[number - low], tiles.get(number)));
      if (turns.due) await turns.next();
    }
    roots.push([low, high, rootOf(leaves)]);
  }
  let next = 0;
  const fold = (low, high) => {
    if (roots[next][0] === low && roots[next][1] === high) return roots[next++][2];
    const middle = low + splitPoint(high - low);
    const left = fold(low, middle);
    return nodeHash(left, fold(middle, high));
  };
  return fold(0, header.count);
}

// Count what a viewer must state beside the picture: pixels shown, and tiles of one flat colour.
export function shownFigures({ header, tiles }) {
  let [pixels, flat] = [0, 0];
  for (const tile of tiles.values()) {
    pixels += tile.length / CHANNELS;
    if (tile.every((byte, at) => byte === tile[at % CHANNELS])) flat++;
  }
  return { pixels, allPixels: header.width * header.height, flat };
}

// Draw verified tiles as RGBA, with a checker of our own where a tile is hidden.
export async function drawnPixels({ header, boxes, tiles }, turns) {
  const image = new Uint8ClampedArray(header.width * header.height * 4);
  for (const [number, box] of boxes.entries()) {
    const tile = tiles.get(number);
    if (tile === undefined) drawHidden(image, header.width, box);
    else drawTile(image, header.width, box, tile);
    if (turns.due) await turns.next();
  }
  return image;
}

function drawTile(image, width, [left, top, across, down], tile) {
  for (let y = 0, from = 0; y < down; y++) {
    let at = ((top + y) * width + left) * 4;
    for (let x = 0; x < across; x++, at += 4, from += CHANNELS) {
      image[at] = tile[from];
      image[at + 1] = tile[from + 1];
      image[at + 2] = tile[from + 2];
      image[at + 3] = 255;
    }
  }
}

function drawHidden(image, width, [left, top, across, down]) {
  for (let y = top; y < top + down; y++) {
    for (let x = left, at = (y * width + left) * 4; x < left + across; x++, at += 4) {
      const even = ((x >> 3) + (y >> 3)) % 2 === 0;
      image[at] = even ? 255 : 128;
      image[at + 1] = even ? 0 : 128;
      image[at + 2] = even ? 255 : 128;
      image[at + 3] = 255;
    }
  }
}
