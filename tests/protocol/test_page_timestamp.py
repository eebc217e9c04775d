"""Time-stamps with one changed byte: Python and the offline page take the same ones.

The short form tries some of them; `WORKSEAL_LONG=1` every byte with each one and two bits turned.
"""

import base64
import itertools
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

from support.stamp import FixedTsa
from workseal_protocol.cli.page import offline_page
from workseal_protocol.errors import WorksealError
from workseal_protocol.timestamp import verify_token

DRIVER = Path(__file__).parents[1] / "support" / "page_tokens.mjs"
MESSAGE, NOW = b"a message", 1_780_000_000_000
LONG = bool(os.environ.get("WORKSEAL_LONG"))
SOME = 400
# SHA-256 where the token lists what its signers digest with, and SHA-512.
LISTED = bytes.fromhex("310d300b0609608648016503040201")
SHA512 = 0x03


def changes_of(token: bytes) -> list[tuple[int, int]]:
    masks = [1 << bit for bit in range(8)]
    masks += [one | other for one, other in itertools.combinations(masks, 2)]
    every = [(place, byte ^ mask) for place, byte in enumerate(token) for mask in masks]
    return every if LONG else random.Random(1).sample(every, SOME)


def test_the_page_takes_a_changed_token_where_python_does(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    page = tmp_path / "verify.html"
    page.write_bytes(offline_page())
    tsa = FixedTsa.from_seed(b"changed")
    token = tsa.stamp(MESSAGE, NOW)
    place = token.index(LISTED) + len(LISTED) - 1
    # As it is; and what the two once told apart: a digest that no signer uses.
    changes = [(0, token[0]), (place, SHA512), *changes_of(token)]
    parts = {"token": token, "message": MESSAGE, "root": tsa.root_der}
    asked = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    done = subprocess.run(
        [node, DRIVER, page],
        input=json.dumps({**asked, "changes": changes}),
        capture_output=True,
        text=True,
        check=True,
    )
    known = [upper_of(token[:at] + bytes([value]) + token[at + 1 :], tsa) for at, value in changes]
    told = json.loads(done.stdout)
    rows = zip(changes, known, told, strict=True)
    assert [row for row in rows if row[1] != row[2]] == []
    assert known[:2] == [NOW + 1000, None]


def upper_of(token: bytes, tsa: FixedTsa) -> int | None:
    try:
        return verify_token(token, message=MESSAGE, roots=[tsa.root_der]).upper
    except WorksealError:
        return None
