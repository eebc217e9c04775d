// Check a .tlog-proof with nothing but WebCrypto: usage tlog_proof.mjs FOLDER VKEY [VKEY…]
// (log key first). Prints a JSON object: proofs accepted, and good signature lines by type.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const [folder, ...vkeys] = process.argv.slice(2);
const subtle = (globalThis.crypto ?? (await import("node:crypto")).webcrypto).subtle;
const text = new TextEncoder();
const fromBase64 = (s) => new Uint8Array(Buffer.from(s, "base64"));
const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
const sha256 = async (...parts) => new Uint8Array(await subtle.digest("SHA-256", Buffer.concat(parts.map((p) => Buffer.from(p)))));

const keys = vkeys.map((vkey) => {
  const [name, id, ...rest] = vkey.split("+");
  const raw = fromBase64(rest.join("+"));
  return { name, id, type: raw[0], raw: raw.slice(1) };
});

async function ed25519(raw, signature, message) {
  const key = await subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  return subtle.verify({ name: "Ed25519" }, key, signature, message);
}

async function linesOf(note) {
  const cut = note.lastIndexOf("\n\n");
  const body = note.slice(0, cut + 1);
  const good = {};
  for (const line of note.slice(cut + 2).split("\n").filter(Boolean)) {
    const [, name, encoded] = line.split(" ");
    const raw = fromBase64(encoded);
    const id = Buffer.from(raw.slice(0, 4)).toString("hex");
    const key = keys.find((k) => k.name === name && k.id === id);
    if (!key) continue;
    const time = key.type === 4 ? new DataView(raw.buffer, raw.byteOffset + 4, 8).getBigUint64(0) : 0n;
    const ok = key.type === 1
      ? await ed25519(key.raw, raw.slice(4), text.encode(body))
      : await ed25519(key.raw, raw.slice(12), text.encode(`cosignature/v1\ntime ${time}\n${body}`));
    if (!ok) throw new Error(`bad signature of ${name}`);
    good[key.type] = (good[key.type] ?? 0) + 1;
  }
  if (!good[1]) throw new Error("the log has not signed");
  return { body, good };
}

// RFC 9162, section 2.1.3.2
async function rootFrom(leaf, index, size, path) {
  let place = index;
  let last = size - 1n;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0n) throw new Error("path too long");
    if (place & 1n || place === last) {
      hash = await sha256([1], sibling, hash);
      while (!(place & 1n) && place !== 0n) { place >>= 1n; last >>= 1n; }
    } else hash = await sha256([1], hash, sibling);
    place >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new Error("path too short");
  return hash;
}

const result = { proofs: 0, lines: {} };
for (const file of readdirSync(join(folder, "proofs"))) {
  const proof = readFileSync(join(folder, "proofs", file), "utf8");
  const cut = proof.indexOf("\n\n");
  const [magic, indexLine, ...path] = proof.slice(0, cut).split("\n");
  if (magic !== "c2sp.org/tlog-proof@v1") throw new Error("not a tlog-proof");
  const { body, good } = await linesOf(proof.slice(cut + 2));
  const [, size, root] = body.split("\n");
  const statement = readFileSync(join(folder, "statements", file.replace(".tlog-proof", ".cose")));
  const leaf = await sha256([0], await sha256(statement));
  const computed = await rootFrom(leaf, BigInt(indexLine.split(" ")[1]), BigInt(size), path.map(fromBase64));
  if (!same(computed, fromBase64(root))) throw new Error(`${file}: not in the tree`);
  result.proofs += 1;
  result.lines = good;
}
console.log(JSON.stringify(result));
