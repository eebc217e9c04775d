// Read changed certificates by the script of an assembled page: usage page_certificates.mjs PAGE.
//
// Reads {certificate in base64, values: for each byte what it is changed to}, and prints for each
// change, in that order, whether what comes out is a certificate that names itself.
import { readFileSync } from "node:fs";
import { namesOf } from "./page_script.mjs";

const { Malformed, certificateOf, fromBase64, sameName } = await namesOf(
  process.argv[2], "Malformed", "certificateOf", "fromBase64", "sameName",
);

function isRoot(der) {
  try {
    const { issuer, subject } = certificateOf(der);
    return sameName(issuer, subject);
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

const { certificate, values } = JSON.parse(readFileSync(0, "utf8"));
const der = fromBase64(certificate, "a certificate");
const said = [];
values.forEach((changes, at) => {
  for (const value of changes) {
    const changed = der.slice();
    changed[at] = value;
    said.push(isRoot(changed));
  }
});
console.log(JSON.stringify(said));
