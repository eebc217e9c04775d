"""Every address and every form of the pages with drawn values: an answer each, and no harm."""

import inspect
import re
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from support.paged import PASSPHRASE, PagedHome, Visitor, recorded
from workseal_agent import disclose
from workseal_agent.pages import PagesServer
from workseal_agent.pages.app import all_routes

ROUTES = [one for one in all_routes() if isinstance(one, Route)]
READ = sorted(one.path for one in ROUTES if one.methods is None or "GET" in one.methods)
# Leaving ends what the others are tried on, entering is for who is not in.
CHANGED = sorted(
    one.path
    for one in ROUTES
    if one.methods and "POST" in one.methods and one.path not in {"/leave", "/enter"}
)
FIELDS = (
    "act", "array", "at", "back", "name", "title", "was", "display.zone", "seal.key",
    "before", "day", "despite", "engagement", "kind", "memo", "n", "of",
    "ms", "reason", "seen", "shown", "warned",
)  # fmt: skip
ODD = (
    "", "0", "1", "2", "-1", "+1", "01", "²", "٣", "1e3", "1.0", " 1", "9" * 15, "9" * 19,
    "9" * 4_301, "2026-03-02", "20260302", "2026-W10-1", "0001-01-01", "9999-12-31", "10:00",
    "24:00", "02:30", "working", "off-screen", "pause", "private", "statements", "%", "%25",
    "\x00", "\n", "../..", "//x", "<b>", "{0}", "{x}", "a" * 3_000, "\N{RIGHT-TO-LEFT OVERRIDE}",
)  # fmt: skip
# Half of a character, and a byte that begins none.
HALVES = (b"\xed\xa0\x80", b"\xff")
VALUES = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PAIRS = st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=4)
BODIES = st.sampled_from(
    [
        b"",
        b"{",
        b"[]",
        b"[" * 9_999,
        b'{"shown": "AAAA"}',
        b'{"shown": 1e999}',
        b'{"shown": "\\ud800"}',
        b'{"shown": "\xed\xa0\x80"}',
    ]
)
TRIES = settings(
    max_examples=4,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(tmp_path_factory.mktemp("drawn"), seconds=65, capture_rate=65_536) as home:
        disclose.receive(home.asked(0).encode(), home.rig.ledger, home.rig.engagement)
        yield home


def everything(home: PagedHome, server: PagesServer) -> tuple[Any, ...]:
    """Hold what no reading may change: ledger, vault, settings, recording, choices, agreement."""
    with sqlite3.connect(home.settings.ledger_file) as file:
        rows = tuple(file.iterdump())
    file.close()
    files = sorted(
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in (*home.settings.vault_folder.rglob("*"), home.settings.config_file)
        if path.exists()
    )
    running = home.desk.running() or {}
    return rows, files, running["state"], dict(server.drafts._tiles), home.desk.chosen


def asked_by(path: str) -> list[str]:
    """Read out of a page's own code which names it looks for in an address."""
    route = next(one for one in ROUTES if one.path == path and "GET" in (one.methods or {"GET"}))
    return re.findall(
        r"""query_params\.get(?:list)?\("(\w+)\"""", inspect.getsource(route.endpoint)
    )


def filled(path: str, home: PagedHome, odd: str | bytes | None = None) -> str:
    """Write an address: with an odd value in the last of its places, and in the rest what is."""
    digest = str(disclose.received(home.rig.ledger, home.rig.engagement)[0].statement.digest)
    good = {"{digest}": digest, "{number:number}": "1"}
    places = re.findall(r"\{[^}]*\}", path)
    for place in places:
        value = good[place] if odd is None or place != places[-1] else quote(odd, safe="")
        path = path.replace(place, value)
    return path


def odd_addresses(path: str, home: PagedHome) -> Iterator[str]:
    """Give each odd value in each place of an address where a page reads one."""
    for odd in (*ODD, *HALVES):
        if "{" in path:
            yield filled(path, home, odd)
        for name in asked_by(path):
            yield f"{filled(path, home)}?{urlencode({name: odd})}"


@pytest.mark.parametrize(
    ("path", "unlocked"),
    [*((path, True) for path in READ), *((path, False) for path in READ if "{number" in path)],
)
def test_reading_answers_and_changes_nothing(
    visitor: Visitor, home: PagedHome, server: PagesServer, path: str, *, unlocked: bool
) -> None:
    if not unlocked:
        home.desk.unlocked.forget()
    elif home.desk.unlocked.use() is None:
        home.desk.unlock(PASSPHRASE)
    before = everything(home, server)

    def answers(address: str) -> None:
        answer = visitor.get(address)
        assert answer.status_code < 500, (address, answer.text)

    for address in [filled(path, home), *odd_addresses(path, home)]:
        answers(address)
    drawn = TRIES(given(PAIRS)(lambda pairs: answers(f"{filled(path, home)}?{urlencode(pairs)}")))
    drawn()
    assert everything(home, server) == before


@pytest.mark.parametrize("path", CHANGED)
@TRIES
@given(fields=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4), body=BODIES)
def test_forms_with_drawn_values_get_an_answer(
    visitor: Visitor, home: PagedHome, path: str, fields: dict[str, str], body: bytes
) -> None:
    address = filled(path, home)
    answer = visitor.post(address, **fields)
    assert answer.status_code < 500, (address, fields, answer.text)
    more = {"x-workseal-form": visitor.form, "content-type": "application/json"}
    answer = visitor.ask("POST", address, content=body, headers=more)
    assert answer.status_code < 500, (address, body, answer.text)
