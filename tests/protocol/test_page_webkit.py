"""The offline page in WebKitGTK, whose Ed25519 is not the specification's: it judges nothing.

Debian's WebKitGTK 2.50 verifies by libgcrypt, which takes S + L in the place of S, and equations
that hold only times the cofactor. One that refuses both is to be compared as Firefox is.
"""

import time
from pathlib import Path

from desktop import Desktop
from support.examined import FOLDER
from support.webkit import WebKit
from workseal_protocol.cli.page import offline_page

STATUS = "return document.getElementById('status').textContent"


def test_says_in_one_sentence_that_this_engine_cannot_judge(tmp_path: Path) -> None:
    page = tmp_path / "verify.html"
    page.write_bytes(offline_page())
    with (
        Desktop.start(640, 480, window_manager=False) as desktop,
        WebKit(tmp_path, desktop.display) as webkit,
    ):
        webkit.open(page.as_uri())
        webkit.choose("#policy", FOLDER / "policy.txt")
        webkit.choose("#bundle", FOLDER / "valid.bundle")
        deadline = time.monotonic() + 60
        while "Nothing was judged" not in (told := webkit.run(STATUS)):
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        assert told == (
            "Nothing was judged: this browser's Ed25519 accepts other signatures than it should;"
            " use another, such as Chromium or Firefox."
        )
        # No step, no figure: not even of what it could have computed.
        assert webkit.run("return document.getElementById('report').textContent") == ""
