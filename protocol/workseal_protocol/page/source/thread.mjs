// A second thread that checks signatures, for a page whose own has the steps to do.
//
// Rules: its text is `checkingThere`, and nothing else can be run there. The page's policy is its
// own too, so it can ask for nothing. It is told batches and answers of each whether all of it
// holds; what it has not answered is still in the page's hands. Without it nothing is judged otherwise.

import { joined } from "./bytes.mjs";

// Runs in the other thread: it may name nothing of the page's.
function checkingThere() {
  const algorithm = { name: "Ed25519" };

  async function allHold({ keys, which, signatures, ends, signed }) {
    const opened = await Promise.all(keys.map((raw) => crypto.subtle.importKey("raw", raw, algorithm, false, ["verify"])));
    const told = [];
    for (let n = 0, begin = 0; n < which.length; begin = ends[n++]) {
      const signature = signatures.subarray(64 * n, 64 * n + 64);
      told.push(crypto.subtle.verify(algorithm, opened[which[n]], signature, signed.subarray(begin, ends[n])));
    }
    return (await Promise.all(told)).every((held) => held);
  }

  globalThis.onmessage = async ({ data }) => {
    const held = await allHold(data).catch(() => false);
    globalThis.postMessage({ number: data.number, held });
  };
}

// The one address that the page's policy lets a thread begin from: it gives that text, and no other.
const TEXT = `(${checkingThere})();\n`;
const addressOfText = () => URL.createObjectURL(new Blob([TEXT], { type: "text/javascript" }));
// Made with the page: whoever comes later finds the name taken.
const MAKER = makerOfAddress();

// Give what makes it; null where somebody forbids that, or has the name already: then there is no thread.
function makerOfAddress() {
  try {
    const typed = globalThis.trustedTypes?.createPolicy("checking-there", { createScriptURL: addressOfText });
    return typed === undefined ? addressOfText : () => typed.createScriptURL("");
  } catch {
    return null;
  }
}

// Begin one, or give null where there is none to be had.
//
// `answered` hears the number of a batch and whether all of it holds; `failed` that none will come.
export function secondThread(answered, failed) {
  let address = null;
  const letGo = () => URL.revokeObjectURL(String(address));
  try {
    address = MAKER();
    const worker = new Worker(address, { name: "signatures" });
    worker.onmessage = ({ data: { number, held } }) => answered(number, held === true);
    worker.onerror = failed;
    worker.onmessageerror = failed;
    return {
      check: (number, batch) => worker.postMessage(...flattened(number, batch)),
      end: () => {
        worker.terminate();
        letGo();
      },
    };
  } catch {
    letGo();
    return null;
  }
}

// Write a batch of checks in a few arrays, for each costs time to hand over; they are moved, not copied.
function flattened(number, batch) {
  const keys = [...new Set(batch.map(([key]) => key))];
  const messages = batch.map(([, , signed]) => signed());
  let end = 0;
  const told = {
    number,
    keys: keys.map(({ raw }) => raw),
    which: Uint16Array.from(batch, ([key]) => keys.indexOf(key)),
    signatures: joined(...batch.map(([, signature]) => signature)),
    ends: Uint32Array.from(messages, ({ length }) => (end += length)),
    signed: joined(...messages),
  };
  return [told, [told.which, told.signatures, told.ends, told.signed].map(({ buffer }) => buffer)];
}
