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

import pytest
from cryptography import x509

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


def test_the_page_takes_a_changed_token_where_python_does(page: Path) -> None:
    tsa = FixedTsa.from_seed(b"changed")
    token = tsa.stamp(MESSAGE, NOW)
    place = token.index(LISTED) + len(LISTED) - 1
    # As it is; and what the two once told apart: a digest that no signer uses.
    changes = [(0, token[0]), (place, SHA512), *changes_of(token)]
    known = [upper_of(token[:at] + bytes([value]) + token[at + 1 :], tsa) for at, value in changes]
    rows = zip(changes, known, told_by(page, tsa, changes), strict=True)
    assert [row for row in rows if row[1] != row[2]] == []
    assert known[:2] == [NOW + 1000, None]


def test_the_page_finds_an_issuer_by_what_names_its_key_where_python_does(page: Path) -> None:
    """A key's name may be its identifier, its issuer's name and serial number, or all of them."""
    root = FixedTsa.from_seed(b"changed").root
    key = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    name = tlv(0xA1, tlv(0xA4, root.issuer.public_bytes()))
    other = tlv(0xA1, tlv(0xA4, root.issuer.public_bytes().replace(b"root", b"boot")))
    by_mail = tlv(0xA1, tlv(0x81, b"root@example.org"))
    right = {
        "nothing": b"",
        "key": tlv(0x80, key),
        "serial": tlv(0x82, b"\1"),
        "name": name,
        "a name of another form": by_mail,
        "name and serial": name + tlv(0x82, b"\1"),
        "all": tlv(0x80, key) + name + tlv(0x82, b"\1"),
    }
    wrong = {
        "another key": tlv(0x80, bytes(20)) + name + tlv(0x82, b"\1"),
        "another serial": tlv(0x80, key) + tlv(0x82, b"\2"),
        "another serial alone": tlv(0x82, b"\2"),
        "another name": tlv(0x80, key) + other,
        "another name of two": tlv(0xA1, by_mail[2:] + other[2:]),
        "a serial not in its shortest form": tlv(0x82, b"\0\1"),
        "a serial of nothing": tlv(0x82, b""),
        "no name": tlv(0xA1, tlv(0xA4, b"root")),
        "a name of an unknown form": tlv(0xA1, name[2:] + tlv(0x8F, b"root")) + tlv(0x82, b"\1"),
        "a name and more": name + tlv(0x83, b""),
    }
    apart, held = {}, set()
    for what, named in {**right, **wrong}.items():
        for place in ("root", "leaf"):
            tsa = FixedTsa.naming(b"changed", **{place: tlv(0x30, named)})
            token = tsa.stamp(MESSAGE, NOW)
            known, (told,) = upper_of(token, tsa), told_by(page, tsa, [(0, token[0])])
            if told != known:
                apart[place, what] = (known, told)
            if known is not None:
                held.add((place, what))
    assert apart == {}
    # Of a signer's certificate a name and a serial number come together (RFC 5280, 4.2.1.1).
    halves = {("leaf", what) for what in ("serial", "name", "a name of another form")}
    assert held == {(place, what) for place in ("root", "leaf") for what in right} - halves


def test_the_page_takes_a_root_whose_extensions_can_be_read_where_python_does(page: Path) -> None:
    mail, network = tlv(0x81, b"root@example.org"), tlv(0x86, b"http://example.org/list")
    place = tlv(0xA0, tlv(0xA0, network))
    garbage = tlv(0x04, bytes(20))
    cases = [
        ("2.5.29.17", tlv(0x30, mail), True),
        ("2.5.29.17", garbage, False),
        ("2.5.29.17", tlv(0x30, tlv(0x8F, b"x")), False),
        ("2.5.29.31", tlv(0x30, tlv(0x30, place)), True),
        ("2.5.29.31", tlv(0x30, tlv(0x30, place + tlv(0x81, b"\6\x40"))), True),
        ("2.5.29.31", garbage, False),
        ("2.5.29.31", tlv(0x30, tlv(0x30, tlv(0xA0, mail))), False),
        ("2.5.29.30", garbage, False),
        ("2.5.29.37", garbage, False),
    ]
    for oid, value, held in cases:
        tsa = FixedTsa.with_extension(b"changed", oid, value)
        token = tsa.stamp(MESSAGE, NOW)
        known, (told,) = upper_of(token, tsa), told_by(page, tsa, [(0, token[0])])
        assert (known is not None, told is not None) == (held, held), (oid, value)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "verify.html"
    path.write_bytes(offline_page())
    return path


def tlv(tag: int, content: bytes) -> bytes:
    assert len(content) < 0x80
    return bytes([tag, len(content)]) + content


def told_by(page: Path, tsa: FixedTsa, changes: list[tuple[int, int]]) -> list[int | None]:
    """Have the page's script verify a stamp with each of the changed bytes."""
    node = shutil.which("node")
    assert node is not None
    parts = {"token": tsa.stamp(MESSAGE, NOW), "message": MESSAGE, "root": tsa.root_der}
    asked = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    done = subprocess.run(
        [node, DRIVER, page],
        input=json.dumps({**asked, "changes": changes}),
        capture_output=True,
        text=True,
        check=True,
    )
    told: list[int | None] = json.loads(done.stdout)
    return told


def upper_of(token: bytes, tsa: FixedTsa) -> int | None:
    try:
        return verify_token(token, message=MESSAGE, roots=[tsa.root_der]).upper
    except WorksealError:
        return None
