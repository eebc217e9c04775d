"""Client and arbitrator as they type at a real verifier whose clock a test turns.

The freelancer and the operator are played by `Hearing`; what the commands log, it follows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.hearings import Hearing
from support.office import LiveServer, Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import START, seeded
from workseal_protocol.cli.acting import split_case
from workseal_protocol.cli.seeds import write_seed
from workseal_protocol.commitment import ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, Parties
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import read_record
from workseal_protocol.statement import Statement

DAY_MS = 86_400_000
SECOND = bytes(range(32, 64))
Typed = Callable[..., Any]


class Bench:
    """Hold the verifier, its people's key files, and one case."""

    def __init__(self, office: Office, url: str, folder: Path, run: Typed) -> None:
        self.office, self.url, self.folder, self._run = office, url, folder, run
        keys = (office.people.arbitrator.public_key, SeedSigner(SECOND).public_key)
        # So many captures that a sample can be drawn of them, whatever the beacon says.
        self.agent = ScriptedAgent(
            office, terms=office.terms(arbitrators=keys, capture_rate=49_152)
        )
        self.agent.open_session()
        self.agent.work(300_000)
        self.agent.send()
        self.hearing = Hearing(office, self.agent.engagement, self.agent.terms)
        self.hearing.arbitrators = (office.people.arbitrator, SeedSigner(SECOND))
        self.parties = Parties.of(self.agent.terms)
        for name, seed in (
            ("client", seeded(office.seed, "party", "client")),
            ("freelancer", seeded(office.seed, "party", "freelancer")),
            ("arbitrator 1", seeded(office.seed, "party", "arbitrator")),
            ("arbitrator 2", SECOND),
        ):
            write_seed(folder / name, seed)

    @property
    def case(self) -> Case:
        return self.hearing.case

    @property
    def name(self) -> str:
        return str(self.case.case)

    def turn(self, ms: int) -> None:
        """Turn the clock, and let the operator commit to the values of the days to come."""
        self.office.now = ms
        self.office.verifier.housekeeping.keep()

    def key(self, who: str) -> Path:
        """Give the key file of a person; `arbitrator` is the one who was drawn."""
        if who == "arbitrator":
            number = self.hearing.arbitrators.index(self.hearing.signer_of(Role.ARBITRATOR)) + 1
            return self.folder / f"arbitrator {number}"
        return self.folder / who

    def run(self, who: str, command: str, *words: object) -> Any:
        """Type a command of `workseal case` with this person's key."""
        return self._run("case", command, *words, "--from", self.url, "--key", self.key(who))

    def file(self, *words: object) -> Any:
        """File as the client; the words stand for details."""
        number = self.agent.engagement.hex()
        said = ("--text", "nothing came of it", "--amount", "480.00", "--yes")
        done = self.run(
            "client", "file", "not-worked", "--engagement", number,
            "--begin", "2026-03-02", "--end", "2026-03-04", *said, *words,
        )  # fmt: skip
        if done.code == 0:
            self.follow(bytes.fromhex(done.out.split()[-1]))
        return done

    def act(self, who: str, act: str, *words: object) -> Any:
        """Act, without being asked."""
        done = self.run(who, "act", act, self.name, *words, "--yes")
        if done.code == 0:
            self.follow()
        return done

    def openings(self, most: int) -> bytes:
        """Open the activity of the first segments that were worked, for so many at most."""
        active = [one for one in self.agent.openings if one.kind is ValueKind.ACTIVITY]
        return b"".join(one.encode() for one in active[:most])

    def follow(self, filing: bytes | None = None) -> None:
        """Take over the case as the log has it."""
        name = self.case.case if filing is None else Digest(filing)
        data = b"".join(self.office.verifier.services.hearings.statements(name))
        first, *rest = split_case(data)
        case = Case.begin(
            first,
            _at(first),
            terms=self.agent.terms,
            released=self.hearing._released,
            parties=self.parties,
        )
        for statement in rest:
            case = case.after(statement, max(case.known_at, _at(statement)))
        self.hearing._case = case
        self.hearing.told = [first, *rest]


@contextmanager
def bench(folder: Path, run: Typed) -> Iterator[Bench]:
    """Serve a verifier in which somebody has worked; three days later nobody has filed yet."""
    office = Office(new_home(folder)).open()
    office.now = START
    try:
        with LiveServer(office) as live:
            made = Bench(office, live.url, folder, run)
            made.turn(START + 3 * DAY_MS)
            yield made
    finally:
        office.close()


def _at(statement: Statement) -> int:
    return read_record(statement).claimed_at
