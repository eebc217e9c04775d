"""The offline page's turns: it hands its thread back, whatever the browser does with it."""

import json
import shutil
import subprocess
from pathlib import Path

from workseal_protocol.cli.page import offline_page

DRIVER = Path(__file__).parents[1] / "support" / "page_handing.mjs"


def test_a_browser_that_checks_signatures_at_once_gets_few_of_them_in_a_turn(
    tmp_path: Path,
) -> None:
    node = shutil.which("node")
    assert node is not None
    page = tmp_path / "verify.html"
    page.write_bytes(offline_page())
    done = subprocess.run([node, DRIVER, page], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    whole, spoiled = said["told"]
    assert whole == {"held": True, "checked": 40}
    # One that does not hold is the end: the rest is examined in turn.
    assert spoiled["held"] is False
    assert 18 <= spoiled["checked"] < 40
    # Twelve milliseconds of checks that take four each, or the one that passes them.
    assert 1 <= said["most"] <= 3
