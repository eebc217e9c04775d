// Turns: long work lets the page breathe, without threads and without loosening its policy.

const TURN_MS = 24;

// Hand the thread back now and then: `await turns.next()` stands in every long loop.
export class Turns {
  constructor(progress = () => {}) {
    this.progress = progress;
    this.begun = performance.now();
    this.channel = new MessageChannel();
    this.channel.port1.onmessage = () => this.resume();
    this.resume = () => {};
  }

  get due() {
    return performance.now() - this.begun > TURN_MS;
  }

  // Wait one turn of the event loop if this one has been long; cheap otherwise.
  async next() {
    if (!this.due) return;
    await new Promise((resolve) => {
      this.resume = resolve;
      this.channel.port2.postMessage(0);
    });
    this.begun = performance.now();
  }

  close() {
    this.channel.port1.close();
  }
}
