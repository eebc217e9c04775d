import base64
import time
from dataclasses import replace
from pathlib import Path

import pytest

from support.builders import FREELANCER, make_acceptance, signer
from support.cases import ARBITRATORS, Play, case_terms
from workseal_protocol.cli.seeds import read_case_key, write_case_key, write_seed
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, DisputeAct, KeyRotate, read_record, sign
from workseal_protocol.sealing import case_public, open_package, seal_package
from workseal_protocol.statement import Statement

from .conftest import Outcome, Run


class Office:
    """The arbitrator's folder: the terms, the case so far, and the arbitrator's key."""

    def __init__(self, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.run, self._monkeypatch = folder, run, monkeypatch
        self.rotations: list[Statement] = []
        agreed = make_acceptance(terms=case_terms())
        (folder / "terms").write_bytes(sign(agreed, FREELANCER).encode())
        self.play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
        self.play.act(Role.CLIENT, Act.END).draw()
        number = ARBITRATORS.index(self.play.arbitrator) + 1
        seed = Digest.of(b"workseal test key: ", f"arbitrator {number}".encode()).raw
        write_seed(folder / "own.key", seed)

    def command(self, name: str, *more: object) -> Outcome:
        """Run a command about the case as it stands, at the case's time."""
        case = self.folder / "case"
        told = [*(one for one, _ in self.play.told), *self.rotations]
        case.write_bytes(b"".join(one.encode() for one in told))
        self._monkeypatch.setattr(time, "time_ns", lambda: self.play.now * 1_000_000)
        here = self.folder
        return self.run(
            name, "--terms", here / "terms", "--key", here / "own.key",
            "--case-key", here / "case.key", "--out", here / f"{name}.cose", case, *more,
        )  # fmt: skip

    def declare(self, *more: object) -> Outcome:
        named = ("--text", "nothing ties me to either", "--calendar", "DE-BY")
        return self.command("declare", *named, *more)

    def take(self, name: str) -> DisputeAct:
        """Let the log take what a command signed."""
        statement = Statement.parse((self.folder / f"{name}.cose").read_bytes())
        self.play.log(statement)
        record = read_record(statement)
        assert isinstance(record, DisputeAct)
        return record

    def end(self) -> None:
        """Let the filer withdraw, and the retention pass."""
        self.play.act(Role.CLIENT, Act.WITHDRAW).lapse().pass_due()
        assert self.play.case.state is State.SEALED


@pytest.fixture
def office(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, run, monkeypatch)


def test_a_declaration_names_the_key_that_it_made(office: Office) -> None:
    done = office.declare()
    assert (done.code, done.err) == (0, "")
    record = office.take("declare")
    private = read_case_key(office.folder / "case.key")
    assert record.sealing_key == case_public(private)
    assert office.play.case.declared
    assert office.play.case.sealing_key == case_public(private)
    assert str(Digest.of(case_public(private))) in done.out
    assert (office.folder / "case.key").stat().st_mode & 0o777 == 0o600


def test_days_are_named_whether_or_not_a_deadline_opens_by_it(office: Office) -> None:
    """It is said once: whoever has not named their days by then has none in this case."""
    refused = office.command("declare", "--text", "nothing ties me to either")
    assert (refused.code, "--calendar" in refused.err) == (2, True)
    assert sorted(one.name for one in office.folder.iterdir()) == ["case", "own.key", "terms"]
    assert office.declare().code == 0
    assert Role.ARBITRATOR not in office.play.case.calendars
    office.take("declare")
    assert office.play.case.calendars[Role.ARBITRATOR][0].name == "DE-BY"


def test_a_declaration_of_the_last_hours_counts_the_days_of_who_declares(office: Office) -> None:
    assert office.play.case.due is not None
    office.play.now = office.play.case.due.until - 60_000
    assert office.declare().code == 0
    record = office.take("declare")
    assert office.play.case.state is State.SEATING
    assert record.place.due is not None
    assert (record.place.due.calendar, record.place.due.days) == ("DE-BY", 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--calendar", "XX"], "no holidays are known for XX"),
        (["--zone", "Mars/Base"], "this machine does not know the time zone Mars/Base"),
        (["--text", ""], "cannot be signed"),
    ],
)
def test_refuses_words_that_say_nothing(office: Office, words: list[str], says: str) -> None:
    refused = office.declare(*words)
    assert (refused.code, says in refused.err) == (2, True), refused.err
    assert not (office.folder / "case.key").exists()


def test_a_declaration_is_not_written_where_its_key_stands(office: Office) -> None:
    one = office.folder / "declare.cose"
    refused = office.declare("--case-key", one)
    assert (refused.code, "cannot be one file" in refused.err) == (2, True)
    assert not one.exists()


def test_a_key_that_came_by_rotation_declares_and_destroys(office: Office) -> None:
    """The files of the case have the rotation: the log's place of it is not at hand."""
    old, new = office.play.arbitrator, signer("arbitrator's second key")
    change = sign(KeyRotate.make(claimed_at=office.play.now, old=old.public_key, new=new), old)
    (office.folder / "own.key").unlink()
    seed = Digest.of(b"workseal test key: ", b"arbitrator's second key").raw
    write_seed(office.folder / "own.key", seed)
    assert "somebody whom the terms do not name has no declare" in office.declare().err
    office.rotations.append(change)
    assert office.declare().code == 0
    pair = (old.public_key.thumbprint, new.public_key.thumbprint)
    parties = office.play.case.parties.succeeded(*pair)
    office.play.case = replace(office.play.case, parties=parties)
    assert office.take("declare").sealing_key is not None
    office.end()
    assert office.command("destroy").code == 0
    assert not (office.folder / "case.key").exists()
    assert office.take("destroy").act is Act.DESTROY


def test_who_is_not_drawn_makes_no_key(office: Office) -> None:
    (office.folder / "own.key").unlink()
    write_seed(office.folder / "own.key", Digest.of(b"workseal test key: ", b"client").raw)
    assert signer("client") != office.play.arbitrator
    refused = office.declare()
    assert refused.code == 1
    assert "the case does not take it: in seating the client has no declare" in refused.err
    assert not (office.folder / "case.key").exists()
    assert not (office.folder / "declare.cose").exists()


def test_after_the_end_of_retention_the_key_is_destroyed_and_nothing_opens(office: Office) -> None:
    assert office.declare().code == 0
    office.take("declare")
    private = read_case_key(office.folder / "case.key")
    request = Digest.of(b"a request")
    sealed = seal_package(case_public(private), request, [b"\xd2\x80"])
    assert open_package(private, request, sealed)
    office.end()
    with (office.folder / "case.key").open("rb") as still_open:
        done = office.command("destroy")
        assert (done.code, done.err) == (0, "")
        # The very blocks of the file hold zeros, not only its name is gone.
        assert set(still_open.read()) == {0}
    assert not (office.folder / "case.key").exists()
    assert office.take("destroy").act is Act.DESTROY
    assert office.play.act(Role.OPERATOR, Act.DESTROY).case.state is State.PURGED
    # Nothing that is left in the folder holds a half of the key.
    for path in office.folder.iterdir():
        text = path.read_bytes()
        for half in (private[:64], private[64:]):
            assert half not in text
            assert base64.urlsafe_b64encode(half)[:40] not in text


def test_a_key_is_not_destroyed_before_its_time(office: Office) -> None:
    assert office.declare().code == 0
    office.take("declare")
    refused = office.command("destroy")
    assert (refused.code, "destroy" in refused.err) == (1, True)
    office.play.act(Role.CLIENT, Act.WITHDRAW).lapse()
    refused = office.command("destroy")
    assert (refused.code, "expected an instant after" in refused.err) == (1, True)
    assert (office.folder / "case.key").exists()
    assert not (office.folder / "destroy.cose").exists()


@pytest.mark.parametrize("other", ["another key", "no key", "a link", "a folder"])
def test_nothing_but_the_key_of_the_case_is_destroyed(office: Office, other: str) -> None:
    assert office.declare().code == 0
    office.take("declare")
    office.end()
    key = office.folder / "case.key"
    if other == "another key":
        key.unlink()
        write_case_key(key, bytes(range(96)))
    elif other == "no key":
        key.write_bytes(b"a letter")
    elif other == "a link":
        key.rename(office.folder / "elsewhere")
        key.symlink_to(office.folder / "elsewhere")
    else:
        key.unlink()
        key.mkdir()
    refused = office.command("destroy")
    assert refused.code in {1, 2}
    assert refused.err.count("\n") == 1
    assert key.exists()
    assert not (office.folder / "destroy.cose").exists()


def test_who_lost_the_seat_destroys_their_key_at_once(office: Office) -> None:
    """A case has one key at a time: the one before would open what was sealed to it for ever."""
    assert office.declare().code == 0
    office.take("declare")
    office.play.both(Act.PASS).decided().act(Role.CLIENT, Act.APPEAL)
    key = office.folder / "case.key"
    private = read_case_key(key)
    key.unlink()
    write_case_key(key, bytes(range(96)))
    assert "is not the key that was declared" in office.command("destroy").err
    assert key.exists()
    key.unlink()
    write_case_key(key, private)
    with key.open("rb") as still_open:
        done = office.command("destroy")
        assert (done.code, done.err) == (0, "")
        assert set(still_open.read()) == {0}
    assert "you sit in this case no more" in done.out
    assert not key.exists()
    assert not (office.folder / "destroy.cose").exists()
    assert office.command("destroy").code == 1


def test_a_destruction_that_a_power_cut_broke_off_is_finished(office: Office) -> None:
    """Zeros were written, the name is there still: nobody has a key to show any more."""
    assert office.declare().code == 0
    office.take("declare")
    office.end()
    key = office.folder / "case.key"
    whole = key.stat().st_size
    # Of another length it may be anything.
    key.write_bytes(bytes(whole - 1))
    assert office.command("destroy").code == 2
    assert key.exists()
    key.write_bytes(bytes(whole))
    done = office.command("destroy")
    assert (done.code, done.err) == (0, "")
    assert not key.exists()
    assert office.take("destroy").act is Act.DESTROY


def test_a_key_outlives_a_statement_that_has_no_place(office: Office) -> None:
    assert office.declare().code == 0
    office.take("declare")
    office.end()
    done = office.command("destroy", "--out", office.folder / "nowhere" / "destroy.cose")
    assert (done.code, "there is no such folder" in done.err) == (2, True)
    assert (office.folder / "case.key").exists()


def test_a_key_that_is_gone_is_stated_only_on_a_word(office: Office) -> None:
    assert office.declare().code == 0
    office.take("declare")
    office.end()
    (office.folder / "case.key").unlink()
    assert "--gone" in office.command("destroy").err
    assert not (office.folder / "destroy.cose").exists()
    assert office.command("destroy", "--gone").code == 0
    assert office.take("destroy").act is Act.DESTROY
