"""A month's bundle in the offline page, beside Python: CPU time, memory, longest silence.

Run it with `.venv/bin/python bench/page.py [--segments N]`. The bundle is `month.py`'s.
The page's script runs in node, where CPU times of all its threads and its memory can be told, and
the page itself in Chromium, where a timer tells the longest time for which it did not answer.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from month import SEGMENTS, month

from support.chromed import chromed
from workseal_protocol.cli.page import offline_page
from workseal_protocol.verify import examine_bundle

NODE = """
import { readFileSync } from "node:fs";
import { namesOf } from "%s";
const { examine, policyOf } = await namesOf("%s", "examine", "policyOf");
const policy = policyOf(readFileSync("%s"));
const bundle = new Uint8Array(readFileSync("%s"));
const before = process.cpuUsage();
const begun = performance.now();
const report = await examine(bundle, policy);
const { user, system } = process.cpuUsage(before);
const seconds = [(user + system) / 1e6, (performance.now() - begun) / 1e3];
console.log(JSON.stringify([report.holds, ...seconds, process.resourceUsage().maxRSS / 1024]));
"""
DEAF = """() => {
  globalThis.longest = 0;
  let last = performance.now();
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
        in_node(folder)
        in_chromium(folder)


def in_node(folder: Path) -> None:
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node is not installed")
    loader = Path(__file__).resolve().parents[1] / "tests" / "support" / "page_script.mjs"
    script = folder / "bench.mjs"
    script.write_text(
        NODE % (loader, *(folder / one for one in ("verify.html", "policy", "bundle")))
    )
    done = subprocess.run([node, script], capture_output=True, text=True, check=True)
    holds, cpu, wall, peak = json.loads(done.stdout)
    print(f"node      {cpu:.2f} s of CPU in {wall:.2f} s, holds: {holds}, peak {peak:.0f} MiB")


def in_chromium(folder: Path) -> None:
    with chromed() as browser:
        page = browser.new_page()
        page.goto((folder / "verify.html").as_uri())
        page.set_input_files("#policy", folder / "policy")
        page.evaluate(DEAF)
        begun = time.monotonic()
        page.set_input_files("#bundle", folder / "bundle")
        page.wait_for_selector("#verdict", timeout=600_000)
        wall = time.monotonic() - begun
        deaf = page.evaluate("globalThis.longest")
        verdict = page.inner_text("#verdict")
        print(f"chromium  {wall:.2f} s, deaf for {deaf:.0f} ms at most: {verdict}")


if __name__ == "__main__":
    main()
