"""The whole job on a real screen: what the demo shows, and what never leaves the machine."""

import base64
import gzip
import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from workseal_agent.config import load_settings
from workseal_agent.keystore import Keystore
from workseal_agent.vault import StoredFrame, VaultReader
from workseal_protocol.records import CHAINED
from workseal_protocol.statement import Kind, Statement

from .conftest import DemoRun

pytestmark = pytest.mark.journey

PASSPHRASE = "a demo passphrase"  # noqa: S105 - the demo's own


def test_every_step_holds_and_every_party_saw_it(demo: DemoRun) -> None:
    assert demo.summary["holds"] is True
    assert demo.summary["disclosed_frames"] == 2
    assert demo.summary["unsent_while_down"] > 0
    assert demo.summary["agent_status"]["unsent"] == 0
    assert demo.summary["agent_status"]["parked"] == 0


@pytest.mark.parametrize(
    ("forgery", "step"),
    [("altered_pixel", 12), ("altered_minute", 4), ("dropped_segment", 7), ("back_dated", 4)],
)
def test_each_forgery_is_refused_with_its_step(demo: DemoRun, forgery: str, step: int) -> None:
    assert demo.summary["refused"][forgery]["step"] == step


@pytest.mark.parametrize(
    ("forgery", "told"),
    [("altered_pixel", "not those of the frame"), ("back_dated", "before the terms were agreed")],
)
def test_what_is_newly_signed_is_refused_by_the_verifier_too(
    demo: DemoRun, forgery: str, told: str
) -> None:
    assert told in demo.summary["refused"][forgery]["problem"]


def test_traffic_holds_every_request_of_the_agent(demo: DemoRun) -> None:
    sent = b"".join(path.read_bytes() for path in (demo.out / "traffic").iterdir())
    for line in (
        b"GET /v1/operator ", b"GET /v1/beacon/", b"POST /v1/statements?", b"POST /v1/log/proof ",
        b"POST /v1/disclosures ", b"PUT /v1/sealed/",
    ):  # fmt: skip
        assert line in sent, f"no {line!r} among what left the agent"
    own = 0
    for path in (demo.extracted / "statements").glob("*.cose"):
        statement = Statement.parse(path.read_bytes())
        if statement.kind in CHAINED or statement.kind in {
            Kind.ACCEPTANCE,
            Kind.DISPUTE_DISCLOSURE,
        }:
            own += 1
            assert statement.encode() in sent, f"nobody wrote down how {path.name} left"
    assert own > 20


def spellings(word: str) -> list[bytes]:
    """Return the word as it might hide in bytes: raw, UTF-16, base64 at each alignment, hex."""
    raw = word.encode()
    found = [raw, word.encode("utf-16-le"), word.encode("utf-16-be"), raw.hex().encode()]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        # Without the first and last group, which depend on the neighbours.
        found += [encoded[4:-4], base64.urlsafe_b64encode(b"\0" * before + raw)[4:-4]]
    return found


def inflated(data: bytes) -> Iterator[bytes]:
    """Yield what zlib, raw deflate and gzip streams in the data hold."""
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", data):
        try:
            if match.group().startswith(b"\x1f"):
                yield gzip.decompress(data[match.start() :])
            else:
                yield zlib.decompressobj().decompress(data[match.start() :], 64 * 1024 * 1024)
        except (OSError, EOFError, zlib.error):
            continue


def everything_outside(demo: DemoRun) -> dict[Path, bytes]:
    """Return every byte that left the freelancer's agent or lies with another party."""
    folders = [demo.out / "traffic", demo.work / "operator", demo.work / "client"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    return {path: path.read_bytes() for path in files}


@pytest.mark.parametrize("secret", ["canary", "masked_word"])
def test_no_word_from_the_screen_leaves_the_machine(demo: DemoRun, secret: str) -> None:
    wanted = spellings(demo.summary[secret])
    for path, data in everything_outside(demo).items():
        for form in itertools.chain([data], inflated(data)):
            for spelling in wanted:
                assert spelling not in form, f"{path} holds the word"


def stored_frames(demo: DemoRun) -> Iterator[StoredFrame]:
    """Yield what lies in the freelancer's real vault, unlocked."""
    settings = load_settings(demo.work / "freelancer" / "agent")
    private = Keystore.load(settings.keys_file).unlock_vault(PASSPHRASE)
    reader = VaultReader(settings.vault_folder, private)
    yield from map(reader.frame, reader.commitments())


def pixels_of(stored: StoredFrame, left: int, top: int, width: int, height: int) -> set[bytes]:
    """Return the different pixels of a rectangle."""
    line = stored.header.width * 3
    rows = (stored.pixels[y * line + left * 3 :][: width * 3] for y in range(top, top + height))
    return {row[at : at + 3] for row in rows for at in range(0, width * 3, 3)}


def test_the_excluded_window_was_masked_before_the_vault(demo: DemoRun) -> None:
    if demo.summary["screen"] != "xvfb":
        pytest.skip("windows are masked on a real X11 screen only, and Xvfb is not installed")
    for stored in stored_frames(demo):
        assert len(pixels_of(stored, 730, 90, 300, 120)) == 1, "the password window shows"
        assert len(pixels_of(stored, 705, 545, 150, 20)) > 1, "the word's window does not show"


def test_the_withdrawn_frame_is_gone_from_the_vault(demo: DemoRun) -> None:
    assert len(list(stored_frames(demo))) == demo.summary["frames"] - 1


def rows_never_disclosed(demo: DemoRun) -> list[bytes]:
    """Return busy pixel rows of the part of the screen that was never shown to anybody."""
    rows: list[bytes] = []
    for stored in stored_frames(demo):
        width, height = stored.header.width, stored.header.height
        for y in range(height // 2 + 4, height, 3):
            for x in range(width // 2, width - 64, 64):
                start = (y * width + x) * 3
                row = stored.pixels[start : start + 96]
                # Rows with letters in them: an edge alone looks the same everywhere.
                if sum(row[i : i + 3] != row[i - 3 : i] for i in range(3, 96, 3)) >= 12:
                    rows.append(row)
    return list(dict.fromkeys(rows))


def test_no_hidden_pixel_leaves_the_machine(demo: DemoRun) -> None:
    rows = rows_never_disclosed(demo)
    assert len(rows) > 10, "the screen was too plain for this test to mean anything"
    for path, data in everything_outside(demo).items():
        for form in itertools.chain([data], inflated(data)):
            for row in rows[:400]:
                assert row not in form, f"{path} holds pixels that were never shown"
