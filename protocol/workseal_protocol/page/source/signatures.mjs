// Signatures, checked by the browser: each when it is asked for, or all beside the steps.
//
// Rules: what is put off is taken to hold until `all` has told. If it tells no, whoever asked begins
// again with IN_TURN: so every reason is the one of the first signature that does not hold. Some
// browsers check at once, on the page's own thread: so a turn hands over for so long and no longer.

import { Fails } from "./bytes.mjs";
import { EDDSA, SIGNATURE_BYTES } from "./keys.mjs";

// More than a browser's threads check in a turn of the page, so that they need not wait for it.
const UNDER_WAY = 512;
const AT_LEAST = 64;
const HANDING_MS = 12;

// `signed` gives the bytes that a signature is over, when its turn comes.
export const IN_TURN = {
  verify: (key, signature, signed) => key.verify(signature, signed()),
  foresee: () => {},
};

export class Beside {
  constructor(turns) {
    this.turns = turns;
    this.turn = null;
    this.handing = 0;
    this.waiting = [];
    this.next = 0;
    this.underWay = 0;
    this.held = true;
    this.ended = () => {};
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
    for (;;) {
      this.begin();
      if (this.underWay === 0 && this.next === this.waiting.length) return this.held;
      if (this.underWay === 0) await this.turns.take();
      else await new Promise((resolve) => { this.ended = resolve; });
      await this.turns.next();
    }
  }

  begin() {
    if (this.underWay > UNDER_WAY - AT_LEAST) return;
    if (this.turn !== this.turns.begun) [this.turn, this.handing] = [this.turns.begun, 0];
    const begun = performance.now() - this.handing;
    while (this.underWay < UNDER_WAY && this.next < this.waiting.length && this.handing < HANDING_MS) {
      const [key, signature, signed] = this.waiting[this.next];
      this.waiting[this.next++] = null;
      this.underWay++;
      key.accepts(signature, signed()).then((held) => this.end(held), () => this.end(false));
      this.handing = performance.now() - begun;
    }
  }

  end(held) {
    this.underWay--;
    if (!held) this.stop();
    this.begin();
    this.ended();
  }

  // One is enough: what is still waiting is checked in turn.
  stop() {
    this.held = false;
    this.next = this.waiting.length;
  }
}
