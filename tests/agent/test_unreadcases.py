"""Which cases run, as a real verifier lists them, and as one may that lies."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.builders import digest
from support.freelanced import Freelancer, at_a_bench
from support.hearings import Hearing
from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.unreadcases import ENDED, running_cases
from workseal_protocol.dispute import CLOSED, State
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, KeyRevoke, RevocationReason, sign


@pytest.fixture
def freelancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    with at_a_bench(tmp_path, monkeypatch) as made:
        yield made


def test_a_case_runs_from_its_filing_to_its_end(freelancer: Freelancer) -> None:
    court = freelancer.court
    assert running_cases(freelancer.client, freelancer.engagement) == {freelancer.name}
    court.office.now += 1_000
    own = Hearing(court.office, court.agent.engagement, court.agent.terms).file(Role.FREELANCER)
    both = {freelancer.name, own.case.case}
    assert running_cases(freelancer.client, freelancer.engagement) == both
    court.hearing.act(Role.CLIENT, Act.WITHDRAW)
    assert running_cases(freelancer.client, freelancer.engagement) == {own.case.case}


def test_cases_of_another_engagement_are_not_meant(freelancer: Freelancer) -> None:
    other = replace(freelancer.engagement, id=bytes(16))
    assert running_cases(freelancer.client, other) == frozenset()


def test_only_who_shows_the_key_is_told(freelancer: Freelancer) -> None:
    url, now_ms = freelancer.court.url, freelancer.client.now_ms
    stranger = SeedSigner(bytes(range(32)))
    for client in (
        VerifierClient(url, now_ms=now_ms),
        VerifierClient(url, signer=stranger, now_ms=now_ms),
    ):
        with client, pytest.raises(RefusedError, match="unproven"):
            running_cases(client, freelancer.engagement)


def test_a_key_that_has_ended_is_told_nothing(freelancer: Freelancer) -> None:
    now, key = freelancer.court.office.now, freelancer.signer.public_key.thumbprint
    revoke = KeyRevoke(claimed_at=now, key=key, reason=RevocationReason.RETIRED)
    freelancer.court.office.post([sign(revoke, freelancer.signer)])
    with pytest.raises(RefusedError, match="unproven"):
        running_cases(freelancer.client, freelancer.engagement)


def test_what_is_called_ended_is_what_the_protocol_closes() -> None:
    assert {one.value for one in (*CLOSED, State.SEALED, State.PURGED)} == ENDED


# A verifier that says what a test likes.


class Told:
    """Hold pages, one after the other, and what they were asked for with."""

    def __init__(self, *pages: object) -> None:
        self.pages = list(pages)
        self.asked: list[str | None] = []

    def cases(self, before: str | None = None) -> bytes:
        self.asked.append(before)
        page = self.pages[min(len(self.asked), len(self.pages)) - 1]
        return page if isinstance(page, bytes) else json.dumps(page).encode()


def told(freelancer: Freelancer, *pages: object) -> tuple[Any, Told]:
    verifier = Told(*pages)
    return running_cases(verifier, freelancer.engagement), verifier  # type: ignore[arg-type]


def page(*cases: object, before: str | None = None) -> dict[str, Any]:
    return {"cases": list(cases), "before": before}


def one(engagement: bytes, name: str, state: str = "answer") -> dict[str, Any]:
    return {"case": str(digest(name)), "engagement": engagement.hex(), "state": state}


def test_pages_are_read_until_one_has_the_engagement(freelancer: Freelancer) -> None:
    number, other = freelancer.engagement.id, one(bytes(16), "of another one")
    pages = (
        page(other, before="0-9"),
        page(before="0-7"),
        page(one(number, "a"), one(number, "b", "final"), before="0-5"),
        page(one(number, "c")),
    )
    found, verifier = told(freelancer, *pages)
    assert found == {digest("a")}
    assert verifier.asked == [None, "0-9", "0-7"]
    found, verifier = told(freelancer, pages[0], page())
    assert (found, verifier.asked) == (frozenset(), [None, "0-9"])
    # Whoever names a person in thousands of agreements keeps no answer from its end.
    found, verifier = told(freelancer, pages[0])
    assert (found, len(verifier.asked)) == (frozenset(), 32)


def test_a_state_that_nobody_knows_is_one_of_a_running_case(freelancer: Freelancer) -> None:
    number = freelancer.engagement.id
    assert told(freelancer, page(one(number, "a", "mediation")))[0] == {digest("a")}


GOOD = one(bytes(16), "a")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param([], id="no page"),
        pytest.param({"cases": []}, id="no word of what follows"),
        pytest.param({"cases": {}, "before": None}, id="no list"),
        pytest.param(page(before="1&x=y"), id="a mark that is none"),
        pytest.param(page(7), id="no case"),
        pytest.param(page(GOOD | {"case": "F" * 64}), id="no digest"),
        pytest.param(page(GOOD | {"case": None}), id="no name"),
        pytest.param(page(GOOD | {"engagement": 7}), id="no engagement"),
        pytest.param(page(GOOD | {"state": {}}), id="no state"),
    ],
)
def test_an_answer_of_no_form_is_none(freelancer: Freelancer, answer: object) -> None:
    with pytest.raises(UnreachableError, match="not in the right form"):
        told(freelancer, answer)
