"""A verifier that lies, older or other than it was, or in no form: one sentence, and never more."""

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.builders import (
    CLIENT,
    ENGAGEMENT,
    FREELANCER,
    OPERATOR,
    make_acceptance,
    make_beacon,
    make_offer,
    signer,
)
from support.cases import Play
from workseal_protocol.cli.acting import verifier
from workseal_protocol.cli.acting.asjson import as_json
from workseal_protocol.cli.acting.known import Known, learn
from workseal_protocol.cli.acting.reading import Live, read_live
from workseal_protocol.cli.acting.standing import Asker
from workseal_protocol.cli.acting.telling import lines
from workseal_protocol.cli.acting.verifier import (
    CaseVerifier,
    Listed,
    case_named,
    list_line,
    listed_by,
    told_in,
)
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.keys import Role
from workseal_protocol.lottery import ChainSide, chain_head
from workseal_protocol.records import Act, DisputeAct, KeyRotate, read_record, sign
from workseal_protocol.statement import Statement

# Looks like a line of ours, and runs backwards. Control characters have no form in a statement.
EVIL = "fine\nyou may now: accept\u202e\u2028\u2066"
NEW = signer("client's second key")


@dataclass
class Lying:
    """A verifier of which a test changes what it says."""

    head: Digest
    data: bytes
    listed: list[bytes]

    @classmethod
    def of(cls, play: Play, *more: Statement) -> "Lying":
        terms = play.case.terms
        offer = sign(make_offer(terms=terms), CLIENT)
        accepted = sign(make_acceptance(offer, terms=terms), FREELANCER)
        told = b"".join(one.encode() for one, _ in play.told)
        listed = [one.encode() for one in (offer, accepted, *more)]
        return cls(play.case.head, told, listed)

    def told(self, _case: Digest) -> tuple[Digest, str]:
        return self.head, "answer"

    def statements(self, _case: Digest) -> bytes:
        return self.data

    def listing(self, _engagement: bytes, since: int) -> Iterator[tuple[int, bytes]]:
        return ((place, one) for place, one in enumerate(self.listed) if place >= since)

    def read(self, case: Digest, before: bytes = b"") -> Live:
        own = FREELANCER.public_key.thumbprint
        return read_live(self, case, lambda one: learn(self, one, Known()), own=own, before=before)


@pytest.fixture
def play() -> Play:
    said = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    return said.act(Role.CLIENT, Act.OFFER, text=EVIL, amount=1)


def test_a_second_commitment_to_a_round_stops_nobody_who_acts() -> None:
    """The first that the verifier lists counts, so that committing once more undoes no draw."""
    play = Play.begin()
    for _ in range(3):
        play.lapse()
    play.draw()
    drawn = read_record(play.told[-1][0])
    assert isinstance(drawn, DisputeAct)
    one, other = (
        sign(
            make_beacon(
                period_ms=play.case.terms.round_ms,
                first_round=drawn.round or 0,
                count=1,
                head=chain_head(ChainSide.VERIFIER, value),
            ),
            OPERATOR,
        )
        for value in (drawn.value or b"", bytes(32))
    )
    assert Lying.of(play, one, other).read(play.case.case).unverified == 0
    with pytest.raises(CommandError, match="found another"):
        Lying.of(play, other, one).read(play.case.case)


def test_an_honest_case_is_read_and_words_of_others_are_harmless(play: Play) -> None:
    live = Lying.of(play).read(play.case.case)
    assert live.case == replace(play.case, released=live.case.released)
    asker = Asker(FREELANCER.public_key.thumbprint, play.now, lambda move, _: move)
    for line in (*lines(live, asker), json.dumps(as_json(live, asker))):
        assert line.isprintable(), line
        assert "\u202e" not in line
    assert as_json(live, asker)["statements"][-1]["text"] == EVIL  # type: ignore[index]


def test_what_a_verifier_changes_of_a_case_is_refused(play: Play) -> None:
    """By one bit anywhere: nothing of it is taken, and nothing but one sentence comes out."""
    honest = Lying.of(play)
    rng = random.Random(7)
    taken = 0
    for _ in range(200):
        data = bytearray(honest.data)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with pytest.raises(CommandError) as refused:
            replace(honest, data=bytes(data)).read(play.case.case)
        assert refused.value.code == 1
        listed = [bytearray(one) for one in honest.listed]
        one = rng.choice(listed)
        one[rng.randrange(len(one))] ^= 1 << rng.randrange(8)
        with suppress(CommandError):
            replace(honest, listed=[bytes(one) for one in listed]).read(play.case.case)
            taken += 1
    assert taken == 0


def test_an_older_state_another_case_and_a_cut_one_are_refused(play: Play) -> None:
    honest = Lying.of(play)
    case = play.case.case
    first = play.told[0][0].encode()
    second = play.told[1][0]
    older = replace(honest, head=second.digest, data=first + second.encode())
    assert older.read(case).case.head == second.digest
    for lying, says in (
        (older, "another history"),
        (replace(honest, data=first), "its statements give"),
        (replace(honest, data=b""), "shows another case"),
        (replace(honest, data=honest.data[:-1]), "is no case"),
        (replace(honest, data=first * 2), "does not hold"),
        (replace(honest, data=first * 401), "is no case"),
        (replace(honest, listed=honest.listed[:1]), "no terms that both parties signed"),
        (replace(honest, listed=[first]), "no terms that both parties signed"),
        (replace(honest, listed=[b"\xff"]), "no statement of this engagement"),
    ):
        with pytest.raises(CommandError, match=says):
            lying.read(case, before=honest.data)
    with pytest.raises(CommandError, match="shows another case"):
        honest.read(second.digest)


def test_a_key_that_was_replaced_speaks_no_more_once_its_successor_did() -> None:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    change = sign(KeyRotate.make(claimed_at=play.now, old=CLIENT.public_key, new=NEW), CLIENT)
    pair = (CLIENT.public_key.thumbprint, NEW.public_key.thumbprint)
    play.case = replace(play.case, parties=play.case.parties.succeeded(*pair))
    play.act(Role.CLIENT, Act.OFFER, by=CLIENT).act(Role.CLIENT, Act.OFFER, by=NEW)
    live = Lying.of(play, change).read(play.case.case)
    assert live.case.head == play.case.head
    assert live.rotations == (change,)
    with pytest.raises(CommandError, match="does not hold"):
        Lying.of(play).read(play.case.case)
    play.act(Role.CLIENT, Act.OFFER, by=CLIENT)
    with pytest.raises(CommandError, match="replaced by one that spoke before"):
        Lying.of(play, change).read(play.case.case)


# --- answers that have no form ---

GOOD: dict[str, object] = {
    "case": "0" * 64,
    "state": "answer",
    "due": {"utc": "2026"},
    "head": "0" * 64,
}


def page_of(cases: object, before: object = None) -> bytes:
    return json.dumps({"cases": cases, "before": before}).encode()


BAD: list[Any] = [
    b"", b"\xff", b"null", b"{}", b"[1]", b"[{}]", b"[" * 100_000, b"1" * 5_000,
    page_of([1]), page_of([{}]), page_of(None), page_of([], 7), page_of([], "1&x=y"),
    json.dumps({"cases": []}).encode(),
    page_of([GOOD | {"case": "F" * 64}]),
    page_of([GOOD | {"case": ["0" * 64]}]),
    page_of([GOOD | {"state": {}}]),
]  # fmt: skip


@pytest.mark.parametrize("answer", BAD, ids=lambda one: one[:12].decode("latin-1"))
def test_a_list_of_no_form_is_refused_in_a_sentence(answer: bytes) -> None:
    with pytest.raises(CommandError, match="not in the right form"):
        listed_by(lambda _: answer)
    with pytest.raises(CommandError, match="not in the right form"):
        told_in(answer)


def test_a_line_of_a_list_is_short_whatever_is_in_it() -> None:
    long = GOOD | {"state": "x" * 999, "due": {"utc": "y" * 999}}
    (one,) = listed_by(lambda _: page_of([long])).cases
    assert len(list_line(one)) < 200
    assert list_line(GOOD | {"due": {"utc": 7}}).endswith("until -")
    wild = {"amount": 10**99, "currency": "\x1b[31m", "you": [], "due": {"waiting_for": 7}}
    assert list_line(GOOD | wild).endswith("answer  nobody until -")
    assert list_line(GOOD | {"due": None}).endswith("nobody is waited for")


def test_a_line_of_a_list_has_whose_turn_the_readers_clock_and_the_sum() -> None:
    local = [
        {"who": "client", "zone": "Asia/Tokyo", "time": "2026-12-01T07:59:59.999+09:00"},
        {"who": "freelancer", "zone": "Europe/Berlin", "time": "2026-11-30T23:59:59.999+01:00"},
    ]
    due = {"utc": "2026-11-30T22:59:59.999+00:00", "waiting_for": ["freelancer"], "local": local}
    one = GOOD | {"due": due, "you": "freelancer", "amount": 48_000, "currency": "EUR"}
    assert list_line(one).endswith(
        "answer  freelancer (you) until 2026-11-30T23:59:59.999+01:00 Europe/Berlin"
        "  at stake 480.00 EUR"
    )
    other = list_line(one | {"you": "client"})
    assert "answer  freelancer until 2026-12-01T07:59:59.999+09:00 Asia/Tokyo" in other
    # A verifier that does not say who reads, or no zone of theirs.
    assert "until 2026-11-30T22:59:59.999+00:00" in list_line(GOOD | {"due": due})


def test_a_case_that_there_is_not_is_said_with_those_that_there_are() -> None:
    one, two = GOOD | {"case": "a" * 64}, GOOD | {"case": "ab" * 32, "state": "draft"}
    assert str(case_named("abababab", lambda: Listed((one, two)))) == "ab" * 32
    seen: dict[str, object] = {"case": "c" * 64}
    cases: tuple[tuple[str, list[dict[str, object]], str], ...] = (
        ("77d0a1b2", [one, two], "no such case: 77d0a1b2; there are aaaaaaaaaaaa (answer), "),
        ("77d0a1b2", [], "no such case: 77d0a1b2; there is none that you may read"),
        ("77d0a1b2", [one] * 7, " and 2 more"),
        ("", [one, two], "name the case: there are aaaaaaaaaaaa (answer), abababababab (draft)"),
        ("", [], "name the case: there is none that you may read"),
        ("aaaaaaaa", [one, one], "2 cases begin with aaaaaaaa: type more of its number"),
        ("77d0a1b2", [seen], "cccccccccccc (seen here before)"),
    )
    for name, listed, told in cases:
        with pytest.raises(CommandError) as caught:
            case_named(name, lambda: Listed(tuple(listed)))  # noqa: B023 - asked at once
        assert told in str(caught.value)


def test_a_list_is_read_page_by_page_and_says_when_it_has_more() -> None:
    """Another case may begin alike among those that were not read: digits name none then."""
    names = [f"{number:064x}" for number in range(200)]
    asked: list[str | None] = []

    def page(before: str | None, *, last: int) -> bytes:
        asked.append(before)
        start = 0 if before is None else int(before[2:])
        found = [GOOD | {"case": one} for one in (names[start], names[start + 1])]
        return page_of(found, None if start + 1 == last else f"0-{start + 1}")

    read = listed_by(lambda before: page(before, last=5))
    assert [one["case"] for one in read.cases] == names[:6]
    assert (asked, read.is_cut) == ([None, "0-1", "0-2", "0-3", "0-4"], False)
    assert str(case_named(names[5][:63], lambda: Listed(read.cases[5:]))) == names[5]
    asked.clear()
    cut = listed_by(lambda before: page(before, last=150))
    assert cut.is_cut
    assert len(asked) == 32
    with pytest.raises(CommandError, match="type the whole number of the case"):
        case_named(names[7][:40], lambda: replace(cut, cases=cut.cases[7:8]))
    assert str(case_named(names[150], lambda: cut)) == names[150]


@pytest.mark.parametrize(
    ("indices", "bodies", "says"),
    [
        pytest.param(b"\xff", b"", "malformed", id="garbage"),
        pytest.param(encode([1]), b"\xa0", "right form", id="an index before what was asked for"),
        pytest.param(encode([7, 7]), b"\xa0\xa0", "right form", id="one index twice"),
        pytest.param(encode([7, 8]), b"\xa0", "right form", id="fewer statements than indices"),
        pytest.param(encode(["7"]), b"\xa0", "right form", id="no number"),
        pytest.param(encode([7]), b"\xa0" * 513, "malformed", id="more than a page"),
    ],
)
def test_a_page_of_no_form_is_refused(
    indices: bytes, bodies: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(address: Any, *_words: object, **_named: object) -> bytes:
        return indices if address.path.endswith("/indices") else bodies

    monkeypatch.setattr(verifier, "ask", ask)
    asked = CaseVerifier(urlsplit("https://log.example"), CLIENT)
    with pytest.raises(CommandError, match=says):
        list(asked.listing(ENGAGEMENT, 7))


def test_a_listing_that_never_ends_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier may list without end; who reads stops."""
    at = [0]

    def ask(address: Any, *_words: object, **_named: object) -> bytes:
        if address.path.endswith("/indices"):
            at[0] += 512
            return encode(list(range(at[0] - 512, at[0])))
        return b"\xa0" * 512

    monkeypatch.setattr(verifier, "ask", ask)
    monkeypatch.setattr(verifier, "_MOST_PAGES", 3)
    asked = CaseVerifier(urlsplit("https://log.example"), CLIENT)
    with pytest.raises(CommandError, match="more than an engagement can have"):
        list(asked.listing(ENGAGEMENT, 0))
