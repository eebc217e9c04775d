"""What follows from a seat: who left one, and which cases are closed to whom."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from support.asking import SignedBy
from support.courtroom import ANSWERED, SECOND, Courtroom, play_to
from support.hearings import Hearing
from support.office import LiveServer, Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode, split_sequence
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, DisputeRequest, Record, RequestedFrame, sign
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.api.access import HIDDEN
from workseal_verifier.services import standing
from workseal_verifier.services.access import TABLE, About, Shown, State, Who
from workseal_verifier.services.casebook import SHUT, CaseBook
from workseal_verifier.services.casefold import filing_of
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.seats import Seat, Seats, is_before, seat_of
from workseal_verifier.store.caserows import CaseRowStore

A, B, C = (Digest.of(bytes([number])) for number in range(3))
X, Y = Digest.of(b"x"), Digest.of(b"y")
NONE: frozenset[Digest] = frozenset()
SEALED = b"a sealed package"


def keys(*named: Digest) -> frozenset[Digest]:
    return frozenset(named)


# --- the values ---


def test_who_sits_reads_that_case_and_no_other() -> None:
    seats = Seats((Seat(A, X, NONE, NONE), Seat(B, Y, NONE, NONE), Seat(C, None, NONE, NONE)))
    assert seats.has(keys(X))
    assert not seats.left_by(keys(X))
    assert seats.closed_to(keys(X)) == {B, C}
    assert seats.closed_to(keys(X, Y)) == {C}
    assert seats.closed_to(keys(A)) == {A, B, C}


def test_what_was_filed_before_over_the_same_hours_goes_along_unless_it_was_left() -> None:
    seats = Seats((Seat(A, None, keys(Y), NONE), Seat(B, X, NONE, keys(A))))
    assert seats.closed_to(keys(X)) == NONE
    again = Seats((Seat(A, None, keys(Y), NONE), Seat(B, Y, NONE, keys(A))))
    assert again.closed_to(keys(Y)) == {A}
    assert again.left_by(keys(Y))


# --- at a verifier ---


@dataclass
class Asking:
    """Ask a verifier over the network, as somebody of a case."""

    office: Office
    client: httpx.Client

    def get(self, path: str, by: SeedSigner) -> httpx.Response:
        return self.client.get(path, auth=SignedBy(by, lambda: self.office.now))

    def listed(self, engagement: bytes, by: SeedSigner, query: str = "") -> list[Statement]:
        path = f"/v1/engagements/{engagement.hex()}"
        bodies = split_sequence(self.get(f"{path}/statements{query}", by).content, max_items=10_000)
        indices = decode(self.get(f"{path}/indices{query}", by).content)
        assert isinstance(indices, list)
        assert len(indices) == len(bodies)
        return [Statement.parse(body) for body in bodies]


@dataclass
class Left:
    """A case whose first arbitrator stepped back and then asked for frames beside it."""

    room: Courtroom
    asking: Asking
    old: SeedSigner
    # Of the panel, and never drawn.
    other: SeedSigner
    beside: Statement
    # Of the case, from before it was left.
    request: Digest


def beside(room: Courtroom, by: SeedSigner) -> Statement:
    """Log a request for frames that is part of no case."""
    office, named = room.office, room.frozen[0]
    record = DisputeRequest(
        engagement=room.agent.engagement,
        claimed_at=office.now,
        frames=(RequestedFrame(named.segment, named.frame),),
        reason="to see for myself",
        sealing_key=room.hearing.case.sealing_key or bytes(1_216),
        answer_by=office.now + 86_400_000,
    )
    statement = sign(record, by)
    office.post([statement])
    return statement


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    room = play_to(Courtroom(tmp_path_factory.mktemp("left")), "comment")
    office, old, other = room.office, room.drawn, room.not_drawn
    request = room.hearing.case.request
    assert request is not None
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as client:
        asking = Asking(office, client)
        for name in (request, room.hearing.told[0].digest):
            office.verifier.services.mailbox.put(name, room.agent.engagement, SEALED)
        # As long as they sit they read all of it, so that what follows is the seat's doing.
        assert asking.get(f"/v1/sealed/{request}", old).content == SEALED
        assert ANSWERED in said(asking.listed(room.agent.engagement, old))
        room._act(Role.ARBITRATOR, Act.RECUSE, text="a friend of the client")
        # While the case runs, nobody asks beside it.
        room._act(Role.CLIENT, Act.WITHDRAW)
        own = beside(room, old)
        office.verifier.services.mailbox.put(own.digest, room.agent.engagement, SEALED)
        yield Left(room, asking, old, other, own, request)
    office.close()


def said(told: list[Statement]) -> str:
    return b"".join(one.encode() for one in told).decode("utf-8", errors="replace")


@pytest.mark.parametrize(
    "operation",
    [name for name, row in TABLE.items() if row.shown is Shown.PARTY and name[:3] == "GET"],
)
def test_who_left_reads_nothing_whatever_they_ask_beside_the_case(
    left: Left, operation: str
) -> None:
    row, room = TABLE[operation], left.room
    names = {
        About.ENGAGEMENT: [room.agent.engagement.hex()],
        About.REQUEST: [str(left.request), str(left.beside.digest)],
        About.STATEMENT: [str(one.digest) for one in (*room.hearing.told, left.beside)],
        About.CASE: [str(room.hearing.case.case)],
        About.SAID: [str(room.hearing.case.case)],
    }
    for name in names[row.about]:
        answer = left.asking.get(operation.split(" ")[1].replace("{name}", name), left.old)
        assert answer.status_code == 404
        assert HIDDEN[row.about] in answer.text


def test_the_parties_read_on_after_an_arbitrator_left(left: Left) -> None:
    told = left.asking.listed(left.room.agent.engagement, left.room.office.people.client)
    assert {one.digest for one in (*left.room.hearing.told, left.beside)} <= {
        one.digest for one in told
    }


def test_a_request_beside_a_case_gives_nothing_of_the_case(left: Left) -> None:
    """One of the panel who never sat reads the work, and no word or package of the case."""
    room, asking = left.room, left.asking
    office, other, engagement = room.office, left.other, room.agent.engagement
    assert asking.get(f"/v1/engagements/{engagement.hex()}/statements", other).status_code == 404
    own = beside(room, other)
    office.verifier.services.mailbox.put(own.digest, engagement, SEALED)
    told = asking.listed(engagement, other)
    of_case = {one.digest for one in room.hearing.told}
    everything = asking.listed(engagement, office.people.client)
    assert [one for one in everything if one.digest not in of_case] == told
    assert own in told
    assert ANSWERED not in said(told)
    # From a place on it is the end of the same.
    middle = office.verifier.records.position(room.hearing.told[3].digest)
    part = asking.listed(engagement, other, f"?from={middle}")
    assert part == told[-len(part) :]
    assert own in part
    assert asking.get(f"/v1/sealed/{own.digest}", other).content == SEALED
    assert asking.get(f"/v1/sealed/{left.request}", other).status_code == 404
    for one in room.hearing.told[::7]:
        assert asking.get(f"/entries/{one.digest}", other).status_code == 404
        path = f"/v1/statements/{one.digest}/receipt"
        assert asking.get(path, other).status_code == 404
    assert asking.get(f"/entries/{own.digest}", other).status_code == 200


def test_a_finding_beside_a_case_goes_with_what_it_is_about(
    left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one is that the operator logs after the draft: it is no statement of the case."""
    room, other = left.room, left.other
    verifier = room.office.verifier
    (finding,) = [one for one in room.hearing.told if one.kind is Kind.DISPUTE_FINDING]
    plain = CaseRowStore.statements

    def without(store: CaseRowStore, filing: Digest, *, below: int) -> list[tuple[int, bytes]]:
        told = plain(store, filing, below=below)
        return [(place, body) for place, body in told if body != finding.encode()]

    monkeypatch.setattr(CaseRowStore, "statements", without)
    closed = {room.hearing.case.case}
    listed = verifier.services.reader.listing(room.agent.engagement, closed=closed)
    assert finding.digest not in {entry.digest for entry in listed}
    monkeypatch.setattr(standing, "filing_of", unplaced(finding))
    thumbprint = other.public_key.thumbprint
    (found,) = verifier.services.standings.of(thumbprint, About.STATEMENT, finding.digest.raw)
    assert (found.who, found.state) == (Who.ARBITRATOR, State.ACCEPTED)


def unplaced(finding: Statement) -> Callable[[Statement, Record], Digest | None]:
    """Take a finding for one that names no case."""
    return lambda one, record: None if one.digest == finding.digest else filing_of(one, record)


def test_another_seat_opens_nothing_of_the_case_that_was_left(left: Left) -> None:
    room, asking = left.room, left.asking
    office, begin = room.office, room.office.now - 3_600_000
    second = Hearing(office, room.agent.engagement, room.terms)
    second.arbitrators = room.hearing.arbitrators
    second.file(Role.FREELANCER, begin=begin, end=office.now).answered().act(Role.CLIENT, Act.END)
    if second.draw().signer_of(Role.ARBITRATOR) is not left.old:
        second.act(Role.ARBITRATOR, Act.RECUSE).draw()
    assert second.signer_of(Role.ARBITRATOR) is left.old
    told = {one.digest for one in asking.listed(room.agent.engagement, left.old)}
    assert {one.digest for one in second.told} <= told
    assert not {one.digest for one in room.hearing.told} & told
    assert asking.get(f"/v1/sealed/{left.request}", left.old).status_code == 404
    # When it is sealed nobody sits there any more.
    records = office.verifier.records
    book, size = CaseBook(records, KeyBook(records)), 2**53
    rows = records.cases.of_engagement(room.agent.engagement, below=size)
    own = keys(left.old.public_key.thumbprint)
    assert book.seats(rows).has(own)
    for shut in SHUT:
        assert not book.seats([replace(row, state=shut) for row in rows]).has(own)


def test_one_seat_opens_no_other_case_and_the_one_before_over_its_hours(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    terms = office.terms(arbitrators=(office.people.arbitrator.public_key, SECOND.public_key))
    agent = ScriptedAgent(office, terms=terms)
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()

    def hearing() -> Hearing:
        made = Hearing(office, agent.engagement, terms)
        made.arbitrators = (office.people.arbitrator, SECOND)
        return made

    begin = office.now - 3_600_000
    early = hearing().file(Role.FREELANCER, begin=begin - 3_600_000, end=begin, text="others")
    early.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.WITHDRAW)
    before = hearing().file(Role.FREELANCER, begin=begin, end=office.now, text="the same hours")
    office.now += 1_000
    tried = hearing().file(begin=begin, end=office.now - 1_000, text="at hand").seated()
    sits = tried.signer_of(Role.ARBITRATOR)
    with LiveServer(office) as live, httpx.Client(base_url=live.url, trust_env=False) as client:
        told = Asking(office, client).listed(agent.engagement, sits)
    filings = {one.digest for one in told if one.kind is Kind.DISPUTE_FILING}
    assert filings == {before.case.case, tried.case.case}
    cases = [one.case for one in (early, before, tried)]
    assert [is_before(one, tried.case) for one in cases] == [False, True, False]
    seat = seat_of(tried.case, cases, is_shut=False)
    assert seat == Seat(tried.case.case, sits.public_key.thumbprint, NONE, keys(before.case.case))
    assert seat_of(tried.case, cases, is_shut=True).person is None
    found = office.verifier.services.standings.of(
        sits.public_key.thumbprint, About.ENGAGEMENT, agent.engagement
    )
    assert [(one.who, one.state, one.closed) for one in found] == [
        (Who.ARBITRATOR, State.DISPUTED, keys(early.case.case))
    ]
    office.close()
