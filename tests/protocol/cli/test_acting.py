"""Client and arbitrator go through a case by commands alone, at a real verifier."""

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from support.builders import make_offer
from support.court import Bench, bench
from workseal_protocol.cli.acting import DETAILS, CaseFolder, command, spelled
from workseal_protocol.cli.acting.said import GROUNDS
from workseal_protocol.cli.acting.standing import SILENCE
from workseal_protocol.cli.acting.verifier import CaseVerifier
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, KeyRevoke, KeyRotate, RevocationReason, sign
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

from .conftest import Run


@pytest.fixture
def court(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench(tmp_path, run) as made:
        monkeypatch.setattr(time, "time_ns", lambda: made.office.now * 1_000_000)
        yield made


def seated(court: Bench) -> None:
    """File, answer, end the talks, draw; the arbitrator takes the case and nobody strikes."""
    assert court.file().code == 0
    court.hearing.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    assert court.act("client", "end").code == 0
    court.turn((court.case.panel_round + 1) * court.office.round_ms)
    assert court.act("client", "draw").code == 0
    again = court.act("client", "draw")
    assert (again.code, "nobody is to be drawn now" in again.err) == (1, True)
    done = court.act("arbitrator", "declare", "--text", "no ties", "--calendar", "DE-BY")
    assert done.code == 0, done.err
    assert court.act("client", "pass").code == 0
    assert court.act("freelancer", "pass").code == 0


def standing(court: Bench) -> State:
    return court.case.state


FOREIGN = Opening(Digest(bytes(32)), ValueKind.ACTIVITY, bytes(16), b"x")
HOURS = ("--begin", "2026-03-02", "--end", "2026-03-02")


def asked(court: Bench, level: int, count: int) -> None:
    done = court.act(
        "arbitrator", "ask", "--level", level, "--count", count, *HOURS,
        "--text", "was there work in these hours", "--why", "what is known does not tell",
    )  # fmt: skip
    assert done.code == 0, done.err


def both(court: Bench, act: str, *words: object) -> None:
    for who in ("client", "freelancer"):
        done = court.act(who, act, *words)
        assert done.code == 0, done.err


def ruled(court: Bench, *words: object) -> None:
    done = court.act("arbitrator", "rule", "--ruling", "grant", "--text", "it tells", *words)
    assert done.code == 0, done.err


def sampled(court: Bench) -> None:
    """Ask for frames, let all three mix in a secret, and draw."""
    asked(court, 2, 3)
    people = ("client", "freelancer", "arbitrator")
    for who in people:
        assert court.act(who, "commit").code == 0
    both(court, "pass")
    ruled(court)
    for who in people:
        assert court.act(who, "reveal").code == 0
    again = court.act("client", "reveal")
    assert (again.code, "in the case already, and mixed into the draw" in again.err) == (1, True)
    early = court.act("client", "sample")
    assert (early.code, "too-early" in early.err) == (1, True)
    number = court.case.sample_round
    assert number is not None
    court.turn((number + 1) * court.office.round_ms)
    assert court.act("client", "sample").code == 0


def decided(court: Bench, appeal: str = "pass") -> None:
    said = ("--verdict", "in-part", "--amount", "120.00", "--text", "half of it was work")
    assert court.act("arbitrator", "draft", *said, "--cite", court.name).code == 0
    assert court.act("client", "comment", "--text", "too little").code == 0
    assert court.act("freelancer", "pass").code == 0
    assert court.act("arbitrator", "decide", *said, "--cite", court.name).code == 0
    both(court, appeal)


def check_told(out: str, court: Bench) -> None:
    """Check what a terminal says of a sample of which nothing was shown, and after a decision."""
    assert re.search(r"3 of [0-9]+ frozen frames are drawn", out)
    assert "\n0 of 3 shown: 3 of the drawn frames could be shown, and 3 were asked for.\n" in out
    assert "In plain words: if " in out
    assert "the figure above is of all" in out
    assert re.search(r"few tiles of the drawn frames .*: reached, 0 of 3 drawn shown\n", out)
    assert "a decision should come before" not in out
    announced = Role.CLIENT in court.case.calendars
    assert ("as the agreement has it: you announced no zone" in out) is not announced


def test_a_whole_case_by_commands(court: Bench) -> None:
    seated(court)
    asked(court, 1, 5)
    both(court, "pass")
    ruled(court)
    refuse_other_files(court)
    openings = court.folder / "openings"
    openings.write_bytes(court.openings(3))
    salted = court.folder / "salted"
    handed = court.act("freelancer", "show", "--file", openings, "--salted", salted)
    assert handed.code == 0, handed.err
    assert re.search(r"\nnote      it opens the activity of 3 of the [0-9]+ segments", handed.out)
    assert "of the granted hours that have it; 5 were granted\n" in handed.out
    assert salted.read_bytes()[:-16] == openings.read_bytes()
    # Whoever gets it can tell that it is that, and who cannot open it says so.
    told = court.run("arbitrator", "show", court.name).out
    assert f"SHA-256 {sha256(salted.read_bytes()).hexdigest()}\n" in told
    words = ("--cite", str(court.case.shown[0]), "--text", "no bundle")
    assert court.act("arbitrator", "unreadable", *words).code == 0
    told = court.run("freelancer", "show", court.name).out
    assert f"the arbitrator says: {court.case.shown[0]} cannot be opened\n" in told
    assert f"     cites {court.case.shown[0]}\n" in told
    assert court.act("client", "comment", "--text", "numbers").code == 0
    sampled(court)
    assert court.act("arbitrator", "request", "--text", "the drawn frames").code == 0
    assert standing(court) is State.DISCLOSURE
    why = ("--ground", "third-party-nda", "--text", "another client's")
    assert court.act("freelancer", "withhold", *why).code == 0
    assert court.act("client", "pass").code == 0
    decided(court)
    assert standing(court) is State.FINAL
    shown = court.run("client", "show", court.name)
    assert (shown.code, shown.err) == (0, "")
    check_told(shown.out, court)
    assert "amount: 120.00 EUR" in shown.out
    told = json.loads(court.run("client", "show", court.name, "--json").out)
    assert (told["state"], told["you"], told["head"]) == ("final", "client", str(court.case.head))
    assert court.case.drawn is not None
    assert told["drawn"] == list(court.case.drawn)
    # What was secret is out, so it is kept no longer.
    for who in ("client", "freelancer", "arbitrator"):
        folder = Path(f"{court.key(who)}.cases")
        assert not (folder / f"{court.name}.secret").exists()
        assert folder.stat().st_mode & 0o777 == 0o700


def offered(court: Bench, amount: str, text: str) -> str:
    """Let the freelancer offer; returns the line by which `show` says that the client accepts."""
    assert court.act("freelancer", "offer", "--amount", amount, "--text", text).code == 0
    shown = court.run("client", "show", court.name)
    assert f"\nopen offer of the freelancer: {amount} EUR" in shown.out
    line: str
    (line,) = [one.strip() for one in shown.out.splitlines() if " act accept " in one]
    assert line.startswith(f"workseal case act accept {court.name} --cite {court.case.head} ")
    return line


def test_what_is_accepted_is_the_offer_that_was_read_and_the_case_says_its_sum(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second offer comes while the first one is read: the line that was read takes no other."""
    answered(court)
    read = offered(court, "24.00", "24 and we are done")
    now = offered(court, "2400.00", "rather this")
    late = court._run(*shlex.split(read)[1:], "--yes")
    assert (late.code, late.out) == (1, "")
    assert f"expected the open offer of the other party, {court.case.head}, found" in late.err
    court.follow()
    assert standing(court) is State.NEGOTIATION
    settled = court._run(*shlex.split(now)[1:], "--yes")
    assert settled.code == 0, settled.err
    assert (
        "note      it accepts 2400.00 EUR, more than the 480.00 EUR at stake, the offer of the"
        " freelancer: rather this\n"
    ) in settled.out
    assert "a sum of this case is what the client owes the freelancer less" in settled.out
    court.follow()
    says_at_what_sum(court, monkeypatch)


def says_at_what_sum(court: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """See that whatever tells the case tells what it was settled at."""
    told = f"settled at 2400.00 EUR, by {court.case.head}\n"
    assert told in court.run("client", "show", court.name).out
    value = json.loads(court.run("client", "show", court.name, "--json").out)
    assert value["ended"] == {
        "how": "settled", "amount": 2400_00, "statement": str(court.case.head),
    }  # fmt: skip
    assert (value["offers"], "owes the freelancer less" in value["pays"]) == ([], True)
    assert {one["state"] for one in value["ladder"]} == {"reached", "not asked for"}
    # By files alone too, where nobody is asked.
    carried, terms = court.folder / "carried", court.folder / "terms"
    terms.write_bytes(court.agent.made[0][0].encode())
    assert court.run("client", "show", court.name, "--save", carried).code == 0
    assert told in court._run("case", "show", carried, "--terms", terms).out
    # The list reads what was not seen of it here, once.
    seen = Path(f"{court.key('client')}.cases") / f"{court.name}.cbor"
    seen.unlink()
    listed = court.run("client", "list").out
    assert "  at stake 480.00 EUR  settled at 2400.00 EUR\n" in listed
    assert seen.exists()
    monkeypatch.setattr(CaseVerifier, "statements", unread)
    assert court.run("client", "list").out == listed
    seen.unlink()
    unknown = court.run("client", "list")
    assert unknown.code == 0
    assert "at what sum it ended is not known: no answer" in unknown.out


def unread(_verifier: CaseVerifier, _case: Digest) -> bytes:
    raise CommandError("no answer", 1)


def refuse_other_files(court: Bench) -> None:
    """Hand over what opens nothing that was granted: nothing is signed, and no file is written."""
    head, path, salted = court.case.head, court.folder / "beside", court.folder / "salted"
    for data, code, says in (
        (b"a mail", 2, "are malformed"),
        (b"", 1, "expected openings of 1 to 5 segments of the granted hours, as ruled, found 0"),
        (court.openings(6), 1, "found 6; 'workseal-agent case openings' writes them"),
        (FOREIGN.encode(), 1, "of no statement of this record"),
    ):
        path.write_bytes(data)
        done = court.act("freelancer", "show", "--file", path, "--salted", salted)
        assert (done.code, says in done.err) == (code, True), done
        assert not salted.exists()
    court.follow()
    assert court.case.head == head


# --- what goes wrong on the way ---


class Broken:
    """Break the way to the log: `lost` before the log has it, `kept` after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mode = ""
        self.sent: list[Statement] = []
        true = CaseVerifier.submit

        def submit(verifier: CaseVerifier, statement: Statement, terms: Terms) -> None:
            self.sent.append(statement)
            if self.mode != "lost":
                true(verifier, statement, terms)
            if self.mode:
                raise CommandError("no answer", 1)

        monkeypatch.setattr(CaseVerifier, "submit", submit)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    return Broken(monkeypatch)


def answered(court: Bench) -> None:
    assert court.file().code == 0
    court.hearing.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)


@pytest.mark.parametrize("mode", ["lost", "kept"])
def test_a_lost_answer_never_makes_a_second_statement(
    court: Bench, broken: Broken, mode: str
) -> None:
    answered(court)
    words = ("--text", "half of it", "--amount", "240.00")
    broken.mode = mode
    failed = court.act("client", "offer", *words)
    assert (failed.code, "the same command sends it again" in failed.err) == (1, True)
    kept = Path(f"{court.key('client')}.cases") / f"{court.name}.unanswered"
    assert Statement.parse(kept.read_bytes()) == broken.sent[-1]
    assert kept.stat().st_mode & 0o777 == 0o600
    broken.mode = ""
    again = court.act("client", "offer", *words)
    assert (again.code, again.err) == (0, "")
    assert "nothing new was signed" in again.out
    # One statement, by the same bytes, whether or not the log had it.
    assert len({one.digest for one in broken.sent[1:]}) == 1
    assert list(court.case.offers.values()) == [Role.CLIENT]
    assert not kept.exists()
    assert court.act("client", "offer", *words).code == 0
    assert len(court.case.offered) == 2


def test_what_waited_too_long_is_signed_anew_and_no_fork_is_kept(
    court: Bench, broken: Broken
) -> None:
    answered(court)
    broken.mode = "lost"
    assert court.act("client", "end").code == 1
    broken.mode = ""
    court.turn(court.office.now + 120_000)
    done = court.act("client", "end")
    assert (done.code, "was not taken" in done.out) == (0, True), done.err
    assert standing(court) is State.DRAW
    no_forks(court)


def test_one_key_on_two_machines_makes_no_fork(court: Bench, broken: Broken) -> None:
    answered(court)
    shutil.copy(court.key("client"), court.key("client, laptop"))
    words = ("--text", "half of it", "--amount", "240.00")
    broken.mode = "lost"
    assert court.act("client", "offer", *words).code == 1
    broken.mode = ""
    court.turn(court.office.now + 1_000)
    assert court.act("client, laptop", "offer", *words).code == 0
    done = court.act("client", "end")
    assert (done.code, "was not taken: the case moved on" in done.out) == (0, True), done.err
    assert list(court.case.offers.values()) == [Role.CLIENT]
    no_forks(court)


def no_forks(court: Bench) -> None:
    forks = f"{court.url}/v1/engagements/{court.agent.engagement.hex()}/conflicts"
    out = court.folder / "forks"
    assert court._run("fetch", forks, "--key", court.key("client"), "--out", out).code == 0
    assert out.read_bytes() == b"\x80"


def test_another_act_waits_until_the_one_before_is_settled(court: Bench, broken: Broken) -> None:
    answered(court)
    broken.mode = "lost"
    assert court.act("client", "end").code == 1
    broken.mode = ""
    other = court.act("client", "withdraw")
    assert (other.code, "withdraw was not said" in other.err) == (1, True)
    court.follow()
    assert standing(court) is State.DRAW


def test_a_head_that_the_statements_do_not_give_is_refused(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(court)
    lie = (Digest(bytes(32)), "final")
    monkeypatch.setattr(CaseVerifier, "told", lambda _verifier, _case: lie)
    for words in (("show", court.name), ("act", "end", court.name, "--yes")):
        refused = court.run("client", *words)
        assert (refused.code, "its statements give" in refused.err) == (1, True)
    court.follow()
    assert standing(court) is State.NEGOTIATION


def test_a_history_that_lost_something_is_refused(court: Bench) -> None:
    answered(court)
    assert court.run("client", "show", court.name).code == 0
    seen = Path(f"{court.key('client')}.cases") / f"{court.name}.cbor"
    more = court.hearing.statement(Role.CLIENT, Act.END)
    seen.write_bytes(seen.read_bytes() + more.encode())
    refused = court.run("client", "show", court.name)
    assert (refused.code, "another history" in refused.err) == (1, True)


def test_a_case_that_moved_on_is_not_answered_blindly(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look before sending: what was signed on an older head is never sent."""
    answered(court)
    keep = CaseFolder.keep_unanswered

    def meanwhile(folder: CaseFolder, name: str, statement: Statement) -> None:
        keep(folder, name, statement)
        court.hearing.act(Role.FREELANCER, Act.OFFER)

    monkeypatch.setattr(CaseFolder, "keep_unanswered", meanwhile)
    refused = court.act("client", "end")
    assert (refused.code, "moved on meanwhile" in refused.err) == (1, True)
    monkeypatch.setattr(CaseFolder, "keep_unanswered", keep)
    assert court.act("client", "end").code == 0


def test_terms_of_ones_own_must_be_those_of_the_verifier(court: Bench) -> None:
    answered(court)
    own, other = court.folder / "own", court.folder / "other"
    own.write_bytes(court.agent.made[0][0].encode())
    changed = make_offer(terms=replace(court.agent.terms, retention_days=99))
    other.write_bytes(sign(changed, court.office.people.client).encode())
    assert court.run("client", "show", court.name, "--terms", own).code == 0
    refused = court.run("client", "show", court.name, "--terms", other)
    assert (refused.code, "other terms than yours" in refused.err) == (1, True)


def test_bad_words_change_nothing(court: Bench) -> None:
    answered(court)
    head = court.case.head
    for words, code, says in (
        (("frobnicate",), 2, "expected an act of"),
        (("lapse",), 2, "expected an act of"),
        (("offer", "--amount", "1.00"), 2, "offer: expected --text, found none"),
        (("offer", "--text", "x", "--amount", "12.345"), 2, "expected EUR as in 480.00"),
        (("end", "--amount", "1.00"), 2, "end: it has no --amount"),
        (("stay", "--ground", "holiday", "--text", "x", "--end", "2026-03-09"), 2, "expected one"),
        (("pass",), 1, "the case does not take it"),
        (("accept",), 2, "accept: expected --cite, found none"),
        (("accept", "--cite", "00"), 2, "--cite: expected 64 hex digits"),
        (("accept", "--cite", "0" * 64), 1, "expected an offer of the other party"),
        (("draft", "--verdict", "upheld", "--amount", "1.00", "--text", "x", "--cite", "0" * 64),
         1, "the case does not take it"),
        (("reveal",), 1, "expected a secret that you committed to in this case, found none"),
        (("request", "--text", "x"), 1, "expected what was asked and granted"),
    ):  # fmt: skip
        done = court.act("client", *words)
        assert (done.code, says in done.err) == (code, True), (words, done)
    unsure = court.run("client", "act", "end", court.name)
    assert (unsure.code, "say --yes, or use a terminal" in unsure.err) == (2, True)
    for name, code in (("0" * 64, 1), ("zz", 2), ("00000000", 1)):
        assert court.run("client", "act", "end", name, "--yes").code == code
    court.follow()
    assert court.case.head == head
    folder = Path(f"{court.key('client')}.cases")
    assert not list(folder.glob("*.unanswered"))


def test_whose_turn_it_is_after_an_act_is_told_on_the_clock_of_who_acted(court: Bench) -> None:
    filed = court.file("--zone", "Asia/Tokyo")
    assert re.search(
        r"\nstate notice; operator until \S+ \S+ \+0900 Asia/Tokyo, \S+ \S+Z\n", filed.out
    )
    answered = court.act("freelancer", "answer", "--text", "I did")
    assert re.search(r"\nstate negotiation; .* Europe/Berlin, \S+ \S+Z\n", answered.out)


def test_bad_filings_change_nothing(court: Bench) -> None:
    number = court.agent.engagement.hex()
    good = {
        "--engagement": number, "--begin": "2026-03-02", "--end": "2026-03-03",
        "--amount": "1.00", "--text": "x",
    }  # fmt: skip
    for option, value, code, says in (
        ("--engagement", "12", 2, "32 lower-case hex digits"),
        ("--engagement", "0" * 32, 1, "not-found"),
        ("--begin", "2026-02-30", 2, "--begin: expected a day or a minute"),
        ("--begin", "2027-02-03", 2, "the period ends before it begins"),
        ("--end", "2027-12-31", 1, "--end: expected hours that end a day after the filing"),
        ("--end", "yesterday", 2, "--end: expected a day or a minute"),
        ("--amount", "-1", 2, "--amount"),
        ("--zone", "Mars/Base", 2, "--zone: expected one as in Europe/Berlin, found Mars/Base"),
        ("--text", "", 2, "expected"),
    ):
        words = [word for pair in (good | {option: value}).items() for word in pair]
        done = court.run("client", "file", "not-worked", *words, "--yes")
        assert (done.code, says in done.err) == (code, True), (option, done)
    dear = [word for pair in (good | {"--amount": "480.00"}).items() for word in pair]
    done = court.run("client", "file", "not-worked", *dear)
    # Told, and not refused: what somebody asks for is theirs to say.
    assert "note      that is more than all that is billed in these hours" in done.out
    assert (done.code, "say --yes" in done.err) == (2, True)
    by_another = court.run(
        "freelancer", "file", "not-paid", *[w for pair in good.items() for w in pair], "--yes"
    )
    assert (by_another.code, "as the client" in by_another.err) == (1, True)
    assert court.run("client", "list").out.startswith("0 cases")
    assert "no such case: 77d0a1b2" in court.run("client", "show", "77d0a1b2").err
    court.file()
    listed = court.run("client", "list").out
    assert "at stake 480.00 EUR" in listed
    assert "\n1 case, as the verifier" in listed
    assert f"{court.name}  notice  operator until" in listed
    assert listed.split("\n")[0].count(" Europe/Berlin  at stake") == 1


# --- a key that stays on a machine without a network ---


def test_what_is_signed_elsewhere_is_sent_in_time(
    court: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(court)
    carried, signed = court.folder / "case.cbor", court.folder / "signed"
    terms = court.folder / "terms"
    terms.write_bytes(court.agent.made[0][0].encode())
    assert court.run("client", "show", court.name, "--save", carried).code == 0
    words = ("--terms", terms, "--key", court.key("client"))
    offline = ("case", "act", "end", *words, "--offline", signed, "--at", "+10m", carried)
    unsure = court._run(*offline)
    assert (unsure.code, signed.exists()) == (2, False)
    nowhere = court.folder / "nowhere" / "signed"
    lost = court._run("case", "act", "end", *words, "--offline", nowhere, carried, "--yes")
    assert (lost.code, "cannot write" in lost.err) == (2, True)
    assert court._run(*offline, "--yes").code == 0
    # Two of them would be a fork: the second waits for what became of the first.
    second = ("case", "act", "end", *words, "--offline", court.folder / "two", carried, "--yes")
    refused = court._run(*second)
    assert (refused.code, "say --again" in refused.err) == (1, True)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        court.turn(court.office.now + round(seconds * 1_000))

    monkeypatch.setattr(command, "sleep", sleep)
    sent = court._run("case", "send", signed, "--terms", terms, "--from", court.url)
    assert (sent.code, waited) == (0, [600.0]), sent.err
    court.follow()
    assert standing(court) is State.DRAW


def test_silence_moves_a_case_on_and_forfeits_nothing(court: Bench) -> None:
    assert court.file().code == 0
    for state, then in (("notice", "answer"), ("answer", "second"), ("second", "draw")):
        told = json.loads(court.run("client", "show", court.name, "--json").out)
        assert (told["state"], told["silence"]) == (state, SILENCE[State(state)])
        assert court.case.due is not None
        court.turn(court.case.due.until + 2_000)
        court.hearing.act(Role.OPERATOR, Act.LAPSE)
        assert standing(court) == then
    court.turn((court.case.panel_round + 1) * court.office.round_ms)
    assert court.act("client", "draw").code == 0
    late = court.act("freelancer", "answer", "--text", "I was away")
    assert late.code == 0, late.err
    assert court.case.answered
    shown = court.run("client", "show", court.name).out
    assert "freelancer: answer -> seating" in shown


# --- the guide ---

ROW = re.compile(r"^\| `([a-z-]+)` \| ([a-z ]+) \| ?(.*?) ?\|$", re.MULTILINE)
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "disputes.md"


def test_of_whom_nothing_more_comes_is_told_while_the_case_runs(court: Bench) -> None:
    seated(court)
    told = "the key of the arbitrator was ended, and no other takes its place"
    drawn, lost = court.hearing.signer_of(Role.ARBITRATOR), RevocationReason.LOST
    fresh = SeedSigner(b"\x55" * 32)
    rotate = KeyRotate.make(claimed_at=court.office.now, old=drawn.public_key, new=fresh)
    court.office.post([sign(rotate, drawn)])
    # A successor acts for the one before.
    assert told not in court.run("client", "show", court.name).out
    assert json.loads(court.run("client", "show", court.name, "--json").out)["keyless"] == []
    key = fresh.public_key.thumbprint
    court.office.post([sign(KeyRevoke(claimed_at=court.office.now, key=key, reason=lost), fresh)])
    assert told in court.run("client", "show", court.name).out
    found = json.loads(court.run("client", "show", court.name, "--json").out)
    assert found["keyless"] == ["arbitrator"]
    done = court.act("client", "withdraw", "--text", "we talked")
    assert done.code == 0, done.err
    # Nobody is waited for any more.
    assert told not in court.run("client", "show", court.name).out
    assert json.loads(court.run("client", "show", court.name, "--json").out)["keyless"] == []


def test_the_guide_and_the_help_name_the_grounds(run: Run) -> None:
    text = GUIDE.read_text()
    for act, words in GROUNDS.items():
        (row,) = re.findall(rf"^\| `{act}` \| (`.*`) \|$", text, re.MULTILINE)
        assert tuple(re.findall(r"`([a-z-]+)`", row)) == words
        told = run("case", "act", act, "--help").out.replace("-\n", "-")
        assert set(words) <= set(re.findall(r"[a-z-]+", re.sub(r"(?<=-)\s+", "", told)))


def test_the_help_of_an_act_has_its_own_options_alone(run: Run) -> None:
    for name, details in DETAILS.items():
        told = run("case", "act", name, "--help").out
        shown = set(re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE))
        every = {spelled(one) for each in DETAILS.values() for one in each.needs | each.may}
        assert shown & every == {spelled(one) for one in details.needs | details.may}, name
        assert ("--text-file" in shown) is ("text" in details.needs | details.may)
        assert f"{name}: " in told
    assert "--verdict" in run("case", "act", "--help").out


def test_the_guide_has_each_act_with_its_details() -> None:
    rows = {name: text for name, _, text in ROW.findall(GUIDE.read_text())}
    assert set(rows) == set(DETAILS)
    for name, text in rows.items():
        may = re.findall(r"--[a-z-]+", "".join(re.findall(r"\[(.*?)\]", text)))
        needs = set(re.findall(r"--[a-z-]+", text)) - set(may)
        assert needs == {spelled(one) for one in DETAILS[name].needs}, name
        assert set(may) == {spelled(one) for one in DETAILS[name].may}, name
