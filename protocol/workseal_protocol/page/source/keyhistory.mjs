// Which key speaks for which role at which index of the log: a fold over key statements
// (docs/spec/keys.md, and the roles of docs/spec/verification.md).

import { Fails, toHex } from "./bytes.mjs";
import { ARBITRATOR, CLIENT, FREELANCER, OPERATOR, rotationMessage } from "./keys.mjs";
import { verifyStatement } from "./statement.mjs";

export const KEY_KINDS = new Set(["key.announce", "key.rotate", "key.revoke"]);
const MAX_KEYS = 1024;
const EVERYBODY = [FREELANCER, CLIENT, ARBITRATOR, OPERATOR];
const MAKERS = {
  "offer": [CLIENT], "acceptance": [FREELANCER], "session.open": [FREELANCER], "segment": [FREELANCER],
  "session.close": [FREELANCER], "tombstone": [FREELANCER], "declaration": [FREELANCER],
  "evidence": [FREELANCER], "possession": [FREELANCER], "log.policy": [OPERATOR], "beacon.commitment": [OPERATOR],
  "timesheet": [FREELANCER], "timesheet.answer": [CLIENT],
  // Who may do what in a case, and when, is no matter of a bundle's steps.
  "dispute.filing": [CLIENT, FREELANCER], "dispute.act": EVERYBODY,
  "dispute.request": [ARBITRATOR], "dispute.disclosure": [FREELANCER], "dispute.finding": [OPERATOR, ARBITRATOR],
  "bundle.manifest": EVERYBODY,
};

export function mayMake(roles, kind) {
  return MAKERS[kind].some((role) => roles.has(role));
}

export class KeyHistory {
  // Begin with the keys that the caller trusts, or that the terms name, by role.
  constructor(parties) {
    this.lives = new Map();
    for (const [role, keys] of parties) {
      for (const key of keys) {
        const life = this.lives.get(key.name) ?? { key, roles: new Set(), after: -1, until: null, recovery: null };
        life.roles.add(role);
        this.lives.set(key.name, life);
      }
    }
    this.index = -1;
  }

  // Give the life of the key that was valid at an index, or throw Fails.
  life(name, index) {
    const life = this.lives.get(name);
    if (life === undefined) throw new Fails("its key is not one of the parties' keys");
    if (index <= life.after) throw new Fails("its key was not yet announced");
    if (life.until !== null && index >= life.until) throw new Fails("its key was rotated or revoked before");
    return life;
  }

  rolesOf(name, index) {
    try {
      return this.life(name, index).roles;
    } catch (error) {
      if (error instanceof Fails) return new Set();
      throw error;
    }
  }

  // Check one key statement at its index, and apply it.
  async advance(index, statement, record) {
    if (index <= this.index) throw new Fails("key statements are not in the order of the log");
    await this.checkSigned(index, statement, record);
    const changed = CHANGES[record.kind](this, index, statement, record);
    const added = changed.filter(([name]) => !this.lives.has(name)).length;
    if (this.lives.size + added > MAX_KEYS) throw new Fails(`more than ${MAX_KEYS} keys in one history`);
    for (const [name, life] of changed) this.lives.set(name, life);
    this.index = index;
  }

  async checkSigned(index, statement, record) {
    if (record.kind === "key.announce") {
      await verifyStatement(statement, record.key);
    } else if (record.kind === "key.rotate") {
      if (statement.issuer !== toHex(record.old)) throw new Fails("a rotation is signed by the key that it ends");
      await verifyStatement(statement, this.life(statement.issuer, index).key);
      await record.key.verify(record.proof, rotationMessage(record.old, record.key.thumbprint));
    } else {
      await verifyStatement(statement, this.life(statement.issuer, index).key);
    }
  }
}

const CHANGES = {
  "key.announce": (history, index, _, { key, recovery }) => {
    const old = history.lives.get(key.name);
    if (old === undefined) return [[key.name, { key, roles: new Set(), after: index, until: null, recovery }]];
    if (old.until !== null) throw new Fails("its key was rotated or revoked before");
    // Announcing a key again must not change who may revoke it.
    if (old.recovery !== null) throw new Fails("the key was announced before");
    return [[key.name, { ...old, recovery }]];
  },
  "key.rotate": (history, index, statement, record) => {
    const old = history.life(statement.issuer, index);
    return [
      [statement.issuer, { ...old, until: index }],
      [record.key.name, successor(history.lives.get(record.key.name), old, index, record)],
    ];
  },
  "key.revoke": (history, index, statement, record) => {
    const life = history.life(record.key, index);
    history.life(statement.issuer, index);
    if (statement.issuer !== record.key && statement.issuer !== life.recovery) {
      throw new Fails("only the key or its recovery key revokes it");
    }
    return [[record.key, { ...life, until: index }]];
  },
};

function successor(known, old, index, record) {
  if (known !== undefined && known.until !== null) throw new Fails("a rotation leads to a key that has ended");
  if (known === undefined || known.roles.size === 0) {
    // A thief who rotates must not escape the recovery key that the owner announced.
    const recovery = old.recovery ?? known?.recovery ?? null;
    return { key: record.key, roles: old.roles, after: index, until: null, recovery };
  }
  const sameRoles = old.roles.size === known.roles.size && [...old.roles].every((role) => known.roles.has(role));
  if (old.roles.size > 0 && !sameRoles) {
    throw new Fails("a rotation leads to a key that speaks for somebody already");
  }
  return { ...known, recovery: known.recovery ?? old.recovery };
}
