import json
import tracemalloc
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from support.scripted import KeptFrame, Story, disclose, finish, tell_story
from support.simulator import seeded
from workseal_protocol.cli.seeds import write_case_key, write_seed
from workseal_protocol.cli.viewing import Viewing
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, open_frame
from workseal_protocol.frame import FrameHeader, FrameTree, commit_frame
from workseal_protocol.keys import SeedSigner
from workseal_protocol.lottery import draw
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisclosedFrame,
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Finding,
    KeyRotate,
    Record,
    Segment,
    read_record,
    sign,
)
from workseal_protocol.records import Outcome as Verdict
from workseal_protocol.sealing import seal_package
from workseal_protocol.statement import Statement
from workseal_protocol.watermark import STRENGTH, mark_for, marked

from .conftest import Outcome, Run


@dataclass
class Desk:
    """An arbitrator's desk after a request, and a freelancer who answers it."""

    folder: Path
    story: Story
    run: Run

    @property
    def request(self) -> Statement:
        return Statement.parse((self.folder / "request.cose").read_bytes())

    @property
    def frame(self) -> KeptFrame:
        return self.story.agent.frames[0]

    def answer(
        self, items: list[tuple[Digest, Disclosure]], signer: SeedSigner | None = None
    ) -> Statement:
        record = DisputeDisclosure(
            engagement=self.story.agent.engagement,
            claimed_at=self.story.verifier.now,
            request=self.request.digest,
            frames=tuple(DisclosedFrame(frame, shown.digest) for frame, shown in items),
        )
        return sign(record, signer or self.story.verifier.people.freelancer)

    def seal(self, statement: Statement, disclosures: list[Disclosure]) -> None:
        record = read_record(self.request)
        assert isinstance(record, DisputeRequest)
        items = [statement.encode(), *(one.encode() for one in disclosures)]
        sealed = seal_package(record.sealing_key, self.request.digest, items)
        (self.folder / "sealed").write_bytes(sealed)

    def open(self, *more: object) -> Outcome:
        here = self.folder
        return self.run(
            "open", here / "sealed", "--request", here / "request.cose",
            "--case-key", here / "case.key", "--bundle", here / "bundle",
            "--policy", here / "policy", *more,
        )  # fmt: skip

    def answer_honestly(self) -> Disclosure:
        shown = disclose(self.frame, (0, 3))
        self.seal(self.answer([(self.frame.tree.commitment, shown)]), [shown])
        return shown


@pytest.fixture
def desk(folder: Path, run: Run) -> Desk:
    story = tell_story()
    write_seed(folder / "arbitrator.key", seeded(story.verifier.seed, "party", "arbitrator"))
    done = run(
        "request", "--bundle", folder / "bundle", "--frame", "000008", "--reason", "why?",
        "--key", folder / "arbitrator.key", "--case-key", folder / "case.key",
        "--out", folder / "request.cose",
    )  # fmt: skip
    assert done.code == 0
    return Desk(folder, story, run)


def test_shows_in_the_browser_what_it_would_draw_and_writes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.answer_honestly()
    seen: list[Viewing] = []

    def run(viewing: Viewing) -> None:
        seen.append(viewing)
        raise KeyboardInterrupt

    monkeypatch.setattr(Viewing, "run", run)
    before = sorted(desk.folder.iterdir())
    done = desk.open("--view", "--minutes", "7")
    assert (done.code, done.err) == (0, "")
    assert sorted(desk.folder.iterdir()) == before
    assert f"to be seen for 7 minutes at {seen[0].link}" in done.out
    assert done.out.endswith("closed\n")
    (shown,) = seen[0]._server.frames
    seen[0]._server.server_close()
    assert desk.open("--out", desk.folder / "out").code == 0
    data = np.frombuffer((desk.folder / "out" / "000008.png").read_bytes(), dtype=np.uint8)
    drawn = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    assert drawn is not None
    assert zlib.decompress(shown.packed) == drawn.tobytes()
    assert (shown.height, shown.width) == drawn.shape[:2]
    assert shown.line in done.out


@pytest.mark.parametrize("minutes", ["0", "241", "-1"])
def test_a_time_that_is_none_opens_nothing(desk: Desk, minutes: str) -> None:
    desk.answer_honestly()
    done = desk.open("--view", "--minutes", minutes)
    assert (done.code, done.err) == (
        2,
        f"workseal: expected 1 to 240 minutes, found {minutes}\n",
    )


def test_draws_the_tiles_that_were_shown_and_moves_them_by_the_mark_alone(desk: Desk) -> None:
    desk.answer_honestly()
    done = desk.open("--out", desk.folder / "out")
    assert (done.code, done.err) == (0, "")
    assert "frame 000008: holds; 2 of 4 tiles shown" in done.out
    data = np.frombuffer((desk.folder / "out" / "000008.png").read_bytes(), dtype=np.uint8)
    drawn = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    assert drawn is not None
    height, width = drawn.shape[:2]
    screen = np.frombuffer(desk.frame.pixels, dtype=np.uint8).reshape(height, width, 3)
    facts = json.loads((desk.folder / "out" / "000008.json").read_text())
    shown = np.zeros((height, width), dtype=bool)
    for box in facts["shown"]:
        rows = slice(box["top"], box["top"] + box["height"])
        shown[rows, box["left"] : box["left"] + box["width"]] = True
    assert facts["tiles"] == 4
    assert len(facts["shown"]) == 2
    moved = np.abs(drawn.astype(int) - screen.astype(int))[shown]
    assert moved.max() <= 2 * STRENGTH
    hidden = drawn[~shown].astype(int)
    pattern = np.array([(255, 0, 255), (128, 128, 128)])
    assert np.abs(hidden[:, None] - pattern).max(axis=2).min(axis=1).max() <= 2 * STRENGTH
    arbitrator = desk.story.verifier.people.arbitrator.public_key.thumbprint
    mark = mark_for(arbitrator, desk.request.digest)
    assert facts["mark"] == str(mark)
    assert f"each is marked for {arbitrator}: {str(mark)[:8]} can be read in it" in done.out
    # Exactly the marked picture of what was shown: the pattern of nobody else.
    plain = np.where(shown[..., None], screen, 0)
    again = np.frombuffer(marked(plain.tobytes(), width, height, mark), np.uint8)
    assert (again.reshape(height, width, 3)[shown] == drawn[shown]).all()


def test_looks_at_one_frame_at_a_time(folder: Path, run: Run) -> None:
    # All black, so that a package of a few kilobytes shows megabytes.
    side = 1024
    pixels = bytes(side * side * 3)
    made: list[FrameTree] = []
    met: list[Segment] = []

    def enlarge(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if not isinstance(record, Segment) or not record.frames:
            return record, signer
        met.append(record)
        if len(met) == 1:  # the one that will be withdrawn
            return record, signer
        drawn = draw(
            agent_value=record.agent_value, verifier_value=record.verifier_value,
            engagement=record.engagement, round=record.round, rate=16_384, round_ms=10_000,
        )  # fmt: skip
        header = FrameHeader(
            width=side, height=side, tile=32, display=0, round=record.round,
            offset_ms=drawn.offset_ms, nonce=bytes(16),
        )  # fmt: skip
        made.append(commit_frame(header, pixels, bytes(16)))
        return replace(record, frames=(made[-1].commitment,)), signer

    story = tell_story(twist=enlarge)
    contents = replace(story.contents, disclosures=())
    (folder / "bundle").write_bytes(story.bundle(contents).encode())
    write_seed(folder / "arbitrator.key", seeded(story.verifier.seed, "party", "arbitrator"))
    frames = [word for tree in made for word in ("--frame", tree.commitment)]
    done = run(
        "request", "--bundle", folder / "bundle", *frames, "--reason", "why?",
        "--key", folder / "arbitrator.key", "--case-key", folder / "case.key",
        "--out", folder / "request.cose",
    )  # fmt: skip
    assert (done.code, len(made)) == (0, 4)
    desk = Desk(folder, story, run)
    every = range(made[0].header.grid.count)
    shown = [open_frame(tree, every, pixels=pixels, seed=bytes(16)) for tree in made]
    answers = [(tree.commitment, one) for tree, one in zip(made, shown, strict=True)]
    desk.seal(desk.answer(answers), shown)
    assert (folder / "sealed").stat().st_size < len(pixels) / 10
    tracemalloc.start()
    done = desk.open()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (done.code, done.out.count("1024 of 1024 tiles shown")) == (0, 4)
    assert peak < 4 * len(pixels)


def test_without_a_folder_it_checks_and_writes_nothing(desk: Desk) -> None:
    desk.answer_honestly()
    before = sorted(desk.folder.iterdir())
    assert desk.open().code == 0
    assert sorted(desk.folder.iterdir()) == before


def test_says_whether_the_disclosure_is_in_the_log(desk: Desk) -> None:
    shown = disclose(desk.frame, (0, 3))
    statement = desk.answer([(desk.frame.tree.commitment, shown)])
    desk.seal(statement, [shown])
    assert "is not in this bundle" in desk.open().out
    desk.story.verifier.submit([desk.request])
    desk.story.verifier.submit([statement])
    contents, _ = finish(desk.story.verifier, desk.story.agent, (shown,))
    (desk.folder / "bundle").write_bytes(desk.story.bundle(contents).encode())
    assert "is in the log, index " in desk.open().out


def ended(desk: Desk, act: Act, *, of: Statement | None = None) -> None:
    """Log an act of a case about an answer, and hand the arbitrator a newer bundle."""
    verifier = desk.story.verifier
    place = CasePlace(Digest(bytes(32)), Digest(bytes(32)))
    mistake = {"text": "a mistake", "cites": (of.digest,)} if of is not None else {}
    record = DisputeAct(
        engagement=desk.story.agent.engagement, claimed_at=verifier.now, place=place, act=act,
        **mistake,  # type: ignore[arg-type]
    )  # fmt: skip
    by = verifier.people.arbitrator if of is None else verifier.people.freelancer
    verifier.submit([sign(record, by)])
    contents, _ = finish(verifier, desk.story.agent, ())
    bundle = desk.story.bundle(replace(contents, disclosures=()))
    (desk.folder / "bundle").write_bytes(bundle.encode())


def test_refuses_what_was_taken_back(desk: Desk) -> None:
    shown = disclose(desk.frame, (0, 3))
    statement = desk.answer([(desk.frame.tree.commitment, shown)])
    desk.seal(statement, [shown])
    ended(desk, Act.CLAW_BACK, of=desk.request)
    assert desk.open().code == 0
    ended(desk, Act.CLAW_BACK, of=statement)
    refused(desk, "was disclosed by mistake and taken back")


def test_refuses_what_its_case_has_destroyed(desk: Desk) -> None:
    shown = disclose(desk.frame, (0, 3))
    alone = desk.answer([(desk.frame.tree.commitment, shown)])
    desk.seal(alone, [shown])
    ended(desk, Act.DESTROY)
    assert desk.open().code == 0  # an answer without a case ends with its request's key
    record = read_record(alone)
    assert isinstance(record, DisputeDisclosure)
    placed = replace(record, place=CasePlace(Digest(bytes(32)), Digest(bytes(32))))
    desk.seal(sign(placed, desk.story.verifier.people.freelancer), [shown])
    refused(desk, "its case is over")


def test_refuses_what_the_case_of_its_request_has_destroyed(desk: Desk) -> None:
    """An answer that names no case is over all the same when its request was made in one."""
    case = Digest(bytes(32))
    asked = read_record(desk.request)
    assert isinstance(asked, DisputeRequest)
    placed = replace(asked, place=CasePlace(case, case))
    request = sign(placed, desk.story.verifier.people.arbitrator)
    (desk.folder / "request.cose").write_bytes(request.encode())
    desk.answer_honestly()
    assert desk.open().code == 0
    (desk.folder / "sealed").write_bytes((desk.folder / "sealed").read_bytes()[:-1] + b"?")
    # Nothing is found of what does not open, but its case can be told.
    refused(desk, "for this request; 'workseal case act unreadable' says so in the case")
    desk.answer_honestly()
    ended(desk, Act.DESTROY)
    refused(desk, "its case is over")


def ask_in_case(desk: Desk, level: int, *, logged: bool = True) -> None:
    """Let the arbitrator ask in a case, at a level, and have a bundle that tells of it or not."""
    verifier, case = desk.story.verifier, Digest(bytes(32))
    ask = sign(
        DisputeAct(
            engagement=desk.story.agent.engagement,
            claimed_at=verifier.now,
            place=CasePlace(case, case),
            act=Act.ASK,
            level=level,
            count=1,
            begin=1,
            end=2,
            text="was there work in these hours",
            why="the sums alone do not tell",
        ),
        verifier.people.arbitrator,
    )
    asked = read_record(desk.request)
    assert isinstance(asked, DisputeRequest)
    placed = replace(asked, place=CasePlace(case, ask.digest))
    request = sign(placed, verifier.people.arbitrator)
    (desk.folder / "request.cose").write_bytes(request.encode())
    if logged:
        verifier.submit([ask])
        contents, _ = finish(verifier, desk.story.agent, ())
        bundle = desk.story.bundle(replace(contents, disclosures=()))
        (desk.folder / "bundle").write_bytes(bundle.encode())


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (2, "frame 000008: 2 of {} tiles are more than the {} that level 2 of the ladder has"),
        (3, "no frame shows more than level 3 of the ladder has, 1 in 2 tiles"),
    ],
)
def test_what_shows_more_than_its_level_has_is_said_beside_and_holds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, level: int, says: str
) -> None:
    ask_in_case(desk, level)
    tiles = desk.answer_honestly().header.grid.count
    done = desk.open()
    assert (done.code, done.err) == (0, "")
    line = says.format(tiles, -(-tiles // 8))
    assert [one.startswith(line) for one in done.out.splitlines()].count(True) == 1
    assert f"frame 000008: holds; 2 of {tiles} tiles shown" in done.out
    shown: list[str] = []

    def run(viewing: Viewing) -> None:
        shown.extend(viewing._server.lines)
        viewing._server.server_close()

    monkeypatch.setattr(Viewing, "run", run)
    assert desk.open("--view").code == 0
    assert any(one.startswith(line) for one in shown)


def test_where_the_bundle_does_not_tell_the_level_it_says_that_nothing_was_compared(
    desk: Desk,
) -> None:
    ask_in_case(desk, 2, logged=False)
    desk.answer_honestly()
    done = desk.open()
    assert (done.code, done.err) == (0, "")
    assert "is not compared with it: --case FILE names the statements of the case" in done.out


def refused(desk: Desk, says: str, code: int = 1) -> None:
    done = desk.open("--out", desk.folder / "out")
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert done.err.count("\n") == 1
    assert not (desk.folder / "out").exists()


def test_refuses_tiles_of_another_frame(desk: Desk) -> None:
    shown = disclose(desk.story.agent.frames[1], (0,))
    desk.seal(desk.answer([(desk.frame.tree.commitment, shown)]), [shown])
    refused(desk, "not those of the committed frame")


def test_refuses_a_frame_that_was_not_asked_for(desk: Desk) -> None:
    other = desk.story.agent.frames[1]
    shown = disclose(other, (0,))
    desk.seal(desk.answer([(other.tree.commitment, shown)]), [shown])
    refused(desk, "was not asked for")


def test_refuses_a_disclosure_that_the_statement_does_not_name(desk: Desk) -> None:
    named, sent = disclose(desk.frame, (0,)), disclose(desk.frame, (0, 1))
    desk.seal(desk.answer([(desk.frame.tree.commitment, named)]), [sent])
    refused(desk, "not named by its statement")


def test_refuses_a_disclosure_that_is_missing(desk: Desk) -> None:
    shown = disclose(desk.frame, (0,))
    desk.seal(desk.answer([(desk.frame.tree.commitment, shown)]), [])
    refused(desk, "names 1 disclosures, 0 came with it")


def test_refuses_a_statement_of_somebody_else(desk: Desk) -> None:
    shown = disclose(desk.frame, (0,))
    client = desk.story.verifier.people.client
    desk.seal(desk.answer([(desk.frame.tree.commitment, shown)], client), [shown])
    refused(desk, "its signer may not make a dispute.disclosure")


def test_refuses_an_answer_whose_signature_is_not_the_freelancers(desk: Desk) -> None:
    shown = disclose(desk.frame, (0,))
    forged = replace(desk.answer([(desk.frame.tree.commitment, shown)]), signature=bytes(64))
    desk.seal(forged, [shown])
    refused(desk, "the signature does not match")


@pytest.mark.parametrize("renewed", [True, False])
def test_after_a_rotation_the_new_key_answers_and_the_old_one_does_not(
    desk: Desk, *, renewed: bool
) -> None:
    people, verifier = desk.story.verifier.people, desk.story.verifier
    fresh = SeedSigner(bytes(32))
    old = people.freelancer.public_key
    rotation = KeyRotate.make(claimed_at=verifier.now, old=old, new=fresh)
    verifier.submit([sign(rotation, people.freelancer)])
    contents, _ = finish(verifier, desk.story.agent, ())
    bundle = desk.story.bundle(replace(contents, disclosures=()), signer=fresh)
    (desk.folder / "bundle").write_bytes(bundle.encode())
    shown = disclose(desk.frame, (0,))
    signer = fresh if renewed else people.freelancer
    desk.seal(desk.answer([(desk.frame.tree.commitment, shown)], signer), [shown])
    if renewed:
        done = desk.open()
        assert (done.code, done.err) == (0, "")
    else:
        refused(desk, "its key was rotated or revoked before")


def test_refuses_a_frame_that_was_asked_for_in_another_segment(desk: Desk) -> None:
    # Step 12 would refuse the bundle that shows it.
    record = read_record(desk.request)
    assert isinstance(record, DisputeRequest)
    elsewhere = tuple(
        replace(one, segment=desk.story.agent.frames[1].segment) for one in record.frames
    )
    arbitrator = desk.story.verifier.people.arbitrator
    moved = sign(replace(record, frames=elsewhere), arbitrator)
    (desk.folder / "request.cose").write_bytes(moved.encode())
    desk.answer_honestly()
    refused(desk, "was not asked for")


def test_refuses_an_answer_to_another_request(desk: Desk) -> None:
    shown = disclose(desk.frame, (0,))
    statement = desk.answer([(desk.frame.tree.commitment, shown)])
    record = read_record(statement)
    assert isinstance(record, DisputeDisclosure)
    other = replace(record, request=Digest(bytes(32)))
    desk.seal(sign(other, desk.story.verifier.people.freelancer), [shown])
    refused(desk, "answers another request")


def test_refuses_what_is_no_disclosure_statement(desk: Desk) -> None:
    desk.seal(desk.request, [])
    refused(desk, "what was sealed is malformed", code=2)


def test_refuses_a_changed_package(desk: Desk) -> None:
    desk.answer_honestly()
    sealed = bytearray((desk.folder / "sealed").read_bytes())
    sealed[-1] ^= 1
    (desk.folder / "sealed").write_bytes(sealed)
    refused(desk, "not sealed to this key for this request")


def test_refuses_another_case_key(desk: Desk) -> None:
    desk.answer_honestly()
    (desk.folder / "case.key").unlink()
    write_case_key(desk.folder / "case.key", bytes(range(96)))
    refused(desk, "is not the one of this request", code=2)


def test_refuses_a_request_that_no_arbitrator_signed(desk: Desk) -> None:
    desk.answer_honestly()
    forged = sign(read_record(desk.request), desk.story.verifier.people.client)
    (desk.folder / "request.cose").write_bytes(forged.encode())
    refused(desk, "not signed by an arbitrator of the terms")


def test_refuses_a_request_whose_signature_is_not_the_arbitrators(desk: Desk) -> None:
    desk.answer_honestly()
    forged = replace(desk.request, signature=bytes(64))
    (desk.folder / "request.cose").write_bytes(forged.encode())
    refused(desk, "the request is not signed")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"round": 1}, "tells another round than its segment"),
        ({"display": 1}, "tells another display than its place"),
        ({}, "tells another instant than the one that was drawn"),
        ({"offset_ms": 10_000}, "tells another instant than the one that was drawn"),
        ({"tile": 16}, "has other tiles than the terms ask for"),
    ],
)
def test_refuses_a_frame_that_was_committed_falsely(
    folder: Path, run: Run, change: dict[str, Any], says: str
) -> None:
    pixels = bytes(64 * 48 * 3)
    made: list[FrameTree] = []

    def lie(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        # The last segment with a frame, so that the disclosure in the bundle stays true.
        if not isinstance(record, Segment) or not record.frames or record.seq < 30:
            return record, signer
        header = FrameHeader(
            width=64, height=48, tile=32, display=0, round=record.round, offset_ms=5,
            nonce=bytes(16),
        )  # fmt: skip
        tree = commit_frame(replace(header, **change), pixels, bytes(16))
        made.append(tree)
        return replace(record, frames=(tree.commitment,)), signer

    story = tell_story(twist=lie)
    (folder / "bundle").write_bytes(story.bundle().encode())
    tree = made[-1]
    write_seed(folder / "arbitrator.key", seeded(story.verifier.seed, "party", "arbitrator"))
    done = run(
        "request", "--bundle", folder / "bundle", "--frame", tree.commitment, "--reason", "why?",
        "--key", folder / "arbitrator.key", "--case-key", folder / "case.key",
        "--out", folder / "request.cose",
    )  # fmt: skip
    assert done.code == 0
    desk = Desk(folder, story, run)
    shown = open_frame(tree, (0,), pixels=pixels, seed=bytes(16))
    desk.seal(desk.answer([(tree.commitment, shown)]), [shown])
    refused(desk, says)


def test_refuses_a_request_of_another_kind(desk: Desk) -> None:
    desk.answer_honestly()
    (desk.folder / "request.cose").write_bytes(desk.story.agent.made[0][0].encode())
    refused(desk, "is a statement of kind offer", code=2)


def test_refuses_a_bundle_that_does_not_hold_under_the_policy(desk: Desk) -> None:
    desk.answer_honestly()
    lines = (desk.folder / "policy").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("party client")]
    (desk.folder / "policy").write_text("".join(kept))
    refused(desk, "the bundle does not hold: step 5")


def test_refuses_a_withdrawn_frame(desk: Desk) -> None:
    frame = desk.frame
    shown = disclose(frame, (0,))
    desk.seal(desk.answer([(frame.tree.commitment, shown)]), [shown])
    desk.story.agent.withdraw(frame)
    second = desk.story.agent.frames[0]
    request = desk.story.agent.request([second])
    others = desk.story.agent.answer(request, [second])
    contents, _ = finish(desk.story.verifier, desk.story.agent, others)
    (desk.folder / "bundle").write_bytes(desk.story.bundle(contents).encode())
    refused(desk, "was withdrawn")


def test_draws_a_frame_that_was_withdrawn_after_the_logged_answer(desk: Desk) -> None:
    frame = desk.frame
    shown = disclose(frame, (0,))
    statement = desk.answer([(frame.tree.commitment, shown)])
    desk.seal(statement, [shown])
    desk.story.verifier.submit([desk.request])
    desk.story.verifier.submit([statement])
    desk.story.agent.withdraw(frame)
    contents, _ = finish(desk.story.verifier, desk.story.agent, ())
    (desk.folder / "bundle").write_bytes(desk.story.bundle(contents).encode())
    done = desk.open()
    assert (done.code, done.err) == (0, "")
    assert "frame 000008: holds" in done.out


def test_touches_no_folder_that_holds_something(desk: Desk) -> None:
    desk.answer_honestly()
    (desk.folder / "out").mkdir()
    (desk.folder / "out" / "mine").write_text("precious")
    done = desk.open("--out", desk.folder / "out")
    assert (done.code, done.out) == (2, "")
    assert [path.name for path in (desk.folder / "out").iterdir()] == ["mine"]


def signed_finding(path: Path) -> DisputeFinding:
    record = read_record(Statement.parse(path.read_bytes()))
    assert isinstance(record, DisputeFinding)
    return record


def test_what_the_check_found_is_signed_by_the_arbitrator(desk: Desk) -> None:
    shown = desk.answer_honestly()
    out, key = desk.folder / "finding.cose", desk.folder / "arbitrator.key"
    done = desk.open("--finding", out, "--key", key)
    assert (done.code, done.err) == (0, "")
    assert "1 of 1 disclosure hold" in done.out
    statement = Statement.parse(out.read_bytes())
    statement.verify_signature(desk.story.verifier.people.arbitrator.public_key)
    finding = signed_finding(out)
    assert finding.findings == (Finding(shown.digest, Verdict.HOLDS, 2, shown.header.grid.count),)
    assert finding.place is None


def test_what_fails_is_found_to_fail_and_nothing_of_it_is_drawn(desk: Desk) -> None:
    """The frame is another one than the statement says: the tiles verify, and not against it."""
    shown = disclose(desk.story.agent.frames[1], (0,))
    desk.seal(desk.answer([(desk.frame.tree.commitment, shown)]), [shown])
    out, key = desk.folder / "finding.cose", desk.folder / "arbitrator.key"
    done = desk.open("--finding", out, "--key", key, "--out", desk.folder / "drawn")
    assert done.code == 1
    assert not (desk.folder / "drawn").exists()
    assert [one.outcome for one in signed_finding(out).findings] == [Verdict.FAILS]


def test_there_is_no_finding_of_what_is_not_the_answer_or_by_another_key(desk: Desk) -> None:
    shown, out = desk.answer_honestly(), desk.folder / "finding.cose"
    key, other = desk.folder / "arbitrator.key", desk.folder / "client.key"
    write_seed(other, seeded(desk.story.verifier.seed, "party", "client"))
    for words, code, why in (
        (("--finding", out), 2, "expected --key"),
        (("--key", key), 2, "--key goes with --finding"),
        (("--finding", out, "--key", other), 2, "do not name this key as an arbitrator"),
        (("--finding", out, "--key", key, "--case", key), 2, "part of no case"),
    ):
        done = desk.open(*words)
        assert (done.code, why in done.err) == (code, True), done.err
    statement = desk.answer([(desk.frame.tree.commitment, shown)])
    desk.seal(statement, [shown, disclose(desk.story.agent.frames[1], (0,))])
    done = desk.open("--finding", out, "--key", key)
    assert (done.code, "so there is no finding" in done.err) == (1, True), done.err
    assert not out.exists()
