// Verify changed time-stamps by the script of an assembled page: usage page_tokens.mjs PAGE.
//
// Reads {token, message, root in base64, changes: [place, value]}, and prints for each change by
// when the message existed (Unix milliseconds), or null.
import { readFileSync } from "node:fs";
import { namesOf } from "./page_script.mjs";

const { Fails, Malformed, fromBase64, trustedAuthorities, verifyToken } = await namesOf(
  process.argv[2], "Fails", "Malformed", "fromBase64", "trustedAuthorities", "verifyToken",
);

const { changes, ...texts } = JSON.parse(readFileSync(0, "utf8"));
const [token, message, root] = ["token", "message", "root"].map((name) => fromBase64(texts[name], name));
const authorities = await trustedAuthorities([root], []);

async function upperOf(changed) {
  try {
    return Number(await verifyToken(changed, message, authorities));
  } catch (error) {
    if (error instanceof Malformed || error instanceof Fails) return null;
    throw error;
  }
}

const said = [];
for (const [place, value] of changes) {
  const changed = token.slice();
  changed[place] = value;
  said.push(await upperOf(changed));
}
console.log(JSON.stringify(said));
