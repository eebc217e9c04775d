// Rounds, the two chains of values, the draw of captures (docs/spec/schedule.md).

import { Fails, readBigUint, sameBytes, toUtf8, u64 } from "./bytes.mjs";
import { hashedBack, sha256 } from "./sha256.mjs";
import { FRAMES_LEVEL } from "./terms.mjs";

export const VERIFIER_SIDE = { tag: toUtf8("workseal/v/v1"), name: "verifier" };
export const AGENT_SIDE = { tag: toUtf8("workseal/a/v1"), name: "agent" };
const DRAW = toUtf8("workseal/cap/v1");
const DRAW_OFFLINE = toUtf8("workseal/cap-offline/v1");
const MAX_HASHES = 2 ** 24;
const STEPS_AT_ONCE = 4096;

// The hashes of one examination: whoever makes a bundle does not choose how long a reader works.
export class Work {
  constructor() {
    this.left = MAX_HASHES;
  }

  // Take some hashes before they are computed, or throw Fails.
  spend(hashes) {
    this.left -= hashes;
    if (this.left < 0) throw new Fails(`its values take more than ${MAX_HASHES} hashes to check`);
  }
}

// Check that a value belongs to a round under a committed head: at once, or by the promise given.
//
// `known` is [round, value] of a value that was accepted under the same head, or null.
export function verifyChainValue(side, { head, firstRound, count }, round, value, known, turns) {
  if (!(firstRound <= round && round < firstRound + count)) {
    throw new Fails("the round lies outside the committed chain");
  }
  const [from, steps, wanted] = known === null
    ? [value, round - firstRound + 1, head]
    : known[0] <= round ? [value, round - known[0], known[1]] : [known[1], known[0] - round, value];
  // Nearly always one step, which is done sooner than a promise is kept.
  if (steps > STEPS_AT_ONCE) return hashedInTurns(side.tag, from, steps, turns).then((reached) => requireReached(side, reached, wanted));
  return requireReached(side, hashedBack(side.tag, from, steps), wanted);
}

async function hashedInTurns(tag, from, steps, turns) {
  let reached = from;
  for (let left = steps; left > 0; left -= STEPS_AT_ONCE) {
    reached = hashedBack(tag, reached, Math.min(left, STEPS_AT_ONCE));
    await turns.next();
  }
  return reached;
}

function requireReached(side, reached, wanted) {
  if (!sameBytes(reached, wanted)) {
    throw new Fails(`the ${side.name} value is not the committed one`);
  }
}

// Do a check that may give a promise; of what it refuses, give what `failed` makes of it.
export function tried(check, failed) {
  try {
    const result = check();
    return result instanceof Promise ? result.catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}

// Give when, from the begin of the segment's round, a capture is drawn; null when none is.
export function drawnOffset(terms, engagement, { agentValue, verifierValue, round }) {
  if (terms.level < FRAMES_LEVEL) return null;
  const drawn = verifierValue === null
    ? sha256(DRAW_OFFLINE, agentValue, engagement, u64(round))
    : sha256(DRAW, verifierValue, agentValue, engagement, u64(round));
  if (drawn[0] * 256 + drawn[1] >= terms.captureRate) return null;
  return Number(readBigUint(drawn.subarray(8, 16)) % BigInt(terms.roundMs));
}

// Give the instant of that capture, in Unix milliseconds. Two steps ask for it, under the same terms.
export function owedInstant(terms, engagement, segment) {
  if (segment.owed === undefined) {
    const offset = drawnOffset(terms, engagement, segment);
    segment.owed = offset === null ? null : segment.round * terms.roundMs + offset;
  }
  return segment.owed;
}

export function joinedPlace(session, round) {
  return `${session} ${round}`;
}
