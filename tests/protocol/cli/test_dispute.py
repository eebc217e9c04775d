import hashlib
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.builders import FREELANCER, digest, make_acceptance, make_segment, signer
from support.cases import ARBITRATORS, Play, case_terms
from support.scripted import Story, tell_story
from support.simulator import seeded
from workseal_protocol.cli.seeds import read_case_key, write_case_key, write_seed
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, DisputeRequest, KeyRotate, read_record, sign
from workseal_protocol.sealing import case_public
from workseal_protocol.statement import Statement

from .conftest import Run

NUMBER = "000008"


@pytest.fixture
def desk(folder: Path, story: Story) -> Path:
    """Give the arbitrator's folder: the bundle, the policy and the arbitrator's key."""
    write_seed(folder / "arbitrator.key", seeded(story.verifier.seed, "party", "arbitrator"))
    return folder


def words(desk: Path, *more: object, frame: object = NUMBER) -> list[object]:
    return [
        "request", "--bundle", desk / "bundle", "--frame", frame, "--reason", "why?",
        "--key", desk / "arbitrator.key", "--case-key", desk / "case.key",
        "--out", desk / "request.cose", *more,
    ]  # fmt: skip


def test_signs_a_request_for_the_frames_and_keeps_the_case_key(
    desk: Path, run: Run, story: Story
) -> None:
    done = run(*words(desk))
    assert (done.code, done.err) == (0, "")
    statement = Statement.parse((desk / "request.cose").read_bytes())
    statement.verify_signature(story.verifier.people.arbitrator.public_key)
    record = read_record(statement)
    assert isinstance(record, DisputeRequest)
    frame = story.agent.frames[0]
    assert [(one.segment, one.frame) for one in record.frames] == [
        (frame.segment, frame.tree.commitment)
    ]
    assert record.reason == "why?"
    assert record.engagement == story.agent.engagement
    assert case_public(read_case_key(desk / "case.key")) == record.sealing_key
    assert str(statement.digest) in done.out


def test_a_commitment_names_the_same_frame_as_its_number(
    desk: Path, run: Run, story: Story
) -> None:
    commitment = story.agent.frames[0].tree.commitment
    assert run(*words(desk, frame=commitment)).code == 0
    record = read_record(Statement.parse((desk / "request.cose").read_bytes()))
    assert isinstance(record, DisputeRequest)
    assert [one.frame for one in record.frames] == [commitment]


def test_two_requests_have_two_case_keys(desk: Path, run: Run) -> None:
    run(*words(desk))
    first = read_case_key(desk / "case.key")
    (desk / "case.key").unlink()
    (desk / "request.cose").unlink()
    run(*words(desk))
    assert read_case_key(desk / "case.key") != first


@pytest.mark.parametrize("name", ["case.key", "request.cose"])
def test_overwrites_neither_file_and_leaves_no_half(desk: Path, run: Run, name: str) -> None:
    (desk / name).write_text("mine")
    done = run(*words(desk))
    assert (done.code, done.out) == (2, "")
    assert (desk / name).read_text() == "mine"
    other = {"case.key": "request.cose", "request.cose": "case.key"}[name]
    assert not (desk / other).exists()


def test_only_an_arbitrator_of_the_terms_may_ask(desk: Path, run: Run) -> None:
    (desk / "arbitrator.key").unlink()
    write_seed(desk / "arbitrator.key", bytes(32))
    done = run(*words(desk))
    assert done.code == 2
    assert "do not name this key as an arbitrator" in done.err
    assert not (desk / "case.key").exists()


def test_a_withdrawn_frame_cannot_be_asked_for(desk: Path, run: Run) -> None:
    done = run(*words(desk, frame="000006"))
    assert done.code == 2
    assert "was withdrawn" in done.err


def test_a_reason_that_is_too_long_is_one_sentence(desk: Path, run: Run) -> None:
    done = run(*words(desk, "--reason", "x" * 501))
    assert done.code == 2
    assert re.fullmatch(r"workseal: the request cannot be made: [^\n]+\n", done.err)
    assert not (desk / "case.key").exists()


def test_the_freelancer_has_the_working_days_of_the_terms_at_least(
    desk: Path, run: Run, story: Story
) -> None:
    soon = (datetime.now(tz=UTC) + timedelta(days=2)).date()
    done = run(*words(desk, "--answer-by", soon))
    assert done.code == 2
    assert "the terms give the freelancer until" in done.err
    later = (datetime.now(tz=UTC) + timedelta(days=60)).date()
    assert run(*words(desk, "--answer-by", later)).code == 0
    record = read_record(Statement.parse((desk / "request.cose").read_bytes()))
    assert isinstance(record, DisputeRequest)
    days = (record.answer_by - record.claimed_at) / 86_400_000
    assert story.agent.terms.answer_days < days < 62


def test_says_that_holidays_are_not_known(desk: Path, run: Run) -> None:
    assert "public holidays are not known here" in run(*words(desk)).out


def test_a_bundle_without_an_acceptance_is_one_sentence(desk: Path, run: Run) -> None:
    story = tell_story()
    contents = replace(
        story.contents,
        statements=story.contents.statements[:3],
        indices=story.contents.indices[:3],
        receipts=(),
        disclosures=(),
    )
    (desk / "bundle").write_bytes(story.bundle(contents).encode())
    done = run(*words(desk))
    assert done.code == 2
    assert "expected one acceptance" in done.err


class InCase:
    """A case at the naming of frames, and a bundle of the same terms with one frame."""

    def __init__(self, desk: Path, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.monkeypatch = desk, monkeypatch
        self.story = story
        self.bundle()
        self.private = hashlib.shake_256(b"case key").digest(96)
        write_case_key(desk / "case.key", self.private)
        play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
        play.act(Role.CLIENT, Act.END).draw()
        play.act(Role.ARBITRATOR, Act.DECLARE, sealing_key=case_public(self.private))
        self.play = play.both(Act.PASS).shown(1).granted(2)
        number = ARBITRATORS.index(play.arbitrator) + 1
        (desk / "arbitrator.key").unlink()
        seed = Digest.of(b"workseal test key: ", f"arbitrator {number}".encode()).raw
        write_seed(desk / "arbitrator.key", seed)

    def bundle(self, *more: Statement) -> None:
        """Write a bundle of the terms, a frame, and more."""
        agreed = sign(make_acceptance(terms=case_terms()), FREELANCER)
        segment = sign(make_segment(frames=(digest("frame"),)), FREELANCER)
        contents = replace(
            self.story.contents,
            statements=(agreed, segment, *more),
            indices=tuple(range(2 + len(more))),
            openings=(),
            receipts=(),
            disclosures=(),
        )
        (self.desk / "bundle").write_bytes(self.story.bundle(contents).encode())

    def words(self, *more: object) -> list[object]:
        path = self.desk / "case"
        path.write_bytes(b"".join(one.encode() for one, _ in self.play.told))
        self.monkeypatch.setattr(time, "time_ns", lambda: self.play.now * 1_000_000)
        return words(self.desk, "--case", path, *more, frame="000001")


@pytest.fixture
def in_case(desk: Path, story: Story, monkeypatch: pytest.MonkeyPatch) -> InCase:
    return InCase(desk, story, monkeypatch)


def test_in_a_case_the_request_is_the_next_statement_and_names_its_key(
    in_case: InCase, run: Run
) -> None:
    done = run(*in_case.words())
    assert (done.code, done.err) == (0, "")
    statement = Statement.parse((in_case.desk / "request.cose").read_bytes())
    record = read_record(statement)
    assert isinstance(record, DisputeRequest)
    assert record.sealing_key == case_public(in_case.private)
    assert record.place is not None
    assert record.place.due is not None
    assert record.place.due.calendar == case_terms().freelancer_calendar
    assert record.answer_by == record.place.due.until
    assert in_case.play.log(statement).case.state is State.DISCLOSURE


def test_in_a_case_no_other_key_and_no_other_day_is_taken(in_case: InCase, run: Run) -> None:
    done = run(*in_case.words("--answer-by", "2099-01-01"))
    assert (done.code, "no --answer-by" in done.err) == (2, True)
    (in_case.desk / "case.key").unlink()
    write_case_key(in_case.desk / "case.key", bytes(range(96)))
    done = run(*in_case.words())
    assert (done.code, "is not the key that was declared" in done.err) == (1, True)
    assert not (in_case.desk / "request.cose").exists()


def test_a_key_that_came_by_rotation_asks(in_case: InCase, run: Run) -> None:
    """The bundle that has the terms has the rotation, and so the case knows the new key."""
    play, new = in_case.play, signer("arbitrator's second key")
    change = KeyRotate.make(claimed_at=play.now, old=play.arbitrator.public_key, new=new)
    write_seed(
        in_case.desk / "new.key", Digest.of(b"workseal test key: ", b"arbitrator's second key").raw
    )
    key = ("--key", in_case.desk / "new.key")
    alone = [*words(in_case.desk, frame="000001"), *key]
    out, case_key = in_case.desk / "request.cose", in_case.desk / "case.key"
    told = run(*in_case.words(*key)).err
    assert "somebody whom the terms do not name has no request" in told
    in_case.bundle(sign(change, play.arbitrator))
    assert run(*in_case.words(*key)).code == 0
    out.unlink()
    case_key.unlink()
    assert run(*alone).code == 0
    out.unlink()
    case_key.unlink()
    # The key that was replaced asks for nothing any more.
    done = run(*words(in_case.desk, frame="000001"))
    assert (done.code, "do not name this key as an arbitrator" in done.err) == (2, True)


def test_what_the_case_does_not_take_is_not_signed(in_case: InCase, run: Run) -> None:
    in_case.play.act(Role.ARBITRATOR, Act.PASS)
    done = run(*in_case.words())
    assert done.code == 1
    told = "the case does not take it: in evidence the arbitrator has no request; you may now: ask"
    assert told in done.err
    assert not (in_case.desk / "request.cose").exists()
