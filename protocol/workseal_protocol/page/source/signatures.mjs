// Signatures, checked by the browser: each when it is asked for, or all beside the steps.
//
// Rules: what is put off is taken to hold until `all` has told. If it tells no, whoever asked begins
// again with IN_TURN: so every reason is the one of the first signature that does not hold. Where there
// are many a second thread checks them during the steps, and this one takes its share after them.
// Some browsers check at once, on the page's own thread: so a turn hands over for so long and no longer.

import { Fails } from "./bytes.mjs";
import { EDDSA, SIGNATURE_BYTES } from "./keys.mjs";
import { secondThread } from "./thread.mjs";

// More than a browser's threads check in a turn of the page, so that they need not wait for it.
const UNDER_WAY = 512;
const AT_LEAST = 64;
const HANDING_MS = 12;
// Fewer are checked before a second thread has begun.
const MANY = 1024;
// What the second thread has at once: more than it checks while the page does not look.
const LENT = 8;
const BATCH = 128;

// `signed` gives the bytes that a signature is over, when its turn comes.
export const IN_TURN = {
  verify: (key, signature, signed) => key.verify(signature, signed()),
  foresee: () => {},
};

export class Beside {
  constructor(turns, thread = secondThread) {
    this.turns = turns;
    this.turn = null;
    this.handing = 0;
    this.waiting = [];
    this.next = 0;
    this.underWay = 0;
    this.held = true;
    this.ended = () => {};
    this.beginThread = thread;
    this.thread = null;
    this.lends = true;
    this.lent = new Map();
    this.numbers = 0;
  }

  // Put a check off; throw what is told of the key or the signature without one.
  verify(key, signature, signed) {
    key.requireChecked();
    if (signature.length !== SIGNATURE_BYTES.get(EDDSA)) throw new Fails("the signature does not match");
    this.putOff(key, signature, signed);
  }

  // Begin with what a step will ask for under this key; `verifyStatement` asks no second time.
  foresee(statement, key, signed) {
    if (!key.isChecked || statement.signature.length !== SIGNATURE_BYTES.get(EDDSA)) return;
    statement.foreseen = key;
    this.putOff(key, statement.signature, signed);
  }

  // Wait for all that was put off, and tell whether all of it holds.
  async all() {
    for (;;) {
      this.lend();
      this.begin();
      if (this.underWay === 0 && this.count === 0 && !this.takeBack()) return this.held;
      if (this.underWay === 0) await this.turns.take();
      else await new Promise((resolve) => { this.ended = resolve; });
      await this.turns.next();
    }
  }

  // Leave nothing running.
  close() {
    this.stop();
    this.thread?.end();
    this.thread = null;
  }

  get count() {
    return this.waiting.length - this.next;
  }

  putOff(key, signature, signed) {
    this.waiting.push([key, signature, signed]);
    if (this.thread === null && this.count >= MANY && this.beginThread !== null) this.startThread();
    if (this.thread === null) this.begin();
    else this.lend();
  }

  take() {
    const one = this.waiting[this.next];
    this.waiting[this.next++] = null;
    return one;
  }

  begin() {
    if (this.underWay > UNDER_WAY - AT_LEAST) return;
    if (this.turn !== this.turns.begun) [this.turn, this.handing] = [this.turns.begun, 0];
    const begun = performance.now() - this.handing;
    while (this.underWay < UNDER_WAY && this.count > 0 && this.handing < HANDING_MS) {
      const [key, signature, signed] = this.take();
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
    this.lent.clear();
  }

  startThread() {
    this.thread = this.beginThread((number, held) => this.answer(number, held), () => this.loseThread());
    this.beginThread = null;
  }

  lend() {
    while (this.thread !== null && this.lends && this.lent.size < LENT && this.count >= BATCH) {
      const batch = Array.from({ length: BATCH }, () => this.take());
      this.lent.set(++this.numbers, batch);
      try {
        this.thread.check(this.numbers, batch);
      } catch {
        this.loseThread();
      }
    }
  }

  answer(number, held) {
    if (!this.lent.delete(number)) return;
    if (!held) this.stop();
    this.lend();
  }

  // Take the youngest of what was lent: the thread comes to it last, and need not be waited for.
  takeBack() {
    const [number, batch] = [...this.lent].at(-1) ?? [];
    if (number === undefined) return false;
    this.lends = false;
    this.lent.delete(number);
    this.waiting.push(...batch);
    return true;
  }

  loseThread() {
    this.thread = null;
    while (this.takeBack());
  }
}
