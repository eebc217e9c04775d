// Read the vectors of every format that the page reads: usage page_vectors.mjs PAGE FOLDER.
//
// Prints one JSON object: for each vector its name, what was expected and what the page found.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { namesOf } from "./page_script.mjs";

const [page, folder] = process.argv.slice(2);
const {
  AGENT_SIDE, Fails, Malformed, Turns, VERIFIER_SIDE, decode, drawnOffset, fromHex,
  fromBase64, keyOfText, leafHash, logSigned, policyOf, readCheckpoint, readDisclosure, readOpening,
  readRecord, readStatement, readVkey, rootOf, sameBytes, sha256, shownTiles, tileBoxes, toHex, toUtf8,
  trustedAuthorities, verifyChainValue, verifyCheckpoint, verifyCosignature, verifyDisclosure,
  verifyOpening, verifyReceipt, verifySparse, verifyStatement, verifyToken, lineOf, cborHead, inclusionRoot, joined, pathsOf,
} = await namesOf(
  page, "AGENT_SIDE", "Fails", "Malformed", "Turns", "VERIFIER_SIDE", "decode", "drawnOffset",
  "fromHex", "fromBase64", "keyOfText", "leafHash", "logSigned", "policyOf", "readCheckpoint",
  "readDisclosure", "readOpening", "readRecord", "readStatement", "readVkey", "rootOf", "sameBytes",
  "sha256", "shownTiles", "tileBoxes", "toHex", "toUtf8", "trustedAuthorities", "verifyChainValue",
  "verifyCheckpoint", "verifyCosignature", "verifyDisclosure", "verifyOpening", "verifyReceipt",
  "verifySparse", "verifyStatement", "verifyToken", "lineOf", "cborHead", "inclusionRoot", "joined",
  "pathsOf",
);
const turns = new Turns();
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const found = [];

// Run a reader; what it gives is compared with what the vector says, what it throws is named.
async function note(name, expected, reader) {
  let outcome;
  try {
    outcome = await reader();
  } catch (error) {
    outcome = error instanceof Malformed ? "malformed" : error instanceof Fails ? "fails" : String(error?.stack ?? error);
  }
  found.push([name, expected, outcome]);
}

function logPolicy(row) {
  const witness = row.witness_vkey === undefined ? "" : `witness w ${row.witness_vkey}\n`;
  return policyOf(toUtf8(`workseal-policy v1\nlog ${row.log_vkey}\n${witness}quorum none\n`)).log;
}

const merkle = read("log/merkle.json");
const leaves = merkle.entries.map((entry) => leafHash(fromHex(entry)));
const roots = merkle.roots.map(fromHex);

function sparseTree({ size, indices, earlier, hashes }) {
  const wanted = indices.map((index) => [index, [...leaves, new Uint8Array(32)][index]]);
  const rows = { size: BigInt(size), root: roots[size], leaves: wanted, earlier: earlier.map((at) => [BigInt(at), roots[at]]), hashes: hashes.map(fromHex) };
  return verifySparse(rows, turns);
}

async function checkSparse(row) {
  await sparseTree(row);
}

// Give the root that the path of each wanted leaf leads to.
async function rootsOfPaths(row) {
  const found = [];
  const paths = pathsOf(await sparseTree(row));
  for (const index of row.indices) {
    const written = paths.next().value;
    const path = decode(joined(cborHead(4, written.length / 34), written));
    found.push(toHex(inclusionRoot(leaves[index], index, row.size, path)));
  }
  return found.join();
}

const READERS = {
  "encoding": (row) => void decode(fromHex(row.bytes)),
  "checkpoint": async (row) => void (await verifyCheckpoint(readCheckpoint(toUtf8(row.checkpoint)), logPolicy(row))),
  "sparse": checkSparse,
  "cose-receipt": async (row) => void (await verifyReceipt(fromHex(row.cose_receipt), fromHex(row.entry), readVkey(row.log_vkey).key)),
  "opening": (row) => verifyOpening(readOpening(fromHex(row.opening)), row.commitment),
  "chain-value": (row) => verifyChainValue(
    row.side === "AGENT" ? AGENT_SIDE : VERIFIER_SIDE,
    { head: fromHex(row.head), firstRound: row.first_round, count: row.count }, row.round, fromHex(row.value), null, turns,
  ),
  "policy": (row) => void policyOf(toUtf8(row.policy)),
};

for (const row of read("refused.json").refused) {
  if (Object.hasOwn(READERS, row.format)) await note(`refused ${row.format}: ${row.why}`, row.outcome, () => READERS[row.format](row));
}
for (const row of merkle.sparse) {
  await note(`sparse ${row.size} ${row.indices}`, undefined, () => checkSparse(row));
  await note(`paths ${row.size} ${row.indices}`, row.indices.map(() => merkle.roots[row.size]).join(), () => rootsOfPaths(row));
}
for (const [size, root] of merkle.roots.entries()) {
  if (size > 0) await note(`root of ${size}`, root, () => toHex(rootOf(leaves.slice(0, size))));
}

for (const name of readdirSync(join(folder, "statement"))) {
  if (name === "refused.json") continue;
  const row = read(`statement/${name}`);
  await note(`statement ${row.kind}`, [row.kind, row.digest, row.thumbprint], async () => {
    const statement = readStatement(fromHex(row.statement));
    await verifyStatement(statement, keyOfText(row.public_key));
    return [readRecord(statement).kind, statement.digest, statement.issuer];
  });
}
for (const row of read("statement/refused.json")) {
  await note(`refused statement: ${row.why}`, "malformed", () => void readRecord(readStatement(fromHex(row.statement))));
}

const notes = read("log/checkpoint.json");
await note("checkpoint", [1000, notes.timestamp], async () => {
  const checkpoint = readCheckpoint(toUtf8(notes.checkpoint));
  await verifyCheckpoint(checkpoint, logPolicy(notes));
  const witness = readVkey(notes.witness_vkey);
  return [Number(checkpoint.size), Number(await verifyCosignature(checkpoint, witness, lineOf(checkpoint, witness)))];
});
const receipt = read("log/receipt.json");
await note("cose receipt", receipt.root, async () => {
  const { root } = await verifyReceipt(fromHex(receipt.cose_receipt), fromHex(receipt.entry), readVkey(notes.log_vkey).key);
  return root;
});
const stamp = read("log/timestamp.json");
await note("time-stamp", stamp.generated_at + stamp.accuracy, async () => {
  const message = toUtf8(stamp.message);
  if (!sameBytes(logSigned(readCheckpoint(message), readVkey(notes.log_vkey)), message)) throw new Error("another message");
  const authorities = await trustedAuthorities([fromBase64(stamp.root, "root")], []);
  return Number(await verifyToken(fromBase64(stamp.token, "token"), message, authorities));
});

const commitments = read("frames/commitments.json");
for (const row of commitments.commitments) {
  await note(`opening ${row.kind} ${row.value.slice(0, 16)}`, [row.statement, row.kind], () => {
    const opening = readOpening(fromHex(row.opening));
    verifyOpening(opening, row.commitment);
    return [opening.statement, opening.kind];
  });
}
for (const row of read("frames/lottery.json").draws) {
  await note(`draw of ${row.round} at ${row.rate}`, row.due ? row.offset_ms : null, () => drawnOffset(
    { level: 3, captureRate: row.rate, roundMs: row.round_ms }, fromHex(row.engagement),
    { round: row.round, agentValue: fromHex(row.agent_value), verifierValue: row.verifier_value === null ? null : fromHex(row.verifier_value) },
  ));
}
for (const { side, values, head } of read("frames/lottery.json").chains) {
  for (const [place, value] of values.entries()) {
    await note(`${side} value ${place}`, undefined, () => READERS["chain-value"]({ side, head, first_round: 7, count: values.length, round: 7 + place, value }));
  }
}

const frames = read("frames/frames.json");
for (const row of frames.disclosures) {
  const { commitment, pixels, header } = frames.frames[row.frame];
  await note(`disclosure of frame ${row.frame}, ${row.shown.length} shown`, [row.digest, row.shown, row.pixels], async () => {
    const disclosure = await readDisclosure(fromHex(row.disclosure), Infinity, turns);
    verifyDisclosure(disclosure, commitment);
    const verified = await shownTiles(disclosure, turns);
    // The tiles are those of the frame, at the places where the boxes say.
    const whole = fromHex(pixels);
    for (const [number, tile] of verified.tiles) {
      const [left, top, across, down] = tileBoxes(disclosure.header)[number];
      for (let y = 0; y < down; y++) {
        const at = ((top + y) * header.width + left) * 3;
        if (!sameBytes(tile.subarray(y * across * 3, (y + 1) * across * 3), whole.subarray(at, at + across * 3))) throw new Error(`tile ${number}`);
      }
    }
    return [disclosure.digest, disclosure.shown, [...verified.tiles.values()].map(toHex).join("")];
  });
}
for (const row of frames.refused) {
  await note(`refused disclosure: ${row.what}`, row.outcome, async () => {
    const disclosure = await readDisclosure(fromHex(row.disclosure), Infinity, turns);
    verifyDisclosure(disclosure, frames.frames[row.frame].commitment);
  });
}
await note("sha-256 of nothing", merkle.roots[0], () => toHex(sha256()));
turns.close();
console.log(JSON.stringify(found.map(([name, expected, outcome]) => [name, expected ?? null, outcome ?? null])));
