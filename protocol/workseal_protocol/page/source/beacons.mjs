// Step 9, the verifier's values: each was fixed by the operator before it was used.

import { Fails } from "./bytes.mjs";
import { VERIFIER_SIDE, tried, verifyChainValue } from "./schedule.mjs";

export class Beacons {
  constructor(items, roundMs, work) {
    this.work = work;
    // By first round, the last one at the end: rounds never go back (8), so each is met once.
    this.coming = items
      .filter(({ record }) => record.kind === "beacon.commitment" && record.periodMs === roundMs)
      .map(({ index, record }) => ({ index, record, known: null }))
      .sort((one, other) => other.record.firstRound - one.record.firstRound);
    this.current = [];
  }

  // Give the index of the commitment that a value of a round opens, or a promise of it.
  commitmentOf(index, round, value, turns) {
    const first = this.firstOf(round);
    if (first === null || first.index > index) {
      throw new Fails(`no commitment of the operator before it covers round ${round}`);
    }
    const { record, known } = first;
    this.work.spend(round - (known === null ? record.firstRound - 1 : known[0]));
    const failed = (error) => {
      if (error instanceof Fails) throw new Fails(`round ${round}: ${error.message}`);
      throw error;
    };
    const learn = () => {
      first.known = [round, value];
      return first.index;
    };
    const checked = tried(() => verifyChainValue(VERIFIER_SIDE, record, round, value, known, turns), failed);
    return checked instanceof Promise ? checked.then(learn) : learn();
  }

  // Tell whether the operator committed to a round; to be asked in ascending order.
  covers(round) {
    try {
      return this.firstOf(round) !== null;
    } catch (error) {
      if (error instanceof Fails) return false;
      throw error;
    }
  }

  // Give the first commitment of the log that covers a round: only that one counts.
  firstOf(round) {
    while (this.coming.length > 0 && this.coming[this.coming.length - 1].record.firstRound <= round) {
      this.current.push(this.coming.pop());
    }
    this.work.spend(this.current.length);
    this.current = this.current.filter(({ record }) => round < record.firstRound + record.count);
    return this.current.reduce((first, one) => (first === null || one.index < first.index ? one : first), null);
  }
}
