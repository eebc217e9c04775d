import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from support.builders import STRANGER, digest, make_filing
from support.scripted import Story, disclose, finish, tell_filed, tell_story
from support.simulator import seeded
from workseal_protocol.cli.outline import outline
from workseal_protocol.cli.seeds import write_seed, write_tag_key
from workseal_protocol.commitment import ValueKind
from workseal_protocol.desk import TagList, tag_of
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisclosedFrame,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeRequest,
    Segment,
    read_record,
    sign,
)
from workseal_protocol.sealing import seal_package
from workseal_protocol.statement import Statement

from .conftest import Outcome, Run

KEY = bytes(range(32))


def check(run: Run, folder: Path, *more: object) -> Outcome:
    return run("case", "checks", folder / "bundle", "--policy", folder / "policy", *more)


def test_every_check_says_something_and_how_to_see_its_proof(folder: Path, run: Run) -> None:
    done = check(run, folder)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    told = [line for line in lines if line[:4].strip() in {"", "-", "(?)"} and line[4:5].isdigit()]
    assert [line[4] for line in told] == list("123456789")
    assert "    4 revealed share: 66.6 % of the pixels of 1 frames are shown" in done.out
    assert "no verdict" in done.out
    assert "Not proven, whatever the checks say:" in lines
    # The printed command runs, and prints what the figure is counted from.
    (command,) = {line.split("proof: ")[1] for line in lines if "--only 4 " in line}
    again = run(*shlex.split(command)[1:])
    assert again.code == 0
    assert "2 of 4 tiles shown, 0 of one colour" in again.out


def test_the_same_as_json(folder: Path, run: Run) -> None:
    shown = json.loads(check(run, folder, "--json", "--only", 1, "--only", 5).out)
    assert [one["number"] for one in shown["checks"]] == [1, 5]
    assert shown["checks"][1]["outcome"] == "not run"
    assert shown["checks"][0]["command"].endswith("--only 1 --proof")
    assert len(shown["not_proven"]) == 3


def test_the_exit_code_tells_of_the_bundle_and_not_of_what_was_noticed(
    folder: Path, run: Run, story: Story
) -> None:
    frame = story.agent.frames[0].tree.commitment
    tags = TagList(story.agent.engagement, {frame: bytes(16), digest(1): bytes(16)})
    (folder / "tags").write_bytes(tags.encode())
    done = check(run, folder, "--tags", folder / "tags", "--only", 7)
    assert (done.code, done.out[:5]) == (0, "(?) 7")
    assert "\n1 check noticed something, which is a question" in done.out
    (folder / "bundle").write_bytes((folder / "bundle").read_bytes()[:-1])
    done = check(run, folder)
    assert (done.code, "the bundle" in done.err, done.out) == (2, True, "")
    changed = replace(story.contents, indices=(0, *range(2, len(story.contents.indices) + 1)))
    (folder / "bundle").write_bytes(story.bundle(changed).encode())
    done = check(run, folder)
    assert (done.code, "the bundle does not hold: step" in done.err) == (1, True), done.err


def test_openings_beside_the_bundle_count(folder: Path, run: Run, story: Story) -> None:
    path = folder / "openings"
    path.write_bytes(b"".join(one.encode() for one in story.agent.openings))
    done = check(run, folder, "--openings", path, "--only", 9)
    assert done.code == 0, done.err
    opened = [one for one in story.agent.openings if one.kind is ValueKind.ACTIVITY]
    other = replace(opened[-1], salt=bytes(16))
    path.write_bytes(other.encode())
    done = check(run, folder, "--openings", path)
    assert (done.code, "what was opened does not hold: opening" in done.err) == (1, True)
    path.write_bytes(b"junk")
    assert check(run, folder, "--openings", path).code == 2


def test_a_filing_narrows_the_hours(folder: Path, run: Run, story: Story) -> None:
    segments = [
        one for one in map(read_record, story.contents.statements) if isinstance(one, Segment)
    ]
    filing = make_filing(
        engagement=story.agent.engagement, begin=segments[1].begin, end=segments[1].end
    )
    (folder / "filing").write_bytes(sign(filing, story.verifier.people.client).encode())
    done = check(run, folder, "--filing", folder / "filing", "--only", 1)
    assert "0 h 00 min 10 s of 0 h 00 min 10 s are recorded" in done.out
    # A whole case as `case show --save` writes it says the same: it begins with its filing.
    more = story.contents.statements[0].encode()
    (folder / "case.cbor").write_bytes((folder / "filing").read_bytes() + more)
    whole = check(run, folder, "--filing", folder / "case.cbor", "--only", 1)
    assert whole.out == done.out.replace(str(folder / "filing"), str(folder / "case.cbor"))
    (folder / "filing").write_bytes(more)
    done = check(run, folder, "--filing", folder / "filing")
    assert (done.code, "expected a filing first, found" in done.err) == (2, True)
    (folder / "filing").write_bytes(b"junk")
    assert check(run, folder, "--filing", folder / "filing").code == 2


def test_a_filing_of_another_agreement_is_refused(folder: Path, run: Run, story: Story) -> None:
    """The same two people have two agreements, and somebody takes the wrong file."""
    ours = make_filing(engagement=story.agent.engagement, begin=0, end=9_000_000_000_000)
    other = replace(ours, engagement=bytes(16))
    for filing, code in ((ours, 0), (other, 1)):
        signed = sign(filing, story.verifier.people.client)
        (folder / "filing").write_bytes(signed.encode())
        done = check(run, folder, "--filing", folder / "filing", "--only", 1)
        assert done.code == code, done.err
    assert done.err.endswith("the case is about another engagement than the bundle\n")
    assert done.out == ""


def test_a_filing_tells_which_frames_went_after_it(folder: Path, run: Run) -> None:
    story, filing, _ = tell_filed()
    (folder / "bundle").write_bytes(story.bundle().encode())
    (folder / "policy").write_text(story.policy.encode())
    (folder / "filing").write_bytes(filing.encode())
    done = check(run, folder, "--filing", folder / "filing", "--only", 1)
    assert (done.code, done.out[:5]) == (0, "(?) 1"), done.err
    assert ", 1 of them withdrawn (1 after the case was filed) and 1 deleted once" in done.out
    # Without a case nothing is disputed.
    whole = check(run, folder, "--only", 1).out
    assert ", 0 of them withdrawn and 2 deleted once the agreed days were over, " in whole
    record = read_record(filing)
    assert isinstance(record, DisputeFiling)
    other = sign(replace(record, text="another filing"), story.verifier.people.client)
    (folder / "filing").write_bytes(other.encode())
    told = check(run, folder, "--filing", folder / "filing", "--only", 1).out
    assert "2 deleted once the agreed days were over (the bundle has no filing, so" in told


def test_a_sealed_package_is_looked_into_and_its_tags_compared(
    folder: Path, run: Run, story: Story
) -> None:
    frame = story.agent.frames[0]
    sealed = _sealed(folder, run, story, shown=(0, 1, 2, 3))
    header = frame.tree.header
    tag = tag_of(KEY, outline(header.width, header.height, frame.pixels))
    tags = TagList(story.agent.engagement, {frame.tree.commitment: tag, digest(1): bytes(16)})
    (folder / "tags").write_bytes(tags.encode())
    write_tag_key(folder / "tag.key", KEY)
    more = (*sealed, "--tags", folder / "tags", "--tag-key", folder / "tag.key")
    done = check(run, folder, *more, "--only", 7)
    assert done.code == 0, done.err
    assert "1 tags could be compared with wholly shown frames, 0 are not those" in done.out
    false = TagList(story.agent.engagement, {frame.tree.commitment: bytes(16)})
    (folder / "tags").write_bytes(false.encode())
    done = check(run, folder, *more, "--only", 7, "--proof")
    assert "its pixels have another tag" in done.out
    done = check(run, folder, *sealed, "--only", 4)
    assert "100.0 % of the pixels of 1 frames" in done.out


def test_what_was_taken_back_is_not_looked_into(folder: Path, run: Run) -> None:
    story = tell_story()
    sealed = _sealed(folder, run, story, shown=(0, 1))
    answer = Statement.parse((folder / "answer.cose").read_bytes())
    place = CasePlace(Digest(bytes(32)), Digest(bytes(32)))
    for cited, code in ((place.case, 0), (answer.digest, 1)):
        act = DisputeAct(
            engagement=story.agent.engagement,
            claimed_at=story.verifier.now,
            place=place,
            act=Act.CLAW_BACK,
            text="a mistake",
            cites=(cited,),
        )
        story.verifier.submit([sign(act, story.verifier.people.freelancer)])
        contents, _ = finish(story.verifier, story.agent, ())
        (folder / "bundle").write_bytes(story.bundle(contents).encode())
        done = check(run, folder, *sealed, "--only", 4)
        assert done.code == code, done.err
    assert "was disclosed by mistake and taken back" in done.err


@pytest.mark.parametrize("wrong", ["signer", "request"])
def test_a_package_is_an_answer_of_the_freelancer(
    folder: Path, run: Run, story: Story, wrong: str
) -> None:
    sealed = _sealed(folder, run, story, shown=(0, 1))
    request = Statement.parse((folder / "request.cose").read_bytes())
    record = read_record(request)
    answer = read_record(Statement.parse((folder / "answer.cose").read_bytes()))
    assert isinstance(record, DisputeRequest)
    assert isinstance(answer, DisputeDisclosure)
    signer = story.verifier.people.freelancer if wrong == "request" else STRANGER
    false = replace(answer, request=Digest(bytes(32))) if wrong == "request" else answer
    disclosure = disclose(story.agent.frames[0], (0, 1))
    items = [sign(false, signer).encode(), disclosure.encode()]
    (folder / "sealed").write_bytes(seal_package(record.sealing_key, request.digest, items))
    done = check(run, folder, *sealed, "--only", 4)
    assert (done.code, "what was opened does not hold" in done.err) == (1, True)


def test_wrong_use_is_one_sentence(folder: Path, run: Run, story: Story) -> None:
    (folder / "tags").write_bytes(b"junk")
    write_tag_key(folder / "tag.key", KEY)
    for more, words in (
        (("--only", 10), "there is no check 10: they are 1 to 9"),
        (("--sealed", folder / "x"), "belong together"),
        (("--tag-key", folder / "tag.key"), "--tag-key belongs to --tags"),
        (("--tags", folder / "tags"), "are malformed"),
        (("--tags", folder / "none"), "cannot read the tags"),
    ):
        done = check(run, folder, *more)
        assert (done.code, words in done.err, done.out) == (2, True, ""), done.err
    another = TagList(bytes(16), {digest(1): bytes(16)})
    (folder / "tags").write_bytes(another.encode())
    done = check(run, folder, "--tags", folder / "tags")
    assert (done.code, "another engagement" in done.err) == (1, True)
    assert story.agent.engagement != bytes(16)


def _sealed(folder: Path, run: Run, story: Story, shown: tuple[int, ...]) -> tuple[object, ...]:
    write_seed(folder / "arbitrator.key", seeded(story.verifier.seed, "party", "arbitrator"))
    done = run(
        "request", "--bundle", folder / "bundle", "--frame", "000008", "--reason", "why?",
        "--key", folder / "arbitrator.key", "--case-key", folder / "case.key",
        "--out", folder / "request.cose",
    )  # fmt: skip
    assert done.code == 0, done.err
    request = Statement.parse((folder / "request.cose").read_bytes())
    record = read_record(request)
    assert isinstance(record, DisputeRequest)
    frame = story.agent.frames[0]
    disclosure = disclose(frame, shown)
    answer = DisputeDisclosure(
        engagement=story.agent.engagement,
        claimed_at=story.verifier.now,
        request=request.digest,
        frames=(DisclosedFrame(frame.tree.commitment, disclosure.digest),),
    )
    statement = sign(answer, story.verifier.people.freelancer)
    items = [statement.encode(), disclosure.encode()]
    sealed = seal_package(record.sealing_key, request.digest, items)
    (folder / "sealed").write_bytes(sealed)
    (folder / "answer.cose").write_bytes(statement.encode())
    return (
        "--sealed", folder / "sealed", "--request", folder / "request.cose",
        "--case-key", folder / "case.key",
    )  # fmt: skip
