"""The acts that no easy case needs: a longer time, another person, a pause, an appeal, the end."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.court import DAY_MS, Bench, bench
from workseal_protocol.cli.acting import CaseFolder, command, keeping
from workseal_protocol.cli.acting.verifier import CaseVerifier
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.seeds import read_case_key, write_case_key, write_seed
from workseal_protocol.cli.server import RefusalError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, Delivery, DisputeAct, KeyRotate, read_record, sign
from workseal_protocol.sealing import case_public
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.publishedengagement import WAIT_MS

from .conftest import Run

HOURS = ("--begin", "2026-03-02", "--end", "2026-03-02")
SAID = ("--verdict", "in-part", "--amount", "120.00", "--text", "half of it was work")
NEW = bytes(range(64, 96))


@pytest.fixture
def court(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench(tmp_path, run) as made:
        monkeypatch.setattr(time, "time_ns", lambda: made.office.now * 1_000_000)
        yield made


def done(court: Bench, who: str, act: str, *words: object) -> str:
    ended = court.act(who, act, *words)
    assert ended.code == 0, ended.err
    return str(ended.out)


def refused(court: Bench, says: str, who: str, act: str, *words: object) -> None:
    head = court.case.head
    ended = court.run(who, "act", act, court.name, *words, "--yes")
    assert (ended.code, says in ended.err) == (1, True), ended
    court.follow()
    assert court.case.head == head


def both(court: Bench, act: str, *words: object) -> None:
    for who in ("client", "freelancer"):
        done(court, who, act, *words)


def standing(court: Bench, state: State) -> None:
    assert court.case.state is state
    shown = court.run("client", "show", court.name, "--json").out
    # Nothing of other people's words reaches a terminal as it is.
    assert shown.isascii()
    told = json.loads(shown)
    assert (told["state"], told["head"]) == (state.value, str(court.case.head))


def drawn(court: Bench, who: str = "client") -> None:
    """Draw, and let the one who was drawn take the case."""
    court.turn((court.case.panel_round + 1) * court.office.round_ms)
    done(court, who, "draw")
    done(court, "arbitrator", "declare", "--text", "no ties", "--calendar", "DE-BY")


def talked(court: Bench) -> None:
    """File, extend the time for an answer, answer, and end the talks."""
    assert court.file().code == 0
    court.hearing.act(Role.OPERATOR, Act.NOTICE, code=Delivery.TWO_CHANNELS)
    until = court.case.due
    done(court, "freelancer", "extend")
    assert court.case.due is not None
    assert until is not None
    assert court.case.due.until > until.until
    refused(court, "a second one", "freelancer", "extend")
    done(court, "freelancer", "answer", "--text", "it was written then")
    done(court, "freelancer", "end")


TRUE = CaseVerifier.submit


def answer_lost(verifier: CaseVerifier, statement: Statement, terms: Terms) -> None:
    TRUE(verifier, statement, terms)
    raise CommandError("no answer", 1)


def test_who_was_struck_and_who_recuses_sits_no_more(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    talked(court)
    drawn(court)
    first = court.case.arbitrator
    done(court, "client", "strike", "--text", "we know each other")
    refused(court, "in draw the client has no strike", "client", "strike")
    drawn(court, "freelancer")
    assert court.case.arbitrator not in {first, None}
    refused(court, "a second one", "client", "strike")
    both(court, "pass")
    done(
        court, "arbitrator", "ask", "--level", 1, "--count", 5, *HOURS,
        "--text", "was there work", "--why", "sums do not tell",
    )  # fmt: skip
    done(court, "client", "object", "--ground", "too-wide", "--text", "three would do")
    refused(court, "a second one", "client", "object", "--ground", "too-wide", "--text", "again")
    done(court, "freelancer", "pass")
    narrowed = ("--ruling", "narrow", "--text", "three do")
    refused(court, "a smaller count", "arbitrator", "rule", *narrowed, "--count", 5)
    refused(court, "a smaller count", "arbitrator", "rule", *narrowed)
    done(court, "arbitrator", "rule", *narrowed, "--count", 3)
    assert court.case.ask is not None
    assert court.case.ask.granted == 3
    assert court.case.due is not None
    before = court.case.due.until
    done(court, "arbitrator", "stay", "--ground", "illness", "--end", "2026-03-20", "--text", "ill")
    standing(court, State.STAYED)
    refused(court, "stayed", "freelancer", "withhold", "--ground", "privilege", "--text", "x")
    court.turn(court.office.now + 3 * DAY_MS)
    done(court, "arbitrator", "resume", "--text", "well again")
    standing(court, State.DISCLOSURE)
    assert court.case.due.until >= before + 3 * DAY_MS
    # Who leaves the seat reads the case no more; by a lost answer, too, it is said once.
    words = ("recuse", court.name, "--text", "a new tie came up", "--yes")
    who = court.key("arbitrator").name
    with monkeypatch.context() as patch:
        patch.setattr(CaseVerifier, "submit", answer_lost)
        assert court.run(who, "act", *words).code == 1
    again = court.run(who, "act", *words)
    assert (again.code, "you sit in this case no more" in again.out) == (0, True), again
    assert not list(Path(f"{court.key(who)}.cases").glob("*.unanswered"))
    court.follow()
    # Nobody of the panel is left, so nobody decides.
    standing(court, State.UNDECIDED)


def test_an_appeal_goes_to_another_person_and_at_the_end_the_key_is_destroyed(
    court: Bench,
) -> None:
    talked(court)
    drawn(court)
    both(court, "pass")
    former = court.key("arbitrator")
    done(court, "arbitrator", "draft", *SAID, "--cite", court.name)
    both(court, "pass")
    done(court, "arbitrator", "decide", *SAID, "--cite", court.name)
    decided = court.case.decision
    done(court, "client", "appeal", "--text", "the reasons name hours that nobody saw")
    drawn(court)
    assert court.key("arbitrator") != former
    leaves(court, former)
    both(court, "pass")
    standing(court, State.REVIEW)
    done(court, "client", "comment", "--text", "as I said\u202e")
    done(court, "freelancer", "pass")
    done(court, "arbitrator", "decide", *SAID, "--cite", court.name)
    standing(court, State.FINAL)
    assert court.case.decision != decided
    assert court.case.due is not None
    court.turn(court.case.due.until + 2_000)
    court.hearing.act(Role.OPERATOR, Act.LAPSE)
    key = Path(f"{court.key('arbitrator')}.cases") / f"{court.name}.key"
    refused(court, "nothing was destroyed", "arbitrator", "destroy")
    assert court.case.due is not None
    court.turn(court.case.due.until + 2_000)
    court.hearing.act(Role.OPERATOR, Act.DESTROY)
    # Nothing is destroyed before its owner has said yes, or with words that do not fit.
    for words, says in (
        ((), "say --yes, or use a terminal"),
        (("--text", "x"), "it has no --text"),
    ):
        unsure = court.run("arbitrator", "act", "destroy", court.name, *words)
        assert (unsure.code, says in unsure.err) == (2, True), unsure
        assert key.exists()
    key.write_bytes(bytes(key.stat().st_size))
    assert "is destroyed" in done(court, "arbitrator", "destroy")
    assert not key.exists()
    standing(court, State.PURGED)


def leaves(court: Bench, former: Path) -> None:
    """Let who lost the seat destroy their key: nothing of it comes into the case."""
    key = Path(f"{former}.cases") / f"{court.name}.key"
    words = ("case", "act", "destroy", court.name[:8], "--from", court.url, "--key", former)
    whole = key.read_bytes()
    unsure = court._run(*words)
    assert (unsure.code, "say --yes, or use a terminal" in unsure.err) == (2, True), unsure
    assert key.read_bytes() == whole
    # One that was not made here for this case is nobody's to destroy.
    other = key.with_name("other.key")
    write_case_key(other, bytes(96))
    wrong = court._run(*words, "--case-key", other, "--yes")
    assert (wrong.code, "was not made for this case" in wrong.err) == (2, True), wrong
    assert other.exists()
    # A machine that stopped while the key was wiped left its zeros: they are removed as well.
    key.write_bytes(bytes(len(whole)))
    gone = court._run(*words, "--yes")
    assert (gone.code, gone.err) == (0, "")
    assert "copies are not: remove backups of the key" in gone.out
    assert not key.exists()
    told = len(court.hearing.told)
    court.follow()
    assert len(court.hearing.told) == told
    again = court._run(*words, "--yes")
    assert (again.code, "there is no" in again.err) == (1, True), again


def test_a_destruction_whose_answer_was_lost_is_sent_again(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    talked(court)
    drawn(court)
    done(court, "client", "withdraw")
    for _ in range(2):
        assert court.case.due is not None
        court.turn(court.case.due.until + 2_000)
        if court.case.state is not State.SEALED:
            court.hearing.act(Role.OPERATOR, Act.LAPSE)
    who, terms, carried = court.key("arbitrator"), court.folder / "terms", court.folder / "carried"
    terms.write_bytes(court.agent.made[0][0].encode())
    assert court.run("client", "show", court.name, "--save", carried).code == 0
    key = Path(f"{who}.cases") / f"{court.name}.key"
    offline = court._run(
        "case", "act", "destroy", "--terms", terms, "--key", who,
        "--offline", court.folder / "signed", carried,
    )  # fmt: skip
    assert (offline.code, "say --yes, or use a terminal" in offline.err) == (2, True)
    assert key.exists()
    with monkeypatch.context() as patch:
        patch.setattr(CaseVerifier, "submit", answer_lost)
        assert court.act("arbitrator", "destroy").code == 1
    assert not key.exists()
    assert "nothing new was signed" in done(court, "arbitrator", "destroy")


def test_a_key_that_came_by_rotation_acts_and_is_read(court: Bench) -> None:
    old, new = court.office.people.client, SeedSigner(NEW)
    assert court.file().code == 0
    court.hearing.act(Role.OPERATOR, Act.NOTICE)
    change = KeyRotate.make(claimed_at=court.office.now, old=old.public_key, new=new)
    court.office.post([sign(change, old)])
    pair = (old.public_key.thumbprint, new.public_key.thumbprint)
    court.parties = court.parties.succeeded(*pair)
    write_seed(court.folder / "client, new", NEW)
    court.turn(court.office.now + WAIT_MS)
    done(court, "client, new", "offer", "--amount", "1.00", "--text", "from the new key")
    # To the other party it is the client who spoke.
    shown = court.run("freelancer", "show", court.name)
    assert "client: offer -> answer" in shown.out
    done(court, "freelancer", "answer", "--text", "no")
    # What is carried away replays there: the rotation goes with it.
    carried, terms = court.folder / "carried", court.folder / "terms"
    terms.write_bytes(court.agent.made[0][0].encode())
    assert court.run("freelancer", "show", court.name, "--save", carried).code == 0
    signed = court.folder / "signed"
    ended = court._run(
        "case", "act", "end", "--terms", terms, "--key", court.key("client, new"),
        "--offline", signed, "--yes", carried,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    # The old key speaks no more: its own program is told by the verifier.
    gone = court.run("client", "act", "end", court.name, "--yes")
    assert gone.code == 1
    other = court.run(
        "client, new", "file", "not-worked", "--engagement", court.agent.engagement.hex(),
        *HOURS, "--amount", "1.00", "--text", "one more", "--yes",
    )  # fmt: skip
    assert (other.code, "one running case" in other.err or "refused" in other.err) == (1, True)
    assert "as the client" not in other.err


def test_a_filing_is_dated_when_it_is_confirmed_and_one_that_came_too_late_stops_no_other(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_slowly(*, yes: bool) -> Callable[[str], bool]:
        def confirm(_question: str) -> bool:
            court.turn(court.office.now + 120_000)
            return yes

        return confirm

    def lost(_verifier: CaseVerifier, _statement: Statement, _terms: Terms) -> None:
        raise CommandError("no answer", 1)

    monkeypatch.setattr(command, "confirmation", read_slowly)
    with monkeypatch.context() as patch:
        patch.setattr(CaseVerifier, "submit", lost)
        assert court.file().code == 1
    court.turn(court.office.now + 120_000)
    filed = court.file()
    assert (filed.code, "your earlier filing" in filed.out) == (0, True), filed.err
    assert court.case.filed_at > court.office.now - 60_000


def test_what_goes_with_a_statement_that_is_kept_stays(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command dies when the statement is on disk: the next one sends it."""
    assert court.file().code == 0
    beside, salted = court.folder / "beside", court.folder / "salted"
    beside.write_bytes(b"a mail")
    words = ("--text", "what was agreed", "--file", beside, "--salted", salted)

    def die(_folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "sync_folder", die)
        assert court.act("client", "exhibit", *words).code == 2
    assert salted.exists()
    assert "nothing new was signed" in done(court, "client", "exhibit", *words)
    shown = court.run("client", "show", court.name, "--json").out
    assert len(json.loads(shown)["statements"]) == 2
    assert len(court.case.exhibits) == 1


def refuse_what_is_logged(verifier: CaseVerifier, statement: Statement, terms: Terms) -> None:
    """Log a statement, and say that it was refused for good."""
    TRUE(verifier, statement, terms)
    raise RefusalError("the verifier refused it", 1)


def test_a_verifier_that_says_refused_of_what_it_logged_takes_no_salt_with_it(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert court.file().code == 0
    beside, salted = court.folder / "beside", court.folder / "salted"
    beside.write_bytes(b"a mail")
    words = ("--text", "what was agreed", "--file", beside, "--salted", salted)
    with monkeypatch.context() as patch:
        patch.setattr(CaseVerifier, "submit", refuse_what_is_logged)
        assert court.act("client", "exhibit", *words).code == 1
    court.follow()
    (exhibit,) = map(read_record, court.hearing.told[1:])
    assert isinstance(exhibit, DisputeAct)
    assert exhibit.value == Digest.of(salted.read_bytes()).raw
    assert salted.read_bytes()[:-16] == b"a mail"
    # The same file again is named by the same digest; another one is not written over it.
    assert "is used" in done(court, "client", "exhibit", *words)
    again = read_record(court.hearing.told[-1])
    assert isinstance(again, DisputeAct)
    assert again == replace(exhibit, claimed_at=again.claimed_at, place=again.place)
    beside.write_bytes(b"another mail")
    other = court.act("client", "exhibit", *words)
    assert (other.code, "exists already" in other.err) == (2, True)


def test_a_case_gets_a_key_of_its_own_and_one_that_nobody_has_is_removed(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    talked(court)
    court.turn((court.case.panel_round + 1) * court.office.round_ms)
    done(court, "client", "draw")
    declared = ("declare", court.name, "--text", "no ties", "--calendar", "DE-BY")
    foreign, named = court.folder / "foreign.key", court.folder / "named.key"
    write_case_key(foreign, bytes(range(96)))
    mixed = court.run("arbitrator", "act", *declared, "--case-key", foreign, "--yes")
    assert (mixed.code, "was not made for this case" in mixed.err) == (2, True), mixed
    monkeypatch.setattr(command, "confirmation", lambda **_: lambda _question: False)
    for words in ((), ("--case-key", named)):
        unsaid = court.run("arbitrator", "act", *declared, *words)
        assert (unsaid.code, "nothing was signed" in unsaid.err) == (1, True), unsaid
    folder = CaseFolder.beside(court.key("arbitrator"))
    assert not named.exists()
    assert not folder.case_key_file(court.case.case).exists()
    monkeypatch.undo()
    monkeypatch.setattr(time, "time_ns", lambda: court.office.now * 1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(CaseVerifier, "submit", refuse_unlogged)
        assert court.run("arbitrator", "act", *declared, "--case-key", named, "--yes").code == 1
    kept = named.read_bytes()
    out = done(court, "arbitrator", "declare", *declared[2:], "--case-key", named)
    assert "the key that was made for this case before is used" in out
    assert named.read_bytes() == kept
    assert court.case.sealing_key == case_public(read_case_key(named))


def refuse_unlogged(_verifier: CaseVerifier, _statement: Statement, _terms: Terms) -> None:
    raise RefusalError("the verifier refused it", 1)
