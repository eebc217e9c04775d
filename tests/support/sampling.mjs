// The draw of a sample, written from docs/spec/sampling.md alone. Vectors on stdin, answers on stdout.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const hash = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const hex = (text) => Buffer.from(text, "hex");
const big = (number, bytes) => hex(BigInt(number).toString(16).padStart(2 * bytes, "0"));

function root(leaves) {
  if (leaves.length === 1) return leaves[0];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hash(Buffer.from([1]), root(leaves.slice(0, split)), root(leaves.slice(split)));
}

function freeze(frames) {
  const ordered = frames.map((frame, index) => ({ ...frame, index }));
  ordered.sort((a, b) => a.holding - b.holding || a.day - b.day || a.index - b.index);
  const leaves = ordered.map(({ holding, day, segment, frame }) =>
    hash(Buffer.from([0]), big(holding, 1), big(day, 4), hex(segment), hex(frame)),
  );
  const strata = [];
  for (const { holding, day } of ordered) {
    const last = strata.at(-1);
    if (last && last[0] === holding && last[1] === day) last[2] += 1;
    else strata.push([holding, day, 1]);
  }
  return { root: root(leaves).toString("hex"), strata };
}

// A number from 0 to below - 1, from the hash of a stratum.
function lot(seed, stratum, below) {
  const x = BigInt("0x" + hash(Buffer.from("workseal/share/v1"), seed, big(stratum, 8)).toString("hex"));
  return Number((x * BigInt(below)) >> 256n);
}

function divide(seed, counts, size) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count) => Math.floor((size * count) / total));
  let open = null;
  counts.forEach((count, stratum) => {
    const rest = (size * count) % total;
    if (rest === 0) return;
    if (open === null) {
      open = { stratum, rest };
      return;
    }
    const sum = open.rest + rest;
    if (sum < total) {
      const stays = lot(seed, stratum, sum) < open.rest;
      open = { stratum: stays ? open.stratum : stratum, rest: sum };
      return;
    }
    const openHas = lot(seed, stratum, 2 * total - sum) < total - rest;
    shares[openHas ? open.stratum : stratum] += 1;
    open = sum === total ? null : { stratum: openHas ? stratum : open.stratum, rest: sum - total };
  });
  if (open !== null) throw new Error("a remainder is left");
  return shares;
}

function answer(vector) {
  const total = vector.strata.reduce((sum, row) => sum + row[2], 0);
  const secrets = Object.entries(vector.secrets).sort(([a], [b]) => a - b);
  const seed = hash(
    Buffer.from("workseal/sample/v1"),
    hex(vector.case),
    hex(vector.root),
    big(total, 8),
    big(vector.round, 8),
    hex(vector.value),
    Buffer.from([secrets.length]),
    ...secrets.map(([role, secret]) => Buffer.concat([Buffer.from([Number(role)]), hex(secret)])),
  );
  const shares = divide(seed, vector.strata.map((row) => row[2]), vector.size);
  const places = [];
  let begin = 0;
  vector.strata.forEach(([, , count], index) => {
    const within = Array.from({ length: count }, (_, offset) => begin + offset).map((place) => [
      hash(Buffer.from("workseal/place/v1"), seed, big(place, 8)),
      place,
    ]);
    within.sort(([a], [b]) => Buffer.compare(a, b));
    places.push(...within.slice(0, shares[index]).map(([, place]) => place));
    begin += count;
  });
  places.sort((a, b) => a - b);
  const commitments = Object.fromEntries(
    secrets.map(([role, secret]) => [
      role,
      hash(Buffer.from("workseal/secret/v1"), hex(vector.case), Buffer.from([Number(role)]), hex(secret)).toString("hex"),
    ]),
  );
  const found = { name: vector.name, seed: seed.toString("hex"), shares, places, commitments };
  return vector.frames ? { ...found, freeze: freeze(vector.frames) } : found;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(answer)));
