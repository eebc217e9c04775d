"""The offline page's own script, run in node: what it says of a bundle, as Python says it."""

import json
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest
from cryptography.exceptions import InvalidSignature

from workseal_protocol.cli.report import report_value
from workseal_protocol.days import cut_days
from workseal_protocol.diary import Span
from workseal_protocol.ed25519 import Ed25519Key
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.verify import Outcome, examine_bundle

OWN_WORDS = frozenset({1, 10})
# Receipts and opened values are read there: what comes before the colon says which one it was.
READING_WORDS = frozenset({4, 12})
DRIVER = Path(__file__).with_name("offline_page.mjs")
_ENGAGEMENT_ZONE = ZoneInfo("Europe/Berlin")


class NodePage:
    """Ask the page about bundles, one after the other."""

    def __init__(self, page: Path) -> None:
        node = shutil.which("node")
        if node is None:
            raise RuntimeError("node is not installed")
        self._process = subprocess.Popen(
            [node, DRIVER, page], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._process.wait()

    def examine(self, bundle: bytes, policy: bytes) -> dict[str, Any]:
        """Return what the page says."""
        self.ask(bundle, policy)
        return self.answer()

    def ask(self, bundle: bytes, policy: bytes) -> None:
        """Let the page begin; its answer has to be taken before the next question."""
        asked = self._process.stdin
        assert asked is not None
        for part in (policy, bundle):
            asked.write(struct.pack(">I", len(part)) + part)
        asked.flush()

    def answer(self) -> dict[str, Any]:
        """Return what the page says of what it was asked last."""
        told = self._process.stdout
        assert told is not None
        (length,) = struct.unpack(">I", told.read(4))
        value: dict[str, Any] = json.loads(told.read(length))
        return value


def page_says(script: str, file: Path, asked: Any) -> Any:
    """Run a script beside this file, which takes names out of an assembled page, and ask it."""
    node = shutil.which("node")
    assert node is not None, "node is not installed"
    done = subprocess.run(
        [node, DRIVER.with_name(script), file],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@contextmanager
def checked_once() -> Iterator[None]:
    """Check each signature once, in however many bundles it stands: what was said is said again."""
    check = Ed25519Key.verify

    @lru_cache(maxsize=16_384)
    def holds(key: Ed25519Key, signature: bytes, message: bytes) -> bool:
        try:
            check(key, signature, message)
        except InvalidSignature:
            return False
        return True

    def verify(key: Ed25519Key, signature: bytes, message: bytes) -> None:
        if not holds(key, bytes(signature), bytes(message)):
            raise InvalidSignature

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Ed25519Key, "verify", verify)
        yield


def python_says(bundle: bytes, policy: TrustPolicy, zone: ZoneInfo = _ENGAGEMENT_ZONE) -> Any:
    """Return what `workseal verify --json` says, with every window."""
    report = examine_bundle(bundle, policy, zone=zone)
    value = report_value(report)
    # A report without terms names the zone that it was given; the page then knows none.
    if report.terms is None:
        value["zone"] = "UTC"
    bounds = [(one.window.lower, one.window.upper, one.grade) for one in report.entries]
    value["windows"] = [list(row) for row in bounds]
    value["spans"] = [list(row) for span in report.diary for row in _parts(span, zone)]
    return _exact(json.loads(json.dumps(value)))


def _parts(span: Span, zone: ZoneInfo) -> Iterator[tuple[str, str, int]]:
    """Cut a span with worked time at midnights, as `workseal hours` does, in the zone's time."""
    parts = [(span.begin, span.end)]
    if span.worked_ms:
        parts = [(begin, end) for _, begin, end in cut_days(span.begin, span.end, zone)]
    for begin, end in parts:
        yield _local(begin, zone), _local(end, zone), span.worked_between(begin, end)


def _local(instant: int, zone: ZoneInfo) -> str:
    try:
        moment = datetime.fromtimestamp(instant // 1000, tz=zone)
    except (OverflowError, ValueError):
        return f"{instant} ms after 1970"
    text = moment.replace(microsecond=instant % 1000 * 1000).isoformat(timespec="milliseconds")
    return f"{text[:10]} {text[11:23]} {text[23:]}"


def _exact(value: Any) -> Any:
    """Write numbers that JavaScript does not hold exactly as the page does: as text."""
    if isinstance(value, dict):
        return {name: _exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return str(value) if isinstance(value, int) and abs(value) > MAX_INTEGER else value


def differences(page: dict[str, Any], python: dict[str, Any]) -> list[str]:
    """Say in which figures two reports differ.

    What is wrong with malformed bytes, and with a token, each says in words of its own.
    """
    found = [
        f"{name}: page {page.get(name)!r}, python {value!r}"
        for name, value in python.items()
        if name != "steps" and page.get(name) != value
    ]
    if "steps" not in page:
        return [str(page)]
    for one, other in zip(page["steps"], python["steps"], strict=True):
        found += _of_step(one, other)
    return found


def _of_step(page: dict[str, Any], python: dict[str, Any]) -> list[str]:
    words = ["number", "name", "outcome"]
    told, known = page["why"], python["why"]
    if python["number"] in READING_WORDS:
        told, known = told.partition(": ")[0], known.partition(": ")[0]
    own = python["outcome"] == Outcome.FAILS and python["number"] in OWN_WORDS
    found = [] if own or told == known else [f"why: page {told!r}, python {known!r}"]
    found += [
        f"{word}: page {page[word]!r}, python {python[word]!r}"
        for word in words
        if page[word] != python[word]
    ]
    return [f"step {python['number']} {one}" for one in found]
