// Whom the caller trusts (docs/spec/policy.md): logs, witnesses, parties, roots of time-stamps.

import { Fails, Malformed, byCodePoint, countCodePoints, fromBase64, toBase64, toHex } from "./bytes.mjs";
import { certificateOf, sameName } from "./certificate.mjs";
import { ARBITRATOR, ROLE_NAMES, keyOfText } from "./keys.mjs";
import { LOG_TYPE, SPACES, lineOf, readVkey, verifyCosignature, verifyLogLine } from "./note.mjs";
import { IN_TURN } from "./signatures.mjs";

const MAX_CHARACTERS = 262144;
const MAX_OF_A_KIND = 32;
const MAX_ARBITRATORS_KNOWN = 16;
const MAX_ROOT_BYTES = 8192;
const FORBIDDEN = /[\x00-\x08\x0b-\x1f\x7f]|[\ud800-\udfff]/u;
const POLICY_NAME = new RegExp(`^[^${SPACES}\\x00-\\x1f\\x7f-\\x9f]{1,255}$`, "u");

// Split a policy into its lines' words; comments and empty lines are left out.
function policyLines(text) {
  if (countCodePoints(text) > MAX_CHARACTERS) {
    throw new Malformed(`a policy file has at most ${MAX_CHARACTERS} characters`);
  }
  if (!text.endsWith("\n")) throw new Malformed("a policy file ends with a newline");
  if (FORBIDDEN.test(text)) {
    throw new Malformed("a policy file has no control characters but tab and newline");
  }
  return text.slice(0, -1).split("\n")
    .map((line) => line.split(/[ \t]+/).filter((word) => word !== ""))
    .filter((words) => words.length > 0 && !words[0].startsWith("#"));
}

class LogPolicyReader {
  constructor() {
    this.logs = [];
    this.witnesses = new Map();
    this.groups = [];
    this.quorum = undefined;
  }

  take(line) {
    const [word, name, ...rest] = line;
    if (word === "log" && (line.length === 2 || line.length === 3)) {
      this.logs.push(readVkey(name));
    } else if (word === "witness" && (line.length === 3 || line.length === 4)) {
      this.requireNew(name);
      this.witnesses.set(name, readVkey(rest[0]));
    } else if (word === "group" && line.length >= 4) {
      this.requireNew(name);
      this.requireDefined(rest.slice(1));
      this.groups.push({ name, threshold: threshold(rest[0], rest.length - 1), members: rest.slice(1) });
    } else if (word === "quorum" && line.length === 2 && this.quorum === undefined) {
      if (name !== "none") this.requireDefined([name]);
      this.quorum = name === "none" ? null : name;
    } else {
      throw new Malformed("a policy line has an unknown or repeated keyword or form");
    }
    if (Math.max(this.logs.length, this.witnesses.size, this.groups.length) > MAX_OF_A_KIND) {
      throw new Malformed(`a policy has at most ${MAX_OF_A_KIND} lines of one kind`);
    }
  }

  knows(name) {
    return this.witnesses.has(name) || this.groups.some((group) => group.name === name);
  }

  requireNew(name) {
    if (this.knows(name)) throw new Malformed("a name is defined twice in the policy");
  }

  requireDefined(names) {
    if (!names.every((name) => this.knows(name))) {
      throw new Malformed("a policy line names what no line above it defines");
    }
  }
}

function threshold(text, members) {
  if (text === "all") return members;
  if (text === "any") return 1;
  if (!/^[1-9][0-9]?$/.test(text)) {
    throw new Malformed("a group's threshold is all, any or a number");
  }
  return Number(text);
}

function logPolicyOf(lines) {
  if (lines.length === 0) throw new Malformed("a log policy has one quorum line");
  const reader = new LogPolicyReader();
  for (const line of lines) reader.take(line);
  const { logs, witnesses, groups, quorum } = reader;
  if (quorum === undefined) throw new Malformed("a log policy has one quorum line");
  if (logs.length === 0) throw new Malformed("log policy: a policy has 1 to 32 logs");
  if (logs.some((log) => log.type !== LOG_TYPE)) {
    throw new Malformed("log policy: a log's key has type 0x01");
  }
  if ([...witnesses.values()].some((key) => key.type === LOG_TYPE)) {
    throw new Malformed("log policy: a witness's key has type 0x04 or 0x06");
  }
  const raw = [...logs, ...witnesses.values()].map((one) => toHex(one.key.raw));
  if (new Set(raw).size !== raw.length) {
    throw new Malformed("log policy: a public key stands twice in the policy");
  }
  requireGroups(witnesses, groups);
  return new LogPolicy(logs, witnesses, groups, quorum);
}

function requireGroups(witnesses, groups) {
  const used = new Set();
  for (const name of [...witnesses.keys(), ...groups.map((group) => group.name)]) {
    if (name === "none" || !POLICY_NAME.test(name)) {
      throw new Malformed("log policy: a name is not empty, has no space and is not none");
    }
  }
  for (const { threshold: least, members } of groups) {
    if (least > members.length) {
      throw new Malformed("log policy: a threshold is at most the number of members");
    }
    for (const member of members) {
      if (used.has(member)) throw new Malformed("log policy: a name is a member of a group twice");
      used.add(member);
    }
  }
}

class LogPolicy {
  constructor(logs, witnesses, groups, quorum) {
    Object.assign(this, { logs, witnesses, groups, quorum });
  }

  // Write the canonical text: logs, witnesses by name, groups, quorum; numbers as thresholds.
  encode() {
    const names = [...this.witnesses.keys()].sort(byCodePoint);
    const lines = [
      ...this.logs.map((log) => `log ${log.text}`),
      ...names.map((name) => `witness ${name} ${this.witnesses.get(name).text}`),
      ...this.groups.map((group) => `group ${group.name} ${group.threshold} ${group.members.join(" ")}`),
      `quorum ${this.quorum ?? "none"}`,
    ];
    return lines.map((line) => `${line}\n`).join("");
  }

  isSatisfiedBy(names) {
    if (this.quorum === null) return true;
    const good = new Set(names.filter((name) => this.witnesses.has(name)));
    for (const group of this.groups) {
      const found = group.members.filter((member) => good.has(member)).length;
      if (found >= group.threshold) good.add(group.name);
    }
    return good.has(this.quorum);
  }
}

// Read the canonical text of a log policy, as it stands in terms and bundles.
export function readLogPolicy(text) {
  const policy = logPolicyOf(policyLines(text));
  if (policy.encode() !== text) throw new Malformed("the log policy is not in canonical form");
  return policy;
}

// Read the policy file of the person who verifies.
export function readTrustPolicy(text) {
  const [first, ...lines] = policyLines(text);
  if (first === undefined || first.join(" ") !== "workseal-policy v1") {
    throw new Malformed("a policy file begins with: workseal-policy v1");
  }
  const ours = { party: [], tsa: [], independent: [] };
  const theirs = [];
  for (const line of lines) (Object.hasOwn(ours, line[0]) ? ours[line[0]] : theirs).push(line);
  const log = logPolicyOf(theirs);
  const tsa = worded(ours.tsa, 2).map(([, root]) => fromBase64(root, "a time-stamp root"));
  const independent = worded(ours.independent, 2).map(([, name]) => name);
  if (new Set(independent).size !== independent.length) {
    throw new Malformed("an independent witness is named twice");
  }
  if (!independent.every((name) => log.witnesses.has(name))) {
    throw new Malformed("policy file: an independent witness is a witness of the policy");
  }
  return { log, parties: partiesOf(ours.party), tsa: rootsOf(tsa), independent: new Set(independent) };
}

function worded(lines, count) {
  for (const line of lines) {
    if (line.length !== count) throw new Malformed(`a ${line[0]} line has ${count} words`);
  }
  return lines;
}

function partiesOf(lines) {
  const parties = new Map();
  const raw = new Set();
  for (const [, word, text] of worded(lines, 3)) {
    const role = [...ROLE_NAMES].find(([, name]) => name === word)?.[0];
    if (role === undefined) {
      throw new Malformed("a party is a client, freelancer, arbitrator or operator");
    }
    const key = keyOfText(text);
    if (raw.has(key.name)) throw new Malformed("policy file: one key stands for two parties");
    raw.add(key.name);
    const keys = [...(parties.get(role) ?? []), key];
    if (keys.length > (role === ARBITRATOR ? MAX_ARBITRATORS_KNOWN : 1)) {
      throw new Malformed(`policy file: too many keys of the ${word}`);
    }
    parties.set(role, keys);
  }
  return parties;
}

function rootsOf(ders) {
  if (ders.length > MAX_OF_A_KIND || new Set(ders.map(toBase64)).size !== ders.length) {
    throw new Malformed(`policy file: at most ${MAX_OF_A_KIND} time-stamp roots, each once`);
  }
  for (const der of ders) {
    if (der.length > MAX_ROOT_BYTES) {
      throw new Malformed(`policy file: a root certificate has at most ${MAX_ROOT_BYTES} bytes`);
    }
    const certificate = certificateOf(der);
    if (!sameName(certificate.issuer, certificate.subject)) {
      throw new Malformed("policy file: a time-stamp root is a self-signed certificate");
    }
  }
  return ders;
}

// Check the log's line and the witness quorum of a checkpoint.
export async function verifyCheckpoint(checkpoint, policy, signatures = IN_TURN) {
  const log = await verifiedLog(checkpoint, policy, signatures);
  const cosignatures = [];
  for (const [name, vkey] of policy.witnesses) {
    const line = lineOf(checkpoint, vkey);
    if (line === null) continue;
    cosignatures.push({ name, timestamp: await verifyCosignature(checkpoint, vkey, line, signatures) });
  }
  if (!policy.isSatisfiedBy(cosignatures.map((one) => one.name))) {
    throw new Fails(
      `the witness quorum is not reached: ${cosignatures.length} of ${policy.witnesses.size} known witnesses cosigned`,
    );
  }
  return { checkpoint, log, cosignatures, ...quorumTimes(cosignatures, policy) };
}

async function verifiedLog(checkpoint, policy, signatures) {
  const named = policy.logs.filter((log) => log.name === checkpoint.origin);
  if (named.length === 0) throw new Fails("the checkpoint's origin is not a log of the policy");
  const present = named.filter((log) => lineOf(checkpoint, log) !== null);
  if (present.length === 0) throw new Fails("the checkpoint has no line of a log of the policy");
  for (const log of present) await verifyLogLine(checkpoint, log, signatures);
  return present[0];
}

function quorumTimes(cosignatures, policy) {
  if (policy.quorum === null) return { existedBy: null, notBefore: null };
  const [{ timestamp: only }] = cosignatures;
  // All at one time, as of one witness: those are enough, for the quorum was reached.
  if (only > 0n && cosignatures.every((one) => one.timestamp === only)) return windowOfTimes(only, only);
  const timed = cosignatures.filter((one) => one.timestamp > 0n);
  const times = [...new Set(timed.map((one) => one.timestamp))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const enough = (chosen) => policy.isSatisfiedBy(chosen.map((one) => one.name));
  const first = times.find((t) => enough(timed.filter((one) => one.timestamp <= t)));
  const last = times.reverse().find((t) => enough(timed.filter((one) => one.timestamp >= t)));
  return windowOfTimes(first, last);
}

function windowOfTimes(first, last) {
  return {
    existedBy: first === undefined ? null : first * 1000n + 999n,
    notBefore: last === undefined ? null : last * 1000n,
  };
}
