// Run the script of an assembled page outside a browser: usage offline_page.mjs PAGE.
//
// Reads (u32 length, policy, u32 length, bundle) over and over, and answers each with (u32 length,
// JSON): the page's report with the steps that it began, or what it refused. The page's own script
// runs, byte for byte.
import { namesOf } from "./page_script.mjs";

const { Malformed, browserProblem, examine, policyOf, reportValue, exactNumber, cutSpans } = await namesOf(
  process.argv[2], "Malformed", "browserProblem", "examine", "policyOf", "reportValue", "exactNumber", "cutSpans",
);

// A signature is checked once, in however many bundles it stands: what the browser said of the same
// key, bytes and signature is said again.
const verify = crypto.subtle.verify.bind(crypto.subtle);
const MAX_SAID = 16384;
let said = new WeakMap();
let count = 0;
crypto.subtle.verify = (algorithm, key, signature, signed) => {
  const name = `${Buffer.from(signature).toString("latin1")}${Buffer.from(signed).toString("latin1")}`;
  const ofKey = said.get(key) ?? new Map();
  if (count > MAX_SAID) [said, count] = [new WeakMap(), 0];
  said.set(key, ofKey);
  if (!ofKey.has(name)) {
    ofKey.set(name, verify(algorithm, key, signature, signed));
    count++;
  }
  return ofKey.get(name);
};

async function answer(policy, bundle) {
  let rules;
  try {
    rules = policyOf(policy);
  } catch (error) {
    if (error instanceof Malformed) return { policy: error.message };
    throw error;
  }
  const begun = [];
  const report = await examine(bundle, rules, (number) => begun.push(number));
  const windows = report.found.entries.map(({ window, grade }) => [
    exactNumber(window.lower), exactNumber(window.upper), grade,
  ]);
  const { diary, zone } = report.found;
  const spans = cutSpans(diary, zone).map(({ begin, end, worked }) => [zone.instantText(begin), zone.instantText(end), worked]);
  return { ...reportValue(report), windows, spans, begun };
}

const pieces = [];
let held = 0;
async function take(reader, count) {
  while (held < count) {
    const { value, done } = await reader.next();
    if (done) return null;
    pieces.push(value);
    held += value.length;
  }
  const whole = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  pieces.length = 0;
  held = whole.length - count;
  if (held > 0) pieces.push(whole.subarray(count));
  return new Uint8Array(whole.subarray(0, count));
}

const reader = process.stdin[Symbol.asyncIterator]();
const problem = await browserProblem();
if (problem !== null) throw new Error(problem);
for (;;) {
  const parts = [];
  for (let n = 0; n < 2; n++) {
    const length = await take(reader, 4);
    if (length === null) process.exit(0);
    parts.push(await take(reader, new DataView(length.buffer, length.byteOffset).getUint32(0)));
  }
  let told;
  try {
    told = await answer(...parts);
  } catch (error) {
    told = { mistake: String(error?.stack ?? error) };
  }
  const text = Buffer.from(JSON.stringify(told));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  process.stdout.write(Buffer.concat([length, text]));
}
