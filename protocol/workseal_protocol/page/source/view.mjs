// The page itself: two files are chosen or dropped, and a report appears.

import { Malformed } from "./bytes.mjs";
import { MAX_BUNDLE_BYTES } from "./bundle.mjs";
import { element, plain } from "./elements.mjs";
import { MAX_POLICY_BYTES, browserProblem, examine, policyOf } from "./examine.mjs";
import { frameSections } from "./gallery.mjs";
import { reportSections } from "./sections.mjs";

const LIMITS = { bundle: MAX_BUNDLE_BYTES, policy: MAX_POLICY_BYTES };

class View {
  constructor() {
    this.chosen = { bundle: null, policy: null };
    this.wanted = 0;
    this.running = false;
    this.problem = undefined;
  }

  start() {
    for (const name of Object.keys(this.chosen)) {
      const input = byId(name);
      input.addEventListener("change", () => this.choose(name, input.files[0] ?? null));
    }
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.drop([...event.dataTransfer.files]);
    });
    // The page said what is wrong where this line is never reached.
    tell("");
    // A file that was chosen before the page was loaded again still stands in its field.
    for (const name of Object.keys(this.chosen)) this.choose(name, byId(name).files[0] ?? null);
  }

  choose(name, file) {
    this.place(name, file);
    this.wanted++;
    this.run();
  }

  place(name, file) {
    this.chosen[name] = file;
    byId(`${name}-told`).textContent = file === null ? "None chosen." : plain(`${file.name}, ${file.size} bytes`);
  }

  async drop(files) {
    for (const file of files) this.choose((await isArchive(file)) ? "bundle" : "policy", file);
  }

  // Files that were chosen in each other's place go where dropped ones would go.
  async sort() {
    const { bundle, policy } = this.chosen;
    if (bundle === null || policy === null || (await isArchive(bundle)) || !(await isArchive(policy))) return;
    // Meanwhile others may have been chosen.
    if (bundle !== this.chosen.bundle || policy !== this.chosen.policy) return;
    // Only a field puts a file where it does not belong: each shows the other's name from now on.
    const fields = [byId("bundle"), byId("policy")];
    const [first, second] = fields.map((field) => field.files);
    [fields[0].files, fields[1].files] = [second, first];
    this.place("bundle", policy);
    this.place("policy", bundle);
  }

  async run() {
    if (this.running) return;
    this.running = true;
    try {
      for (let seen = -1; seen !== this.wanted; ) {
        seen = this.wanted;
        await this.examineChosen(() => seen === this.wanted);
      }
    } finally {
      this.running = false;
    }
  }

  async examineChosen(isCurrent) {
    byId("report").replaceChildren();
    await this.sort();
    const { bundle, policy } = this.chosen;
    if (bundle === null || policy === null) {
      if (bundle !== policy) tell(`Now choose the ${bundle === null ? "bundle" : "policy"}.`);
      return;
    }
    try {
      if (this.problem === undefined) this.problem = await browserProblem();
      const { problem } = this;
      if (problem !== null) throw new Refusal(`Nothing was judged: ${problem}.`);
      const rules = await readPolicy(policy);
      const data = await readWhole(bundle, "bundle");
      const report = await examine(data, rules, (number, name) => tell(`Step ${number} of 13: ${name} \u2026`));
      if (!isCurrent()) return;
      byId("report").append(...reportSections(report), ...frameSections(report));
      // Said to those who hear the page; who sees it sees the verdict below.
      tell(byId("verdict").textContent, "done");
    } catch (error) {
      tell(error instanceof Refusal ? error.message : "Nothing was judged: this page made a mistake.");
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

class Refusal extends Error {}

// A bundle begins as a ZIP file does; nothing else is taken for one.
async function isArchive(file) {
  try {
    const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    return head[0] === 0x50 && head[1] === 0x4b;
  } catch {
    return false;
  }
}

async function readWhole(file, name) {
  if (file.size > LIMITS[name]) throw new Refusal(`The ${name} has more than ${LIMITS[name]} bytes.`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Refusal(`The ${name} cannot be read: was it moved or changed? Choose it again.`);
  }
}

async function readPolicy(file) {
  const data = await readWhole(file, "policy");
  if (await isArchive(file)) throw new Refusal("The policy is no text: it begins as a bundle does.");
  try {
    return policyOf(asTyped(data));
  } catch (error) {
    if (error instanceof Malformed) throw new Refusal(`The policy is malformed: ${plain(error.message)}.`);
    throw error;
  }
}

// Leave out what an editor adds to a text: a mark before it, and the line ends of Windows; and end a
// last line that was left open. Nothing that anybody can see is changed.
function asTyped(data) {
  const begin = [0xef, 0xbb, 0xbf].every((byte, at) => data[at] === byte) ? 3 : 0;
  const typed = data.subarray(begin).filter((byte, at, all) => byte !== 0x0d || all[at + 1] !== 0x0a);
  return typed.length === 0 || typed[typed.length - 1] === 0x0a ? typed : Uint8Array.from([...typed, 0x0a]);
}

function byId(name) {
  return document.getElementById(name);
}

function tell(sentence, state = "") {
  byId("status").className = state;
  byId("status").replaceChildren(element("span", {}, sentence));
}

if (typeof document !== "undefined") new View().start();
