// Turns: long work lets the page breathe, on its own thread.

const TURN_MS = 24;
const AT_ONCE = 64;

// Run checks in groups, side by side, and take what they give in their order.
//
// `begin` starts one and gives its promise; the first that throws, by order, is the one that counts.
export async function sideBySide(items, begin, turns) {
  const results = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const group = items.slice(at, at + AT_ONCE).map((item, place) => begin(item, at + place));
    for (const one of group) one.catch(() => {});
    for (const one of group) results.push(await one);
    await turns.next();
  }
  return results;
}

// Hand the thread back now and then: `await turns.next()` stands in every long loop, behind
// `turns.due` where the loop's own work is shorter than a promise takes.
export class Turns {
  constructor(progress = () => {}) {
    this.progress = progress;
    this.begun = performance.now();
    // Two in turn: node, where this is tested, hands on a thousand messages of one port before
    // anything else has its turn.
    this.channels = [new MessageChannel(), new MessageChannel()];
    for (const { port1 } of this.channels) port1.onmessage = () => this.resume();
    this.resume = () => {};
  }

  get due() {
    return performance.now() - this.begun > TURN_MS;
  }

  // Wait one turn of the event loop if this one has been long; cheap otherwise.
  async next() {
    if (this.due) await this.take();
  }

  // Wait one turn of the event loop.
  async take() {
    await new Promise((resolve) => {
      this.resume = resolve;
      this.channels.reverse();
      this.channels[0].port2.postMessage(0);
    });
    this.begun = performance.now();
  }

  close() {
    for (const { port1 } of this.channels) port1.close();
  }
}
