// The tree of RFC 9162, inclusion paths and the sparse proof (docs/spec/log.md).
//
// Sizes go up to 2^63 - 1, beyond what a JavaScript number holds exactly: ranges are BigInt here.

import { Fails, sameBytes } from "./bytes.mjs";
import { sha256 } from "./sha256.mjs";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
export const MAX_PATH = 63;
export const EMPTY_ROOT = sha256();

export function leafHash(entry) {
  return sha256(LEAF, entry);
}

export function nodeHash(left, right) {
  return sha256(NODE, left, right);
}

// Give the largest power of two smaller than a number of leaves.
export function splitPoint(count) {
  return 2 ** Math.floor(Math.log2(count - 1));
}

function bigSplitPoint(count) {
  return 1n << BigInt((count - 1n).toString(2).length - 1);
}

// Give the root over some leaves, from low to high.
export function rootOf(leaves) {
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at + 1 < level.length; at += 2) above.push(nodeHash(level[at], level[at + 1]));
    // The last of an odd level moves up unchanged: the same tree as by splitting.
    if (level.length % 2 === 1) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

// Compute the root that an inclusion path leads to (RFC 9162 section 2.1.3.2).
//
// `before` is a Map that remembers the last path for the next call: neighbours in one tree soon
// come to one node with one path left, and what follows is known.
export function inclusionRoot(leaf, index, size, path, before = new Map()) {
  if (!(index < size)) throw new Fails("the index of the leaf does not lie below the tree size");
  if (path.some((node) => node.length !== 32)) {
    throw new Fails("inclusion path: expected 32 bytes in each hash");
  }
  // Numbers, and no big ones: both come from CBOR, and have at most 53 bits.
  const halved = (value) => Math.floor(value / 2);
  let node = index;
  let last = size - 1;
  let result = leaf;
  const steps = [];
  const same = commonEnd(path, before.get("path"));
  const remember = (root, after) => {
    before.set("path", path).set("steps", steps.concat(after)).set("root", root);
    return root;
  };
  for (const [at, sibling] of path.entries()) {
    if (last === 0) throw new Fails("the inclusion path is too long");
    const rest = same >= path.length - at ? before.get("steps").slice(at - path.length) : [];
    if (rest[0]?.node === node && rest[0].last === last && sameBytes(rest[0].result, result)) {
      return remember(before.get("root"), rest);
    }
    steps.push({ node, last, result });
    if (node % 2 === 1 || node === last) {
      result = nodeHash(sibling, result);
      while (node % 2 === 0 && node !== 0) [node, last] = [halved(node), halved(last)];
    } else {
      result = nodeHash(result, sibling);
    }
    [node, last] = [halved(node), halved(last)];
  }
  if (last !== 0) throw new Fails("the inclusion path is too short");
  return remember(result, []);
}

// Count the hashes at the end of two paths that are the same.
function commonEnd(path, other = []) {
  let count = 0;
  while (count < Math.min(path.length, other.length) && sameBytes(path.at(-1 - count), other.at(-1 - count))) count++;
  return count;
}

// Check many leaf hashes and earlier roots against one root.
//
// `leaves` and `earlier` are arrays of [place, hash] with ascending places; size is a BigInt.
export async function verifySparse({ size, root, leaves, earlier, hashes }, turns) {
  if (leaves.length > 0 && !(leaves[leaves.length - 1][0] < size)) {
    throw new Fails("an index does not lie below the tree size");
  }
  if (earlier.length > 0 && !(earlier[0][0] >= 1 && earlier[earlier.length - 1][0] <= size)) {
    throw new Fails("an earlier size is 0 or larger than the tree");
  }
  const fold = new SparseFold(leaves, earlier, hashes, turns);
  const [computed, prefixes] = size > 0n
    ? await fold.run(0n, size, 0, leaves.length, 0, earlier.length)
    : [EMPTY_ROOT, new Map()];
  if (fold.used < hashes.length) throw new Fails("the sparse proof is too long");
  if (!sameBytes(computed, root)) throw new Fails("the sparse proof does not lead to the root");
  for (let place = 0; place < earlier.length; place++) {
    const [earlierSize, given] = earlier[place];
    const found = earlierSize === size ? computed : prefixes.get(place);
    if (!sameBytes(found, given)) {
      throw new Fails(`the tree of size ${earlierSize} is not a prefix of this one`);
    }
  }
}

class SparseFold {
  constructor(leaves, earlier, hashes, turns) {
    this.leaves = leaves;
    this.earlier = earlier;
    this.hashes = hashes;
    this.used = 0;
    this.turns = turns;
  }

  // Give the hash of [lo, hi), and of [lo, s) for each earlier size s strictly inside.
  //
  // [a, b) are the places of the wanted leaves in the range, [c, d) those of the sizes inside it.
  async run(lo, hi, a, b, c, d) {
    while (c < d && this.earlier[c][0] <= lo) c++;
    while (c < d && this.earlier[d - 1][0] >= hi) d--;
    if (a === b && c === d) {
      if (this.used === this.hashes.length) throw new Fails("the sparse proof is too short");
      return [this.hashes[this.used++], new Map()];
    }
    if (hi - lo === 1n) return [this.leaves[a][1], new Map()];
    if (this.turns.due) await this.turns.next();
    const middle = lo + bigSplitPoint(hi - lo);
    const cut = firstNotBelow(this.leaves, a, b, middle);
    const from = firstNotBelow(this.earlier, c, d, middle);
    const [left, prefixes] = await this.run(lo, middle, a, cut, c, from);
    const here = from < d && this.earlier[from][0] == middle;
    const [right, inner] = await this.run(middle, hi, cut, b, from + (here ? 1 : 0), d);
    if (here) prefixes.set(from, left);
    // A prefix that ends right of the middle splits there too: its tree has the same left child.
    for (const [place, prefix] of inner) prefixes.set(place, nodeHash(left, prefix));
    return [nodeHash(left, right), prefixes];
  }
}

function firstNotBelow(rows, low, high, bound) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
