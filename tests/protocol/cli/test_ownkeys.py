"""A key's recovery key, its end and its replacement, typed against a real verifier."""

import os
import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.office import LiveServer, Office, new_home, unique
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START, seeded
from support.typed import Terminal
from workseal_protocol.cli import server
from workseal_protocol.cli.ownkeys.drawer import keep_policy
from workseal_protocol.cli.ownkeys.keeping import Unanswered
from workseal_protocol.cli.ownkeys.making import announcements, named_key, revocation, rotation
from workseal_protocol.cli.ownkeys.sending import says_the_same
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.program import ownkeys as described
from workseal_protocol.cli.seeds import read_signer, write_seed
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import Offer, RevocationReason, sign
from workseal_protocol.statement import Kind
from workseal_verifier.errors import RefusedError

from .conftest import Outcome, Run

DAY_MS = 86_400_000
DRAWER = ["drawer", "drawer.policy"]
KINDS = {Kind.KEY_ANNOUNCE, Kind.KEY_REVOKE, Kind.KEY_ROTATE}


class Bench:
    """Hold a verifier, the parties' key files, and what they type."""

    def __init__(self, office: Office, url: str, folder: Path, run: Run) -> None:
        self.office, self.url, self.folder, self._run = office, url, folder, run
        self.agent = ScriptedAgent(office, terms=office.terms())
        for name in ("client", "freelancer", "arbitrator"):
            write_seed(folder / name, seeded(office.seed, "party", name))
        (folder / "policy").write_text(TrustPolicy(office.policy).encode())

    def type(self, *words: object) -> Outcome:
        """Run one command at the verifier, with the client's policy."""
        name, *rest = words
        return self._run(name, self.url, "--policy", self.folder / "policy", *rest)

    def name_recovery(self, who: str = "client") -> Outcome:
        return self.type(
            "recovery-key", "--key", self.folder / who, "--recovery", self.folder / "drawer",
            "--role", who, "--yes",
        )  # fmt: skip

    def revoke(self, file: str, *words: object) -> Outcome:
        key = self.folder / file
        return self.type("revoke-key", "--key", key, "--reason", "lost", "--yes", *words)

    def rotate(self, file: str, new: str) -> Outcome:
        paths = ("--key", self.folder / file, "--new", self.folder / new)
        return self.type("rotate-key", *paths, "--yes")

    def keys(self, who: str) -> Outcome:
        number = self.agent.engagement.hex()
        return self._run("keys", self.url, "--engagement", number, "--key", self.folder / who)

    def thumbprint(self, file: str) -> str:
        return str(read_signer(self.folder / file).public_key.thumbprint)

    def said(self) -> list[Kind]:
        """List the kinds of what the log has about keys."""
        told = (one.kind for one in self.office.verifier.records.all())
        return [Kind(kind) for kind in told if Kind(kind) in KINDS]

    def left(self) -> list[str]:
        """List what lies in the folder besides the parties' keys and the policy."""
        names = {path.name for path in self.folder.iterdir()}
        return sorted(names - {"client", "freelancer", "arbitrator", "policy", "home"})


@pytest.fixture
def bench(tmp_path: Path, run: Run) -> Iterator[Bench]:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    with LiveServer(office) as live:
        yield Bench(office, live.url, tmp_path, run)
    office.close()


def lose_answers(monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Let the verifier log what it is sent, and its answer be lost."""
    real, left = server.ask, [times]

    def asked(address: object, method: str, *rest: object, **more: object) -> bytes:
        answer = real(address, method, *rest, **more)  # type: ignore[arg-type]
        if method == "POST" and left[0]:
            left[0] -= 1
            raise CommandError("no answer from 127.0.0.1 (TimeoutError)", 1)
        return answer

    monkeypatch.setattr(server, "ask", asked)


def test_a_stolen_key_is_ended_by_its_recovery_key(bench: Bench) -> None:
    named = bench.name_recovery()
    assert (named.code, named.err) == (0, "")
    drawer = bench.folder / "drawer"
    assert drawer.stat().st_mode & 0o777 == 0o600
    assert drawer.read_text().split(":")[1].strip() not in named.out
    assert f"may be revoked by {bench.thumbprint('drawer')}" in bench.keys("freelancer").out
    # The key's own file is not needed, and not there.
    key = bench.thumbprint("client")
    (bench.folder / "client").rename(bench.folder / "stolen")
    ended = bench.revoke("drawer", "--of", key)
    assert (ended.code, ended.err) == (0, "")
    assert f"key {key} ends at {bench.url}" in ended.out
    assert "nobody can undo it" in ended.out
    assert "  ended, index " in bench.keys("freelancer").out
    # Who has it is refused from now on, and reads nothing.
    again = Offer(
        engagement=unique(bench.office, "thief"),
        claimed_at=bench.office.now,
        terms=bench.office.terms(),
    )
    with pytest.raises(RefusedError):
        bench.office.post([sign(again, bench.office.people.client)])
    assert bench.keys("stolen").code == 1


def test_the_line_that_is_printed_ends_the_key(bench: Bench, run: Run) -> None:
    program, *line = shlex.split(bench.name_recovery().out.splitlines()[-1])
    assert program == "workseal"
    # Of this machine it needs nothing but what lies in the drawer.
    for name in ("client", "policy"):
        (bench.folder / name).unlink()
    done = run(*line, "--yes")
    assert (done.code, done.err) == (0, "")


def test_work_by_a_key_that_was_ended_is_refused(bench: Bench) -> None:
    bench.agent.open_session()
    bench.agent.work(2 * ROUND_MS)
    bench.agent.send()
    assert bench.revoke("freelancer").code == 0
    bench.agent.work(2 * ROUND_MS)
    with pytest.raises(RefusedError, match="not a party who may say this here"):
        bench.agent.send()


def test_a_second_revocation_says_that_the_key_has_ended(bench: Bench) -> None:
    assert bench.name_recovery().code == 0
    assert bench.revoke("client").code == 0
    for words in (("client",), ("drawer", "--of", bench.thumbprint("client"))):
        bench.office.now += 1_000
        again = bench.revoke(*words)
        assert again.code == 1
        assert "has ended already: it was rotated or revoked before" in again.err
        assert again.err.count("\n") == 1
    assert bench.said().count(Kind.KEY_REVOKE) == 1
    assert bench.left() == DRAWER


@pytest.mark.parametrize("announced", [True, False])
def test_another_key_ends_nothing(bench: Bench, *, announced: bool) -> None:
    assert bench.name_recovery().code == 0
    write_seed(bench.folder / "other", bytes(32))
    if announced:
        done = bench.type(
            "recovery-key", "--key", bench.folder / "freelancer",
            "--recovery", bench.folder / "other", "--role", "freelancer", "--yes",
        )  # fmt: skip
        assert done.code == 0
    refused = bench.revoke("other", "--of", bench.thumbprint("client"))
    assert refused.code == 1
    assert "expected the key itself, or the recovery key that it named" in refused.err
    assert bench.thumbprint("other") in refused.err
    assert Kind.KEY_REVOKE not in bench.said()
    assert "ended" not in bench.keys("freelancer").out


@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_that_was_lost_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    lose_answers(monkeypatch, times)
    for _ in range(times):
        lost = bench.name_recovery()
        assert lost.code == 1
        assert "it is kept, and the same command sends it again" in lost.err
    assert bench.said() == [Kind.KEY_ANNOUNCE] * 2
    bench.office.now += 1_000  # what is signed now has other bytes
    done = bench.name_recovery()
    assert (done.code, done.err) == (0, "")
    assert "sent what you signed before" in done.out
    lose_answers(monkeypatch, times)
    for _ in range(times):
        assert bench.revoke("client").code == 1
    bench.office.now += 1_000
    done = bench.revoke("client")
    assert (done.code, done.err) == (0, "")
    assert bench.said() == [Kind.KEY_ANNOUNCE] * 2 + [Kind.KEY_REVOKE]
    assert bench.left() == DRAWER


def test_a_key_is_replaced_and_its_successor_waits(bench: Bench) -> None:
    assert bench.name_recovery().code == 0
    (bench.folder / "client.cases").mkdir()
    done = bench.rotate("client", "client2")
    assert (done.code, done.err) == (0, "")
    assert (bench.folder / "client2").stat().st_mode & 0o777 == 0o600
    assert f"name the folder {bench.folder / 'client2'}.cases now" in done.out
    shown = bench.keys("freelancer").out
    assert "  replaced another one, index " in shown
    assert "  WAITS: reads from " not in shown  # the verifier's time here is long past
    waits = bench.keys("client2")
    assert (waits.code, "waiting" in waits.err) == (1, True)
    bench.office.now += DAY_MS
    assert bench.keys("client2").code == 0
    # And the recovery key that the old one named ends it.
    assert bench.revoke("drawer", "--of", bench.thumbprint("client2")).code == 0
    assert bench.keys("client2").code == 1


def test_a_key_that_ended_is_not_replaced(bench: Bench) -> None:
    assert bench.revoke("client").code == 0
    refused = bench.rotate("client", "client2")
    assert (refused.code, "has ended already" in refused.err) == (1, True)
    # A key that the log refused is of no use, and would be taken for one that it has.
    assert bench.left() == []


def test_a_recovery_key_is_named_once(bench: Bench) -> None:
    assert bench.name_recovery().code == 0
    (bench.folder / "drawer").rename(bench.folder / "first")
    refused = bench.name_recovery()
    assert (refused.code, "was announced here before" in refused.err) == (1, True)
    assert bench.left() == ["drawer.policy", "first"]


def test_nothing_is_signed_unasked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    key = bench.folder / "client"
    revoke = ("revoke-key", "--key", key, "--reason", "retired")
    name = ("recovery-key", "--key", key, "--recovery", bench.folder / "d", "--role", "client")
    for words in (revoke, name):
        done = bench.type(*words)
        assert (done.code, "nothing was signed" in done.err) == (2, True)
    monkeypatch.setattr(sys, "stdin", Terminal())
    for answer, code in (("n", 1), ("y", 0)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert bench.said() == []
        assert bench.type(*revoke).code == code
    assert bench.left() == []


def test_what_cannot_be_meant_is_refused_before_anything_is_made(bench: Bench) -> None:
    key = bench.folder / "client"
    role = ("--role", "client", "--yes")
    for words in (
        ("recovery-key", "--key", key, "--recovery", key, *role),
        ("rotate-key", "--key", key, "--new", key, "--yes"),
        ("revoke-key", "--key", key, "--of", "x" * 200, "--reason", "lost", "--yes"),
        ("revoke-key", "--key", key, "--reason", "stolen", "--yes"),
        ("recovery-key", "--key", key, "--recovery", bench.folder / "policy", *role),
    ):
        done = bench.type(*words)
        assert (done.code, done.out) == (2, ""), words
        assert done.err.count("\n") == 1
    assert (bench.said(), bench.left()) == ([], [])


def test_another_log_than_that_of_the_policy_is_not_believed(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Office(new_home(tmp_path_factory.mktemp("other")))
    (bench.folder / "policy").write_text(TrustPolicy(other.policy).encode())
    done = bench.revoke("client")
    assert done.code == 1
    assert "does not show that the key.revoke is in the log" in done.err
    # It may be logged, so it is kept.
    assert len(bench.left()) == 1


def test_the_log_is_known_by_the_terms_as_well(bench: Bench, run: Run) -> None:
    offer = bench.agent.made[0][0]
    (bench.folder / "offer").write_bytes(offer.encode())
    done = run(
        "revoke-key", bench.url, "--terms", bench.folder / "offer",
        "--key", bench.folder / "client", "--reason", "retired", "--yes",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX alone")
def test_a_new_key_and_what_is_signed_are_found_after_a_power_cut(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, fsync, ask = list[str](), os.fsync, server.ask

    def noting(handle: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def sending(address: object, method: str, *rest: object, **more: object) -> bytes:
        if method == "POST":
            # The key and its folder, what is signed and its folder, and only then the network.
            assert synced == ["file", "folder"] * 2
        return ask(address, method, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", noting)
    monkeypatch.setattr(server, "ask", sending)
    assert bench.name_recovery().code == 0


# --- the parts ---

ONE, TWO, THREE = (SeedSigner(bytes([number]) * 32) for number in (1, 2, 3))


def test_a_key_is_named_by_thumbprint_or_text() -> None:
    key = ONE.public_key
    for text in (key.text(), str(key.thumbprint), str(key.thumbprint).upper()):
        assert named_key(text) == key.thumbprint
    for text in ("", "ed25519:", str(key.thumbprint)[:-1], key.text() + "A"):
        with pytest.raises(CommandError, match="expected a key: its thumbprint"):
            named_key(text)


def test_statements_are_the_same_by_what_they_do() -> None:
    def revoked(key: SeedSigner, reason: RevocationReason, now_ms: int) -> object:
        return revocation(key, key.public_key.thumbprint, reason, now_ms=now_ms)

    made = [
        (revoked(ONE, RevocationReason.LOST, 1), revoked(ONE, RevocationReason.RETIRED, 2)),
        (revoked(TWO, RevocationReason.LOST, 1),) * 2,
        tuple(announcements(ONE, TWO, Role.CLIENT, now_ms=at)[0] for at in (1, 2)),
        tuple(announcements(ONE, THREE, Role.CLIENT, now_ms=at)[0] for at in (1, 2)),
        tuple(rotation(ONE, TWO, now_ms=at) for at in (1, 2)),
        tuple(rotation(ONE, THREE, now_ms=at) for at in (1, 2)),
    ]
    for one, (first, _) in enumerate(made):
        for other, (_, second) in enumerate(made):
            assert says_the_same(first, second) is (one == other)  # type: ignore[arg-type]


def test_each_log_has_one_policy_beside_a_recovery_key(tmp_path: Path) -> None:
    logs = [Office(new_home(tmp_path / name)).policy for name in ("a", "b")]
    drawer = tmp_path / "drawer"
    for _ in range(2):
        found = [keep_policy(drawer, log) for log in logs]
        assert [path.name for path in found] == ["drawer.policy", "drawer.2.policy"]
        assert [TrustPolicy.parse(path.read_text()).tlog for path in found] == logs


def test_what_is_kept_is_for_one_key_at_one_verifier(tmp_path: Path) -> None:
    kept = Unanswered(tmp_path / "key", "https://log.example")
    assert kept.read() == ()
    both = announcements(ONE, TWO, Role.CLIENT, now_ms=1)
    kept.keep(both)
    assert kept.read() == both
    assert kept.file.stat().st_mode & 0o777 == 0o600
    for key, url in (("key", "https://other.example"), ("key2", "https://log.example")):
        assert Unanswered(tmp_path / key, url).read() == ()
    kept.file.write_bytes(kept.file.read_bytes()[:-1])
    with pytest.raises(CommandError, match=r"is damaged: what was signed is not known"):
        kept.read()
    kept.let_go()
    kept.let_go()
    assert list(tmp_path.iterdir()) == []


def test_the_words_that_are_typed_are_those_of_the_records() -> None:
    assert {one.upper() for one in described._REASONS} == set(RevocationReason.__members__)
    assert {one.upper() for one in described._ROLES} == set(Role.__members__) - {"OPERATOR"}
