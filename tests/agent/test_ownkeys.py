"""An agent's recovery key, and the end of its own key, typed against a real verifier."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.bridge import now_ms
from support.office import FakeClock, LiveServer, Office, new_home, unique
from support.typed import Done, Typed, typed_in
from workseal_agent.cli.home import Home
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.ledger import Ledger, SendState
from workseal_agent.uplink import Uplink
from workseal_protocol.cli import main as workseal
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.keyhistory import KEY_KINDS
from workseal_protocol.keys import PublicKey
from workseal_protocol.records import Offer, sign
from workseal_protocol.statement import Kind


class PresentClock(FakeClock):
    """Tell this machine's time."""

    def now_ms(self) -> int:
        return now_ms()


class Bench:
    """Hold a home, the verifiers that it knows, and what is typed."""

    def __init__(self, folder: Path, run: Typed) -> None:
        self.folder, self.run = folder, run
        self.home = folder / "home"
        assert run("init").code == 0
        key = run("status", "--public-key").out.strip()
        self.key = PublicKey.parse_text(key)
        self.offices: list[Office] = []
        self.since: list[int] = []

    def join(self, live: "Served") -> bytes:
        """Let the home accept an offer there."""
        office = live.office
        number = unique(office, self.folder)
        record = Offer(
            engagement=number,
            claimed_at=now_ms(),
            terms=office.terms(freelancer=self.key, capture_rate=0),
        )
        offer = self.folder / f"{number.hex()}.cose"
        offer.write_bytes(sign(record, office.people.client).encode())
        self.since.append(office.checkpoint().checkpoint.size)
        done = self.run("join", offer, "--verifier", live.url, "--yes")
        assert done.code == 0, done.err
        self.offices.append(office)
        return number

    @property
    def drawer(self) -> Path:
        return self.folder / "drawer"

    def name_recovery(self) -> Done:
        return self.run("recovery-key", self.drawer, "--yes")

    def label(self, text: str) -> None:
        """Sign something in the chain, and try to send it."""
        day = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
        hours = ("--begin", f"{day}T09:00", "--end", f"{day}T10:00")
        done = self.run("label", text, *hours)
        assert done.code == 0, done.err

    def kinds(self, number: int = 0) -> list[Kind]:
        """List the kinds of what was logged at a verifier since the home came to it."""
        told = list(self.offices[number].verifier.records.all())[self.since[number] :]
        return [Kind(one.kind) for one in told]

    def said(self, number: int = 0) -> list[Kind]:
        """List those of what was said of keys."""
        return [kind for kind in self.kinds(number) if kind in KEY_KINDS]

    def unanswered(self) -> list[Path]:
        return list(self.home.glob("*.unanswered"))


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Typed:
    return typed_in(tmp_path / "home", monkeypatch, capfd)


class Served(LiveServer):
    """Serve an office that tells this machine's time."""

    def __init__(self, folder: Path, seed: bytes) -> None:
        self.office = Office(new_home(folder), seed=seed, clock=PresentClock(now_ms())).open()
        super().__init__(self.office)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.office.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("verifier"), b"one") as live:
        yield live


@pytest.fixture
def bench(tmp_path: Path, run: Typed, live: Served) -> Bench:
    bench = Bench(tmp_path, run)
    bench.join(live)
    return bench


def lose_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verifier log what it is sent, and the next answer be lost."""
    real, left = VerifierClient.submit, [1]

    def submit(self: VerifierClient, *given: Any) -> bytes:
        answer = real(self, *given)
        if left[0]:
            left[0] -= 1
            raise UnreachableError("no answer")
        return answer

    monkeypatch.setattr(VerifierClient, "submit", submit)


def test_a_recovery_key_ends_the_key_of_a_machine_that_is_gone(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    done = bench.name_recovery()
    assert (done.code, done.err) == (0, "")
    recovery = read_signer(bench.drawer).public_key.thumbprint
    assert bench.drawer.stat().st_mode & 0o777 == 0o600
    assert bench.drawer.read_text().split(":")[1].strip() not in done.out
    assert f"may be revoked by {recovery}" in bench.run("keys").out
    bench.label("before")
    # On another machine: the line that was printed, with what lies in the drawer.
    line = shlex.split(done.out.splitlines()[-1])
    assert workseal([*line[1:], "--yes"]) == 0
    assert "proved by the log" in capfd.readouterr().out
    # What is recorded with the old key is kept, refused, and shown.
    bench.label("after")
    bench.run("send")
    told = bench.run("status").out
    assert "parked: evidence" in told
    assert "a key that has ended (unknown-party)" in told
    ledger = Ledger(bench.home / "ledger.sqlite")
    (engagement,) = ledger.engagements()
    assert len(list(ledger.statements(engagement.id, SendState.PARKED))) == 1


def test_a_key_is_ended_as_the_last_thing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as offline:
        offline.setattr(Uplink, "drain", lambda *_: False)
        bench.label("the last")
    assert Kind.EVIDENCE not in bench.kinds()
    done = bench.run("revoke-key", "--reason", "retired", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "nobody can undo it" in done.out
    assert "never will be" not in done.out  # it was sent first
    assert bench.kinds()[-2:] == [Kind.EVIDENCE, Kind.KEY_REVOKE]
    assert "nothing is exported or fetched with it any more: do that first" in done.out
    assert bench.run("export", bench.folder / "late").code == 1
    shown = bench.run("keys")
    assert (shown.code, "one that has ended reads nothing" in shown.err) == (1, True)
    again = bench.run("revoke-key", "--reason", "compromised", "--yes")
    assert (again.code, "has ended already" in again.err) == (1, True)
    assert bench.said() == [Kind.KEY_REVOKE]
    assert bench.unanswered() == []


def test_what_no_log_will_have_is_told_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Uplink, "drain", lambda *_: False)
    bench.label("never sent")
    (engagement,) = Ledger(bench.home / "ledger.sqlite").engagements()
    done = bench.run("revoke-key", "--reason", "retired", lines=("n",))
    assert (done.code, "nothing was signed" in done.err) == (1, True)
    assert f"1 statement of engagement {engagement.id.hex()} is not in the log" in done.out
    assert bench.said() == []


def test_an_answer_that_was_lost_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, kinds in (
        (("recovery-key", bench.drawer), [Kind.KEY_ANNOUNCE] * 2),
        (("revoke-key", "--reason", "retired"), [Kind.KEY_REVOKE]),
    ):
        before = bench.said()
        lose_answers(monkeypatch)
        lost = bench.run(*words, "--yes")
        assert lost.code == 1
        assert "it is kept, and the same command sends it again" in lost.err
        assert len(bench.unanswered()) == 1
        done = bench.run(*words)  # confirmed before
        assert (done.code, done.err) == (0, "")
        assert "sent what you signed before" in done.out
        assert bench.said() == before + kinds
        assert bench.unanswered() == []


def test_every_verifier_of_the_home_is_told(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Served(tmp_path_factory.mktemp("other"), b"two") as live:
        said_at_both(bench, live)


def said_at_both(bench: Bench, live: Served) -> None:
    number = bench.join(live)
    one = bench.run("--engagement", number.hex(), "recovery-key", bench.drawer, "--yes")
    assert one.code == 0, one.err
    assert (bench.said(0), len(bench.said(1))) == ([], 2)
    # The other one has it now, too, and that it was named at the first stops nothing.
    both = bench.name_recovery()
    assert (both.code, len(bench.said(0)), len(bench.said(1))) == (1, 2, 2)
    assert f"at {live.url}: key {bench.key.thumbprint} was announced here before" in both.out
    assert "not done at 1 of your verifiers" in both.err
    assert bench.run("revoke-key", "--reason", "compromised", "--yes").code == 0
    assert [bench.said(n)[2:] for n in (0, 1)] == [[Kind.KEY_REVOKE]] * 2


def test_a_recovery_key_is_named_once(bench: Bench) -> None:
    assert bench.name_recovery().code == 0
    bench.drawer.rename(bench.folder / "first")
    refused = bench.name_recovery()
    assert (refused.code, "was announced here before" in refused.err) == (1, True)
    # A key that no log has is of no use, and would be taken for one that ends something.
    assert not bench.drawer.exists()
    assert (bench.folder / "first").exists()


def test_a_recovery_key_never_lies_in_the_home(bench: Bench) -> None:
    for place in (bench.home / "drawer", bench.home / "vault" / ".." / "drawer"):
        done = bench.run("recovery-key", place, "--yes")
        assert (done.code, "outside this agent's home" in done.err) == (2, True)
    assert not (bench.home / "drawer").exists()
    link = bench.folder / "link"
    link.symlink_to(bench.home)
    assert bench.run("recovery-key", link / "drawer", "--yes").code == 2
    assert bench.said() == []


def test_nothing_is_signed_unasked(bench: Bench) -> None:
    for words in (("recovery-key", bench.drawer), ("revoke-key", "--reason", "retired")):
        done = bench.run(*words, lines=("n",))
        assert (done.code, "nothing was signed" in done.err) == (1, True)
    assert (bench.said(), bench.drawer.exists()) == ([], False)


def test_a_key_is_not_ended_under_a_recording(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Home, "recorded", lambda _: "00")
    done = bench.run("revoke-key", "--reason", "retired", "--yes")
    assert (done.code, "`workseal-agent stop` first" in done.err) == (1, True)
    assert bench.said() == []
