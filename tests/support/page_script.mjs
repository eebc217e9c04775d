// Load the script of an assembled page into node, byte for byte, and hand out names of it.
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;

export async function namesOf(page, ...names) {
  const script = /<script type="module">\n([^]*)<\/script>/.exec(readFileSync(page, "utf8"))[1];
  const shared = `${script}\nexport { ${names.join(", ")} };\n`;
  return import(`data:text/javascript;base64,${Buffer.from(shared).toString("base64")}`);
}
