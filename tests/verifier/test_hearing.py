"""What each of the people of a case reads of it, over HTTP."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.asking import SignedBy
from support.courtroom import Courtroom, play_to
from support.hearings import DAY_MS, Hearing
from support.office import FakeClock, LiveServer, Office, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import seeded
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.encoding import split_sequence
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Acceptance,
    Act,
    KeyRevoke,
    KeyRotate,
    Offer,
    RevocationReason,
    read_record,
    sign,
)
from workseal_protocol.sealing import ENCAPSULATED_BYTES, MIN_SEALED_BYTES
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.api.arrivals import Arrival
from workseal_verifier.api.body import MIB
from workseal_verifier.api.doors import Doors
from workseal_verifier.errors import RefusedError
from workseal_verifier.services import hearing
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.mailbox import Mailbox
from workseal_verifier.store.logrows import CaseRow

SECOND = SeedSigner(b"\x44" * 32)
STRANGER = SeedSigner(b"\x55" * 32)
FRIEND = SeedSigner(b"\x66" * 32)


class Court:
    """A live verifier, a case in it, and its people."""

    def __init__(self, office: Office, client: httpx.Client) -> None:
        self.office = office
        self.client = client
        keys = (office.people.arbitrator.public_key, SECOND.public_key)
        agent = ScriptedAgent(office, terms=office.terms(arbitrators=keys))
        self.hearing = Hearing(office, agent.engagement, agent.terms)
        self.hearing.arbitrators = (office.people.arbitrator, SECOND)

    def get(self, path: str, by: SeedSigner) -> httpx.Response:
        return self.client.get(path, auth=SignedBy(by, lambda: self.office.now))

    def case(self, by: SeedSigner) -> httpx.Response:
        return self.get(f"/v1/cases/{self.hearing.case.case}", by)

    def cases(self, by: SeedSigner, before: str | None = "") -> list[dict[str, Any]]:
        """Read the list of cases, page by page."""
        found: list[dict[str, Any]] = []
        while before is not None:
            page = self.get(f"/v1/cases?before={before}" if before else "/v1/cases", by).json()
            found += page["cases"]
            before = page["before"]
        return found

    def beside(self, number: int, *signers: SeedSigner, panel: Sequence[SeedSigner]) -> Hearing:
        """Let two people agree, and name a panel."""
        office, (client, freelancer) = self.office, signers
        terms = office.terms(
            client=client.public_key,
            freelancer=freelancer.public_key,
            arbitrators=tuple(one.public_key for one in panel),
        )
        made = Hearing(office, bytes([number]) * 16, terms)
        made.signers |= {Role.CLIENT: client, Role.FREELANCER: freelancer}
        fields: dict[str, Any] = {
            "engagement": made.engagement,
            "claimed_at": office.now,
            "terms": terms,
        }
        offer = sign(Offer(**fields), client)
        office.post([offer, sign(Acceptance(**fields, offer=offer.digest), freelancer)])
        return made

    @property
    def drawn(self) -> SeedSigner:
        return self.hearing.signer_of(Role.ARBITRATOR)

    @property
    def not_drawn(self) -> SeedSigner:
        return next(one for one in self.hearing.arbitrators if one is not self.drawn)


def claimed_at(statement: Statement) -> int:
    return read_record(statement).claimed_at


@pytest.fixture
def court(office: Office) -> Iterator[Court]:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        yield Court(office, client)


def test_a_party_reads_what_is_due_and_what_was_said(court: Court) -> None:
    hearing = court.hearing.file(text="nothing came of these hours", amount=70_000)
    hearing.act(Role.OPERATOR, Act.NOTICE)
    people = court.office.people
    answer = court.case(people.freelancer)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert (told["state"], told["you"], told["filer"]) == ("answer", "freelancer", "client")
    assert (told["head"], told["amount"]) == (str(hearing.case.head), 70_000)
    assert {"answer", "extend", "exhibit"} <= set(told["moves"])
    due = told["due"]
    assert due["waiting_for"] == ["freelancer"]
    assert hearing.case.due is not None
    assert (due["until"], due["working_days"]) == (hearing.case.due.until, 10)
    berlin = {one["time"] for one in due["local"] if one["zone"] == "Europe/Berlin"}
    assert due["utc"].endswith("+00:00")
    assert {time[-6:] for time in berlin} <= {"+01:00", "+02:00"}
    said = told["statements"]
    assert [one["move"] for one in said] == ["filing", "notice"]
    assert (said[0]["text"], said[0]["by"]) == ("nothing came of these hours", "client")
    assert "answer" not in court.case(people.client).json()["moves"]


def test_who_ended_their_key_and_has_no_other_is_named(court: Court) -> None:
    """Nobody waits in vain for a person who cannot act: of a rotated key its successor acts."""
    hearing, office = court.hearing.file(), court.office
    hearing.act(Role.OPERATOR, Act.NOTICE)
    keyless = office.verifier.services.hearings.keyless
    assert keyless(hearing.case) == ()
    freelancer, successor = office.people.freelancer, SeedSigner(b"\x77" * 32)
    rotate = KeyRotate.make(claimed_at=office.now, old=freelancer.public_key, new=successor)
    office.post([sign(rotate, freelancer)])
    assert keyless(hearing.case) == ()
    for signer, expected in (
        (office.people.arbitrator, ()),  # nobody was drawn yet
        (successor, (Role.FREELANCER,)),
        (office.people.client, (Role.CLIENT, Role.FREELANCER)),
    ):
        key, lost = signer.public_key.thumbprint, RevocationReason.LOST
        office.post([sign(KeyRevoke(claimed_at=office.now, key=key, reason=lost), signer)])
        assert set(keyless(hearing.case)) == set(expected)


def test_whoever_reads_replays_the_same_head(court: Court) -> None:
    hearing = court.hearing.file().seated()
    answer = court.get(f"/v1/cases/{hearing.case.case}/statements", court.office.people.client)
    first, *rest = map(Statement.parse, split_sequence(answer.content, max_items=400))
    case = Case.begin(
        first, claimed_at(first), terms=hearing.terms, released=lambda _number, _value: True
    )
    for statement in rest:
        case = case.after(statement, max(case.known_at, claimed_at(statement)))
    assert (case.head, case.state) == (hearing.case.head, hearing.case.state)
    assert str(case.head) == court.case(court.drawn).json()["head"]


def test_who_sits_in_a_case_reads_it_and_nobody_else_of_the_panel(court: Court) -> None:
    hearing = court.hearing.file().answered().act(Role.CLIENT, Act.END)
    people = court.office.people
    place = f"/v1/engagements/{hearing.engagement.hex()}/statements"
    for key in hearing.arbitrators:
        assert court.case(key).status_code == court.get(place, key).status_code == 404
    hearing.draw()
    assert court.case(court.drawn).json()["you"] == "arbitrator"
    assert court.get(place, court.drawn).status_code == 200
    assert court.case(court.not_drawn).status_code == 404
    assert court.get(place, court.not_drawn).status_code == 404
    first = court.drawn
    hearing.act(Role.CLIENT, Act.STRIKE).draw()
    # Who was struck reads no more, and who came instead does.
    assert court.drawn is not first
    assert court.case(first).status_code == court.get(place, first).status_code == 404
    assert court.case(court.drawn).status_code == court.get(place, court.drawn).status_code == 200
    assert court.case(people.operator).status_code == 404


def test_of_a_sealed_case_its_arbitrator_reads_what_was_said_and_no_work(court: Court) -> None:
    """That the key of the case is destroyed follows the last word of it."""
    hearing = court.hearing.file().answered().act(Role.CLIENT, Act.END).draw()
    hearing.act(Role.CLIENT, Act.WITHDRAW)
    assert court.case(court.drawn).status_code == 200
    hearing.pass_due().act(Role.OPERATOR, Act.LAPSE)
    work = f"/v1/engagements/{hearing.engagement.hex()}/statements"
    assert court.get(work, court.drawn).status_code == 404
    (listed,) = court.cases(court.drawn)
    assert (listed["case"], listed["state"]) == (str(hearing.case.case), "sealed")
    assert court.cases(court.not_drawn) == []
    assert court.case(court.not_drawn).status_code == 404
    assert court.case(court.drawn).json()["moves"] == []
    hearing.pass_due()
    assert court.case(court.drawn).json()["moves"] == ["destroy"]
    assert court.case(court.office.people.client).json()["state"] == "sealed"


def test_everybody_else_hears_the_same_as_of_no_case(court: Court) -> None:
    hearing = court.hearing.file().answered().act(Role.CLIENT, Act.END).draw()
    court.office.post([stranger_offer(court.office, 1)])
    other_client = SeedSigner(seeded(court.office.seed, "other client", 1))
    for key in (court.not_drawn, court.office.people.operator, other_client):
        answers = []
        for name in (str(hearing.case.case), "0" * 64, str(hearing.case.head)):
            for rest in ("", "/statements"):
                answer = court.get(f"/v1/cases/{name}{rest}", key)
                headers = {k: v for k, v in answer.headers.items() if k != "date"}
                answers.append((answer.status_code, headers, answer.content))
        assert answers[0][0] == 404
        assert answers.count(answers[0]) == len(answers)
    assert court.get(f"/v1/cases/{hearing.case.case}", STRANGER).status_code == 401


def test_whoever_is_not_in_a_case_sees_none_behind_the_door_either(court: Court) -> None:
    hearing = court.hearing.file()
    hearings = court.office.verifier.services.hearings
    with pytest.raises(RefusedError, match="no such case"):
        hearings.view(hearing.case.case, STRANGER.public_key.thumbprint)


def test_each_lists_the_cases_that_they_may_read(court: Court) -> None:
    people = court.office.people

    def listed(key: SeedSigner) -> list[str]:
        return [one["case"] for one in court.cases(key)]

    assert listed(people.client) == []
    hearing = court.hearing.file()
    other = Hearing(court.office, hearing.engagement, hearing.terms).file(Role.FREELANCER)
    both = [str(other.case.case), str(hearing.case.case)]
    assert listed(people.client) == listed(people.freelancer) == both
    hearing.answered().act(Role.CLIENT, Act.END).draw()
    assert listed(people.client) == both[::-1]
    assert listed(court.drawn) == [str(hearing.case.case)]
    assert listed(court.not_drawn) == listed(people.operator) == []
    assert court.get("/v1/cases", STRANGER).status_code == 401


def test_who_is_in_no_case_of_a_panel_has_few_of_them_folded_for_a_page(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 cases in each of thousands of engagements, closed before anybody was drawn."""
    closed = []
    for number in range(3):
        people = court.office.people
        two = (people.client, people.freelancer)
        made = court.beside(number, *two, panel=court.hearing.arbitrators)
        for _ in range(2):
            court.office.now += 1_000
            one = Hearing(court.office, made.engagement, made.terms)
            closed.append(one.file().act(Role.CLIENT, Act.WITHDRAW))
    monkeypatch.setattr(hearing, "MAX_LOOKED", 4)
    folded: list[object] = []
    inner = CaseBook.at

    def count(self: CaseBook, row: CaseRow) -> Case | None:
        folded.append(row.filing)
        return inner(self, row)

    monkeypatch.setattr(CaseBook, "at", count)
    page = court.get("/v1/cases", SECOND).json()
    assert page["cases"] == []
    # The door asks who is there, and not who sits in each.
    assert folded == [one.case.case for one in closed[:1:-1]]
    folded.clear()
    # It says that there are more, and goes on with them.
    assert court.get(f"/v1/cases?before={page['before']}", SECOND).json() == {
        "cases": [],
        "before": None,
    }
    assert folded == [one.case.case for one in closed[1::-1]]
    assert len(court.get("/v1/cases", court.office.people.client).json()["cases"]) == 4
    found = [one["case"] for one in court.cases(court.office.people.client)]
    assert found == [str(one.case.case) for one in closed[::-1]]


def test_a_stranger_with_many_agreements_takes_no_case_from_a_list(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offers cost a stranger nothing; with two keys it accepts them too, and files cases."""
    monkeypatch.setattr(hearing, "MOST_CASES", 2)
    people = court.office.people
    own = [str(court.hearing.file().case.case)]
    victims = [people.freelancer, people.client]
    for number in range(3):
        court.beside(number, STRANGER, FRIEND, panel=victims).file()
    for signer in victims:
        page = court.get("/v1/cases", signer).json()
        assert [one["case"] for one in page["cases"]] == own
        assert page["before"] is not None
        assert [one["case"] for one in court.cases(signer)] == own
    court.hearing.answered().act(Role.CLIENT, Act.END).draw()
    assert [one["case"] for one in court.cases(court.drawn)] == own


NO_PLACES = ("4-1", "x", "0", "0-", "-1", "0-01", "0-9007199254740993", "0-1x")


@pytest.mark.parametrize("before", NO_PLACES)
def test_a_place_that_no_page_named_is_refused(court: Court, before: str) -> None:
    answer = court.get(f"/v1/cases?before={before}", court.office.people.client)
    assert answer.status_code == 400
    assert "before" in answer.json()["detail"]


def test_what_is_not_published_is_not_read(court: Court) -> None:
    """A reader sees what a signed checkpoint covers, as of everything else."""
    hearing = court.hearing.file()
    services = court.office.verifier.services
    size = court.office.checkpoint().checkpoint.size
    services.hearings._size = lambda: size - 1
    assert court.case(court.office.people.client).status_code == 404
    services.hearings._size = lambda: size
    assert court.case(court.office.people.client).json()["state"] == "notice"
    assert hearing.case.due is not None


def test_late_words_are_marked(court: Court) -> None:
    hearing = court.hearing.file()
    hearing.act(Role.OPERATOR, Act.NOTICE).pass_due().act(Role.FREELANCER, Act.ANSWER)
    said = court.case(court.office.people.client).json()["statements"]
    assert [one["late"] for one in said] == [False, False, True]
    assert said[-1]["at"] - said[-2]["at"] > 10 * DAY_MS


# --- what was sealed for an arbitrator ---


def test_what_was_taken_back_is_given_out_no_more_and_of_a_case_that_is_over_nothing_is_taken(
    tmp_path: Path,
) -> None:
    """What came each hour after the end would lie there when all is destroyed."""
    room = play_to(Courtroom(tmp_path / "office"), "comment")
    office, case = room.office, room.hearing.case
    assert case.request is not None
    sealed = bytes(ENCAPSULATED_BYTES + 16_400)
    path, by = f"/v1/sealed/{case.request}", SignedBy(room.drawn, lambda: office.now)
    (shown,) = (one.digest for one in room.hearing.told if one.kind is Kind.DISPUTE_DISCLOSURE)
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):

        def put(body: bytes) -> httpx.Response:
            sender = SignedBy(office.people.freelancer, lambda: office.now)
            octets = {"content-type": "application/octet-stream"}
            return client.put(path, auth=sender, content=body, headers=octets)

        asked = Statement.parse(office.verifier.services.reader.request(case.request).body)
        assert office.verifier.services.hearings.is_in_case(asked)
        assert put(sealed).status_code == 204
        assert client.get(path, auth=by).content == sealed
        room.hearing.act(Role.FREELANCER, Act.CLAW_BACK, cites=(shown,), text="by mistake")
        refused = client.get(path, auth=by)
        assert (refused.status_code, b"was taken back" in refused.content) == (404, True)
        assert office.verifier.services.mailbox.get(case.request) == sealed
        assert put(sealed).status_code == 204
        room.hearing.act(Role.CLIENT, Act.WITHDRAW)
        # Before its bytes are looked at.
        for refused in (client.get(path, auth=by), put(sealed), put(b"no sealed package")):
            assert (refused.status_code, b"is over" in refused.content) == (404, True)
        assert not office.verifier.services.hearings.is_in_case(asked)
    office.close()


class Watched(Doors):
    """Doors that remember what came through them."""

    def __init__(self, **bounds: Any) -> None:
        super().__init__(**bounds)
        self.in_case: list[bool] = []

    def enter(self, arrival: Arrival, name: bytes, *, in_case: bool) -> None:
        self.in_case.append(in_case)
        super().enter(arrival, name, in_case=in_case)


def test_what_is_sealed_in_a_case_has_places_that_others_cannot_take(tmp_path: Path) -> None:
    """Half of two: one package beside a case lies there, and no second one."""
    room = play_to(Courtroom(tmp_path / "office"), "comment")
    office, request = room.office, room.hearing.case.request
    assert request is not None
    settings = office.verifier.settings
    mailbox = Mailbox(FakeClock(), count=2, total=settings.mailbox_mib * MIB, ttl_ms=1_000)
    office.verifier.services = replace(office.verifier.services, mailbox=mailbox)
    for word in (b"one", b"two"):
        with suppress(RefusedError):
            mailbox.put(Digest.of(word), word, b"x")
    with LiveServer(office) as live, httpx.Client(base_url=live.url, timeout=30) as client:
        live.app.state.sealing = doors = Watched(most_bytes=MIB)
        sender = SignedBy(office.people.freelancer, lambda: office.now)
        sealed, octets = bytes(MIN_SEALED_BYTES), {"content-type": "application/octet-stream"}
        path = f"/v1/sealed/{request}"
        told = client.put(path, auth=sender, content=sealed, headers=octets)
    assert (told.status_code, mailbox.get(request)) == (204, sealed)
    assert doors.in_case == [True]
    assert mailbox.get(Digest.of(b"one")) == b"x"
    with pytest.raises(RefusedError, match="no package waits"):
        mailbox.get(Digest.of(b"two"))
    office.close()
