// What the page and its tests call: bytes in, report out.

import { Malformed, fromUtf8 } from "./bytes.mjs";
import { checkEd25519 } from "./keys.mjs";
import { readTrustPolicy } from "./policy.mjs";
import { agreesWithBrowser } from "./sha256.mjs";
import { examineBundle } from "./steps.mjs";
import { Turns } from "./turns.mjs";

export const MAX_POLICY_BYTES = 1048576;

// Say in words why this browser cannot be relied on; null when it can.
export async function browserProblem() {
  if (globalThis.crypto?.subtle === undefined) return "this browser gives pages no cryptography here";
  if (!(await agreesWithBrowser())) return "SHA-256 of this page and of the browser differ";
  return checkEd25519();
}

// Read the policy file of the person who verifies, or throw Malformed.
export function policyOf(data) {
  if (data.length > MAX_POLICY_BYTES) throw new Malformed(`a policy has at most ${MAX_POLICY_BYTES} bytes`);
  return readTrustPolicy(fromUtf8(data, "the policy"));
}

// Examine a bundle; `progress` hears the number and name of each step as it begins.
export async function examine(bundle, policy, progress) {
  const turns = new Turns(progress);
  try {
    return await examineBundle(bundle, policy, turns);
  } finally {
    turns.close();
  }
}
