// Steps 2, 5 and 6: every statement is signed by a key that may make it, under agreed terms.

import { Fails, sameBytes, toHex } from "./bytes.mjs";
import { sameValue } from "./cbor.mjs";
import { KEY_KINDS, KeyHistory, mayMake } from "./keyhistory.mjs";
import { ARBITRATOR, CLIENT, FREELANCER, OPERATOR, ROLE_NAMES } from "./keys.mjs";
import { named } from "./opened.mjs";
import { longSha256 } from "./sha256.mjs";
import { verifyStatement } from "./statement.mjs";
import { sideBySide } from "./turns.mjs";

const AFTER_ALL = Infinity;

// Step 2: a party of the policy signed the manifest, and it names exactly what is there.
export async function checkManifest({ bundle, items, policy, manifest }, turns) {
  const history = await historyOfKeys(policy, items);
  const { issuer } = bundle.manifest;
  if (history.rolesOf(issuer, AFTER_ALL).size === 0) {
    throw new Fails("the manifest is not signed by a party of the policy");
  }
  await verifyStatement(bundle.manifest, history.life(issuer, AFTER_ALL).key);
  const given = bundle.entries.filter(({ name }) => name !== "manifest.cose");
  const told = new Map(manifest.entries.map(([name, digest, length]) => [name, { digest, length }]));
  for (const { name, content } of given) {
    await turns.next();
    const one = told.get(name);
    told.delete(name);
    if (one === undefined || one.length !== content.length || one.digest !== toHex(await longSha256(content))) {
      throw new Fails(`the manifest does not name ${name} as it is`);
    }
  }
  if (told.size > 0) throw new Fails(`the manifest names ${told.size} entries that are not there`);
  if (!manifest.entries.every(([name], at) => name === given[at].name)) {
    throw new Fails("the manifest names the entries in another order");
  }
}

// Follow the parties' keys; step 5 tells what is wrong with a key statement, here it leads nowhere.
async function historyOfKeys(policy, items) {
  const history = new KeyHistory(policy.parties);
  for (const { index, statement, record } of items) {
    if (!KEY_KINDS.has(record.kind)) continue;
    try {
      await history.advance(index, statement, record);
    } catch (error) {
      if (error instanceof Fails) return history;
      throw error;
    }
  }
  return history;
}

// Step 5: check every signature, with the key that was valid at its index.
export async function checkSignatures({ items, policy, signatures }, turns) {
  const history = new KeyHistory(policy.parties);
  let waiting = [];
  const settle = async () => {
    await sideBySide(waiting, ([place, item]) => signatureCheck(history, place, item, signatures), turns);
    waiting = [];
  };
  for (const [place, item] of items.entries()) {
    if (KEY_KINDS.has(item.record.kind)) {
      // What stands before a key statement was said under the keys before it.
      await settle();
      await telling(place, item.statement)(() => history.advance(item.index, item.statement, item.record));
    } else {
      waiting.push([place, item]);
    }
  }
  await settle();
}

function telling(place, statement) {
  return async (check) => {
    try {
      await check();
    } catch (error) {
      if (error instanceof Fails) throw new Fails(`${named(place, statement)}: ${error.message}`);
      throw error;
    }
  };
}

function signatureCheck(history, place, { index, statement }, signatures) {
  return telling(place, statement)(async () => {
    const life = history.life(statement.issuer, index);
    await verifyStatement(statement, life.key, signatures);
    if (!mayMake(life.roles, statement.kind)) throw new Fails(`its signer may not make a ${statement.kind}`);
  });
}

// Step 6: find the one agreement, and compare its parties and log with the policy.
export async function checkTerms(found) {
  const { items, policy, bundle, manifest } = found;
  const { acceptance, offer, digest, index } = agreementOf(items);
  const { terms } = acceptance;
  if (!sameValue(offer.terms.raw, terms.raw)) throw new Fails("offer and acceptance have different terms");
  const { engagement } = acceptance;
  for (const [place, { statement, record }] of items.entries()) {
    if (record.engagement !== undefined && !sameBytes(record.engagement, engagement)) {
      throw new Fails(`${named(place, statement)} is about another engagement`);
    }
  }
  if (!sameBytes(manifest.engagement, engagement)) throw new Fails("the manifest is about another engagement");
  checkParties(policy, terms);
  await checkSigners(items, policy, terms);
  const text = policy.log.encode();
  if (terms.logPolicy !== text) throw new Fails("the terms name another log policy than the caller's");
  if (bundle.policy.encode() !== text) throw new Fails("the bundle's policy is not the one of the terms");
  return {
    engagement, terms, acceptance: digest, agreedIndex: index,
    agreedAt: Math.max(offer.claimedAt, acceptance.claimedAt),
  };
}

function agreementOf(items) {
  const accepted = items.filter(({ record }) => record.kind === "acceptance");
  if (accepted.length !== 1) throw new Fails(`expected one acceptance, found ${accepted.length}`);
  const [{ index, statement, record: acceptance }] = accepted;
  for (const { statement: one, record } of items) {
    if (record === acceptance) break;
    if (record.kind === "offer" && one.digest === acceptance.offer) {
      return { acceptance, offer: record, digest: statement.digest, index };
    }
  }
  throw new Fails("the offer that the acceptance names does not stand before it");
}

function checkParties(policy, terms) {
  const wanted = [[CLIENT, [terms.client]], [FREELANCER, [terms.freelancer]], [ARBITRATOR, terms.arbitrators], [OPERATOR, [terms.operator]]];
  for (const [role, keys] of wanted) {
    const known = new Set((policy.parties.get(role) ?? []).map((key) => key.name));
    if (!keys.every((key) => known.has(key.name))) {
      throw new Fails(`the ${ROLE_NAMES.get(role)} of the terms is not one of the policy`);
    }
  }
}

// Who speaks here is a party of these terms, or a successor of one, or an operator of the policy.
async function checkSigners(items, policy, terms) {
  const history = new KeyHistory(new Map([
    ...policy.parties, [CLIENT, [terms.client]], [FREELANCER, [terms.freelancer]], [ARBITRATOR, terms.arbitrators],
  ]));
  for (const [place, { index, statement, record }] of items.entries()) {
    const told = telling(place, statement);
    if (KEY_KINDS.has(record.kind)) {
      await told(() => history.advance(index, statement, record));
    } else if (!mayMake(history.rolesOf(statement.issuer, index), statement.kind)) {
      throw new Fails(`${named(place, statement)}: its signer is no party of the terms`);
    }
  }
}
