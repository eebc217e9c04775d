"""A month's bundle in the offline page, beside Python: CPU time, memory, longest silence.

Run it with `.venv/bin/python bench/page.py [--segments N]`. The bundle is `month.py`'s.
The page's script runs in node, where CPU times of all its threads and its memory can be told,
beside the bare checks of the same signatures by WebCrypto, each once, sixty-four under way; and the
page itself in Chromium, beside the same bare checks on a page that does nothing else, from the
instant it hears of the bundle to the first picture with the verdict, both by the page's own clock,
where a timer tells the longest time for which it did not answer.
"""

import argparse
import base64
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from month import SEGMENTS, Month, checks_of, month
from playwright.sync_api import Browser

from support.chromed import chromed
from workseal_protocol.cli.page import offline_page
from workseal_protocol.verify import examine_bundle

RUNS = 3
NODE = """
import { readFileSync } from "node:fs";
import { namesOf } from "%s";
const { examine, policyOf } = await namesOf("%s", "examine", "policyOf");
const policy = policyOf(readFileSync("%s"));
const bundle = new Uint8Array(readFileSync("%s"));
const octets = (text) => new Uint8Array(Buffer.from(text, "base64"));
const checks = JSON.parse(readFileSync("%s")).map((parts) => parts.map(octets));

async function spent(work) {
  const before = process.cpuUsage();
  const begun = performance.now();
  const held = await work();
  const { user, system } = process.cpuUsage(before);
  return [held, (user + system) / 1e6, (performance.now() - begun) / 1e3];
}

// As many at a time as the page has under way, and nothing else.
async function floor() {
  const keys = new Map();
  const all = [];
  for (let at = 0; at < checks.length; at += 64) {
    const group = checks.slice(at, at + 64);
    all.push(...await Promise.all(group.map(async ([raw, signature, message]) => {
      const name = String(raw);
      if (!keys.has(name)) {
        keys.set(name, crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]));
      }
      return crypto.subtle.verify({ name: "Ed25519" }, await keys.get(name), signature, message);
    })));
  }
  return all.every((one) => one);
}

const rows = [];
for (let run = 0; run < %d; run++) {
  rows.push([await spent(floor), await spent(async () => (await examine(bundle, policy)).holds)]);
}
console.log(JSON.stringify([rows, process.resourceUsage().maxRSS / 1024]));
"""
FLOOR = """async (checks) => {
  const octets = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const all = checks.map((parts) => parts.map(octets));
  const keys = new Map();
  const begun = performance.now();
  let held = true;
  for (let at = 0; at < all.length; at += 64) {
    const told = await Promise.all(all.slice(at, at + 64).map(async ([raw, signature, message]) => {
      const name = String(raw);
      if (!keys.has(name)) {
        keys.set(name, crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]));
      }
      return crypto.subtle.verify({ name: "Ed25519" }, await keys.get(name), signature, message);
    }));
    held = held && told.every((one) => one);
  }
  return [held, (performance.now() - begun) / 1e3];
}"""
# Whoever asks a page from outside asks it now and then: half a second more or less.
WATCHED = """() => {
  globalThis.longest = 0;
  let last = performance.now();
  let begun = last;
  document.addEventListener("change", () => { begun = performance.now(); }, { capture: true });
  globalThis.shown = new Promise((resolve) => {
    new MutationObserver(() => {
      if (document.getElementById("verdict") === null) return;
      // Called before this picture is made, and before the next one.
      const after = () => resolve((performance.now() - begun) / 1e3);
      requestAnimationFrame(() => requestAnimationFrame(after));
    }).observe(document.getElementById("report"), { childList: true });
  });
  setInterval(() => {
    const now = performance.now();
    globalThis.longest = Math.max(globalThis.longest, now - last);
    last = now;
  }, 0);
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=SEGMENTS)
    parser.add_argument("--kept", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    found = month(options.segments, options.kept)
    data, policy = found.data, found.policy
    print(f"{found.about}, {len(data)} bytes")
    begun = time.process_time()
    holds = examine_bundle(data, policy).holds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"python    {time.process_time() - begun:.2f} s of CPU, holds: {holds}, peak {peak:.0f} MiB"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "verify.html").write_bytes(offline_page())
        (folder / "policy").write_text(policy.encode())
        (folder / "bundle").write_bytes(data)
        (folder / "checks").write_text(json.dumps(distinct(found)))
        in_node(folder, options.runs)
        in_chromium(folder, options.runs)


def distinct(found: Month) -> list[list[str]]:
    """Write each check once: key, signature, what it is over."""
    every = (one for kind in checks_of(found).values() for one in kind)
    parts = {(key.raw, signature, message) for key, signature, message in every}
    return [[base64.b64encode(part).decode() for part in one] for one in parts]


def in_node(folder: Path, runs: int) -> None:
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node is not installed")
    loader = Path(__file__).resolve().parents[1] / "tests" / "support" / "page_script.mjs"
    script = folder / "bench.mjs"
    names = ("verify.html", "policy", "bundle", "checks")
    script.write_text(NODE % (loader, *(folder / one for one in names), runs))
    done = subprocess.run([node, script], capture_output=True, text=True, check=True)
    rows, peak = json.loads(done.stdout)
    for (held, least, least_wall), (holds, cpu, wall) in rows:
        print(
            f"node      {cpu:.2f} s of CPU in {wall:.2f} s, holds: {held and holds}; its checks"
            f" alone {least:.2f} in {least_wall:.2f}: {cpu / least:.2f} by CPU,"
            f" {wall / least_wall:.2f} by the clock; load {os.getloadavg()[0]:.1f}"
        )
    print(f"node's highest: {peak:.0f} MiB, with the checks of the floor in memory")


def in_chromium(folder: Path, runs: int) -> None:
    checks = json.loads((folder / "checks").read_text())
    (folder / "bare.html").write_text("<!doctype html><title>bare checks</title>")
    with chromed() as browser:
        for _ in range(runs):
            bare = browser.new_page()
            bare.goto((folder / "bare.html").as_uri())
            held, least = bare.evaluate(FLOOR, checks)
            bare.close()
            wall, deaf, verdict = shown(browser, folder)
            print(
                f"chromium  {wall:.2f} s, deaf for {deaf:.0f} ms at most: {verdict}; its checks"
                f" alone {least:.2f}, held: {held}: {wall / least:.2f} by the clock"
            )


def shown(browser: Browser, folder: Path) -> tuple[float, float, str]:
    """Hand the bundle to the page; tell seconds to the verdict, longest silence in ms, verdict."""
    page = browser.new_page()
    page.goto((folder / "verify.html").as_uri())
    page.set_input_files("#policy", folder / "policy")
    page.evaluate(WATCHED)
    page.set_input_files("#bundle", folder / "bundle")
    page.wait_for_selector("#verdict", timeout=120_000)
    wall = page.evaluate("globalThis.shown")
    told = wall, page.evaluate("globalThis.longest"), page.inner_text("#verdict")
    page.close()
    return told


if __name__ == "__main__":
    main()
