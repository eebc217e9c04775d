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

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

// The same without a logarithm, which is rounded.
function exactSplitPoint(count) {
  const last = count - 1;
  if (last < 2 ** 31) return 2 ** (31 - Math.clz32(last));
  return 2 ** (62 - Math.clz32(Math.floor(last / 2 ** 31)));
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

// Check many leaf hashes and earlier roots against one root; give the tree that was met.
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
  const tree = size > 0n ? await fold.run(0n, size, 0, leaves.length, 0, earlier.length) : { hash: EMPTY_ROOT };
  if (fold.used < hashes.length) throw new Fails("the sparse proof is too long");
  if (!sameBytes(tree.hash, root)) throw new Fails("the sparse proof does not lead to the root");
  for (let place = 0; place < earlier.length; place++) {
    const [earlierSize, given] = earlier[place];
    const found = earlierSize === size ? tree.hash : tree.prefixes?.get(place);
    if (!sameBytes(found, given)) {
      throw new Fails(`the tree of size ${earlierSize} is not a prefix of this one`);
    }
  }
  return tree;
}

// So many leaves and earlier sizes of a range are folded without a look at the clock.
const SMALL_FOLD = 128;

// A node is its hash, its children where they were met, whether it is a wanted leaf, and the hash of
// [lo, s) for each earlier size s strictly inside it, by the place of s; null where there is none.
class SparseFold {
  constructor(leaves, earlier, hashes, turns) {
    this.leaves = leaves;
    this.earlier = earlier;
    this.hashes = hashes;
    this.used = 0;
    this.turns = turns;
  }

  // Give the node of [lo, hi), both BigInt.
  //
  // [a, b) are the places of the wanted leaves in the range, [c, d) those of the sizes inside it.
  async run(lo, hi, a, b, c, d) {
    while (c < d && this.earlier[c][0] <= lo) c++;
    while (c < d && this.earlier[d - 1][0] >= hi) d--;
    if (a === b && c === d) return this.given();
    if (b - a + d - c <= SMALL_FOLD && hi <= MAX_EXACT) return this.runNow(Number(lo), Number(hi), a, b, c, d);
    if (hi - lo === 1n) return leafNode(this.leaves[a][1]);
    if (this.turns.due) await this.turns.next();
    const middle = lo + bigSplitPoint(hi - lo);
    const cut = firstNotBelow(this.leaves, a, b, middle);
    const from = firstNotBelow(this.earlier, c, d, middle);
    const left = await this.run(lo, middle, a, cut, c, from);
    const here = from < d && this.earlier[from][0] === middle;
    const right = await this.run(middle, hi, cut, b, from + (here ? 1 : 0), d);
    return parentNode(left, right, here ? from : null);
  }

  // Do the same at once, where numbers are exact.
  runNow(lo, hi, a, b, c, d) {
    while (c < d && this.earlier[c][0] <= lo) c++;
    while (c < d && this.earlier[d - 1][0] >= hi) d--;
    if (a === b && c === d) return this.given();
    if (hi - lo === 1) return leafNode(this.leaves[a][1]);
    const middle = lo + exactSplitPoint(hi - lo);
    const cut = firstNotBelow(this.leaves, a, b, middle);
    const from = firstNotBelow(this.earlier, c, d, middle);
    const left = this.runNow(lo, middle, a, cut, c, from);
    const here = from < d && Number(this.earlier[from][0]) === middle;
    const right = this.runNow(middle, hi, cut, b, from + (here ? 1 : 0), d);
    return parentNode(left, right, here ? from : null);
  }

  given() {
    if (this.used === this.hashes.length) throw new Fails("the sparse proof is too short");
    return { hash: this.hashes[this.used++], left: null, right: null, leaf: false, prefixes: null };
  }
}

function leafNode(hash) {
  return { hash, left: null, right: null, leaf: true, prefixes: null };
}

// `here` is the place of an earlier size that ends between the two, or null.
function parentNode(left, right, here) {
  const hash = nodeHash(left.hash, right.hash);
  let { prefixes } = left;
  if (here !== null || right.prefixes !== null) prefixes ??= new Map();
  if (here !== null) prefixes.set(here, left.hash);
  // A prefix that ends right of the middle splits there too: its tree has the same left child.
  for (const [place, prefix] of right.prefixes ?? []) prefixes.set(place, nodeHash(left.hash, prefix));
  // What is handed up is not kept below.
  left.prefixes = null;
  right.prefixes = null;
  return { hash, left, right, leaf: false, prefixes };
}

const PATH_ITEM = 34;

// Give the inclusion path of each wanted leaf in turn, each hash as a byte string; a view that holds
// until the next is asked for.
export function pathsOf(tree) {
  return walkPaths(tree);
}

function* walkPaths(tree) {
  const room = new Uint8Array(PATH_ITEM * MAX_PATH);
  // [node, how many hashes stand in its path, the last of them]
  const waiting = [[tree, 0, null]];
  while (waiting.length > 0) {
    const [node, depth, sibling] = waiting.pop();
    const at = room.length - PATH_ITEM * depth;
    if (sibling !== null) {
      room[at] = 0x58;
      room[at + 1] = 0x20;
      room.set(sibling, at + 2);
    }
    if (node.leaf) yield room.subarray(at);
    if (node.left === null) continue;
    waiting.push([node.right, depth + 1, node.left.hash], [node.left, depth + 1, node.right.hash]);
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
