// Signatures, checked by the browser: each when it is asked for, or all beside the steps.
//
// Rule: what is put off is taken to hold until `all` has told. If it tells no, whoever asked begins
// again with IN_TURN: so every reason is the one of the first signature that does not hold.

import { Fails } from "./bytes.mjs";
import { EDDSA, SIGNATURE_BYTES } from "./keys.mjs";

// More than a browser's threads check in a turn of the page, so that they need not wait for it.
const UNDER_WAY = 512;
const AT_LEAST = 64;

// `signed` gives the bytes that a signature is over, when its turn comes.
export const IN_TURN = {
  verify: (key, signature, signed) => key.verify(signature, signed()),
  foresee: () => {},
};

export class Beside {
  constructor() {
    this.waiting = [];
    this.next = 0;
    this.underWay = 0;
    this.held = true;
    this.rest = () => {};
  }

  // Put a check off; throw what is told of the key or the signature without one.
  verify(key, signature, signed) {
    key.requireChecked();
    if (signature.length !== SIGNATURE_BYTES.get(EDDSA)) throw new Fails("the signature does not match");
    this.waiting.push([key, signature, signed]);
    this.begin();
  }

  // Begin with what a step will ask for under this key; `verifyStatement` asks no second time.
  foresee(statement, key, signed) {
    if (!key.isChecked || statement.signature.length !== SIGNATURE_BYTES.get(EDDSA)) return;
    statement.foreseen = key;
    this.waiting.push([key, statement.signature, signed]);
    this.begin();
  }

  // Wait for all that was put off, and tell whether all of it holds.
  async all() {
    this.begin();
    if (this.underWay > 0) await new Promise((resolve) => { this.rest = resolve; });
    return this.held;
  }

  begin() {
    if (this.underWay > UNDER_WAY - AT_LEAST) return;
    while (this.underWay < UNDER_WAY && this.next < this.waiting.length) {
      const [key, signature, signed] = this.waiting[this.next];
      this.waiting[this.next++] = null;
      this.underWay++;
      key.accepts(signature, signed()).then((held) => this.end(held), () => this.end(false));
    }
  }

  end(held) {
    this.underWay--;
    if (!held) this.stop();
    this.begin();
    if (this.underWay === 0) this.rest();
  }

  // One is enough: what is still waiting is checked in turn.
  stop() {
    this.held = false;
    this.next = this.waiting.length;
  }
}
