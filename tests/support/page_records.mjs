// Read payloads by the script of an assembled page: usage page_records.mjs PAGE.
//
// Reads JSON rows [kind, subject, payload in hex] and prints for each whether it is a record.
import { readFileSync } from "node:fs";
import { namesOf } from "./page_script.mjs";

const { Malformed, fromHex, readRecord } = await namesOf(process.argv[2], "Malformed", "fromHex", "readRecord");

function isRecord([kind, subject, payload]) {
  try {
    readRecord({ kind, subject, payload: fromHex(payload) });
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(isRecord)));
