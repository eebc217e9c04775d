"""The freelancer of a bench: a ledger of their own, acting in cases as the command does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.court import Bench, bench
from support.scripted import KeptFrame
from support.scripted import disclose as show
from support.simulator import seeded
from workseal_agent.cases import OwnCases
from workseal_agent.connection import VerifierClient
from workseal_agent.disclose import Answer, Opened, Request, answer
from workseal_agent.ledger import CaptureRow, Engagement, Ledger, LedgerKey, SendState
from workseal_agent.vault import StoredFrame
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.cli.acting import CaseFolder, LiveMeans, Said, make_act
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.dispute import drawn_frames
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeRequest,
    RequestedFrame,
    read_record,
)
from workseal_protocol.statement import Kind, Statement

CASE = generate_private()


class Freelancer:
    """Hold the ledger of the freelancer of a bench, and act as the command does."""

    def __init__(self, court: Bench, folder: Path, *, joined: bool = False) -> None:
        self.court = court
        self.signer = SeedSigner(seeded(court.office.seed, "party", "freelancer"))
        bodies = {
            record.KIND: statement.encode()
            for statement, record in court.agent.made
            if record.KIND in {Kind.OFFER, Kind.ACCEPTANCE}
        }
        self.engagement = Engagement(
            court.agent.engagement, bodies[Kind.OFFER], bodies[Kind.ACCEPTANCE], court.url, ()
        )
        self.ledger = Ledger(folder / "ledger.sqlite", LedgerKey(self.signer))
        if not joined:
            with self.ledger.write() as writing:
                writing.add_engagement(self.engagement)
        self.client = VerifierClient(
            court.url, signer=self.signer, now_ms=lambda: self.court.office.now
        )
        self.cases = OwnCases(
            self.ledger,
            self.client,
            self.engagement,
            CaseFolder(folder / "cases"),
            self.signer.public_key,
        )

    @property
    def name(self) -> Digest:
        return self.court.case.case

    def signed(self, act: str, **said: Any) -> Statement:
        """Sign the next act, without sending it."""
        case = self.cases.live(self.name).case
        words = Said(**said)
        means = LiveMeans(case, words, self.cases.folder, self.cases.source)
        now_ms = self.cases.now_ms(case.known_at)
        record = make_act(case, act, words, means, by=Role.FREELANCER, now_ms=now_ms)
        return place_next(case, record, self.signer)

    def act(self, act: str, **said: Any) -> bool:
        statement = self.signed(act, **said)
        self.cases.keep(statement)
        return self.cases.send(statement)

    def state_of(self, statement: Statement) -> SendState:
        stored = self.ledger.statement(statement.digest)
        assert stored is not None
        return stored.state

    def close(self) -> None:
        self.client.close()
        self.ledger.close()


def _never(*_words: object) -> Any:
    raise AssertionError("no command is typed here")


@contextmanager
def at_a_bench(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    """Give the freelancer of a case that the client filed."""
    (folder / "verifier").mkdir()
    with bench(folder / "verifier", _never) as court:
        monkeypatch.setattr(time, "time_ns", lambda: court.office.now * 1_000_000)
        court.hearing.file()
        made = Freelancer(court, folder)
        yield made
        made.close()


class Kept:
    """Hold in memory what a vault would, as far as disclosures need it."""

    def __init__(self) -> None:
        self.secrets: dict[bytes, bytes] = {}

    def put_secret(self, name: bytes, value: bytes) -> None:
        self.secrets[name] = value

    def secret(self, name: bytes) -> bytes:
        return self.secrets[name]

    def frame(self, commitment: Digest) -> StoredFrame:
        raise AssertionError(f"no frame is read again: {commitment}")


def asked_in_case(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> tuple[Request, CaptureRow, KeptFrame]:
    """Let the arbitrator name a drawn frame at level 2."""
    court, hearing = freelancer.court, freelancer.court.hearing
    hearing.seated().ask(1).act(Role.FREELANCER, Act.SHOW).act(Role.CLIENT, Act.PASS)
    hearing.ask(2, freeze=hearing.freeze()).sampled()
    drawn = drawn_frames(hearing.case, hearing.frames())[0]
    statement = hearing.request(
        DisputeRequest(
            engagement=court.agent.engagement,
            claimed_at=court.office.now,
            frames=(RequestedFrame(drawn.segment, drawn.frame),),
            reason="the drawn one",
            sealing_key=hearing.case.sealing_key or public_of(CASE),
            answer_by=court.office.now + 1,
            place=CasePlace(hearing.case.case, hearing.case.head),
        )
    )
    frame = next(one for one in court.agent.frames if one.tree.commitment == drawn.frame)
    header = frame.tree.header
    row = CaptureRow(
        1, drawn.frame, header.round, 1, header.display, header.grid.width, header.grid.height,
        drawn.segment, withdrawn=False,
    )  # fmt: skip
    monkeypatch.setattr(Ledger, "captures", lambda *_: (row,))
    return Request(statement, read_record(statement)), row, frame  # type: ignore[arg-type]


def opened_of(row: CaptureRow, frame: KeptFrame, tiles: tuple[int, ...]) -> Opened:
    """Open tiles of a frame."""
    shown = show(frame, tiles)
    return Opened(row, shown, verify_disclosure(shown, row.commitment))


def answer_in_case(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch, tiles: tuple[int, ...] = (0,)
) -> Answer:
    """Sign what shows tiles of a frame that was named, as a program would that counts none."""
    request, row, frame = asked_in_case(freelancer, monkeypatch)
    case = freelancer.cases.disclosable(request)
    now_ms = freelancer.cases.now_ms(freelancer.court.hearing.case.known_at)
    opened = [opened_of(row, frame, tiles)]
    return answer(request, opened, freelancer.signer, now_ms=now_ms, case=case)
