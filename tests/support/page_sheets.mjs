// Say of histories of timesheets and answers what was accepted beside each: usage page_sheets.mjs PAGE.
//
// Reads rows of entries, each with its kind and the fields of its record, and prints for each the
// timesheets, each with what replaced it, days accepted elsewhere, left behind,
// accepted again, and changed since.
import { readFileSync } from "node:fs";
import { namesOf } from "./page_script.mjs";

const { acceptancesOf, changedDays, timesheetsOf } = await namesOf(process.argv[2], "acceptancesOf", "changedDays", "timesheetsOf");
// What is recorded by now: of some days what the timesheets say, of the others more, and one more day.
const RECORDED = [1, 2, 3, 4, 5, 6].map((day) => [day, day % 2 === 0 ? 1 : 2, 0, 0, 0]);
const turns = { due: false, next: async () => {} };

async function told(rows) {
  const entries = rows.map(([digest, record], index) => ({ index, digest, record }));
  // Of no zone that the terms name: the record is not looked at.
  const sheets = await timesheetsOf({ zone: "UTC" }, entries, { name: "elsewhere" }, turns);
  const acceptances = acceptancesOf(sheets);
  const changed = changedDays(sheets, acceptances, RECORDED);
  return sheets.map(({ digest, replacedBy }) => {
    const { elsewhere, leftBehind, acceptedAgain } = acceptances.get(digest);
    return [digest, replacedBy, elsewhere.map(({ sheet, days, counting }) => [sheet, days, counting]), leftBehind, acceptedAgain, (changed.get(digest)?.told ?? []).map((one) => [one.accepted?.[1] ?? null, one.recorded[0]])];
  });
}

const found = [];
for (const rows of JSON.parse(readFileSync(0, "utf8"))) found.push(await told(rows));
console.log(JSON.stringify(found));
