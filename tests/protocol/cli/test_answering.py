import stat
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.examined import story
from support.grown import grown
from support.scripted import ScriptedAgent, Story, begin, finish
from support.simulator import DAY_MS, START, Simulator, seeded
from vectors.scenarios.holds import valid_timesheets
from vectors.scenarios.telling import SEED
from workseal_protocol.cli.seeds import write_seed
from workseal_protocol.records import SheetAnswer, TimesheetAnswer, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.timesheets import SheetFinding
from workseal_protocol.verify import Report, examine_bundle

from .conftest import Outcome, Run

Answer = Callable[..., Outcome]
Accept = Callable[[SheetFinding], Outcome]
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def data() -> bytes:
    return valid_timesheets().data


@pytest.fixture(scope="module")
def report(data: bytes) -> Report:
    return examine_bundle(data, story().policy)


@pytest.fixture
def folder(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "bundle").write_bytes(data)
    (tmp_path / "policy").write_text(story().policy.encode())
    write_seed(tmp_path / "client", seeded(SEED, "party", "client"))
    return tmp_path


@pytest.fixture
def answer(folder: Path, run: Run, report: Report) -> Answer:
    def call(place: int, *words: object) -> Outcome:
        name = str(report.timesheets[place].digest)[:12]
        return run(
            "answer", folder / "bundle", "--policy", folder / "policy",
            "--key", folder / "client", "--timesheet", name, *words,
        )  # fmt: skip

    return call


@pytest.fixture
def accept(folder: Path, run: Run) -> Accept:
    """Accept a timesheet of whatever bundle lies in the folder."""

    def call(sheet: SheetFinding) -> Outcome:
        return run(
            "answer", folder / "bundle", "--policy", folder / "policy", "--key", folder / "client",
            "--timesheet", str(sheet.digest)[:12], "--accept", "--out", folder / "answer",
        )  # fmt: skip

    return call


@pytest.mark.parametrize(
    ("words", "said", "text"),
    [
        (("--accept",), SheetAnswer.ACCEPTED, None),
        (("--question", "the whole day?"), SheetAnswer.QUESTION, "the whole day?"),
        (("--object", "an hour at most"), SheetAnswer.OBJECTION, "an hour at most"),
    ],
)
def test_signs_what_was_said_to_the_timesheet(
    folder: Path,
    answer: Answer,
    report: Report,
    words: tuple[str, ...],
    said: SheetAnswer,
    text: str | None,
) -> None:
    done = answer(1, *words, "--out", folder / "answer")
    assert (done.code, done.err) == (0, "")
    assert f"{said.name.lower()}; the answer is written, and in no log yet" in done.out
    assert "0 h 01 min 00.000 s recorded" in done.out
    statement = Statement.parse((folder / "answer").read_bytes())
    assert report.terms is not None
    statement.verify_signature(report.terms.client)
    record = read_record(statement)
    assert isinstance(record, TimesheetAnswer)
    assert (record.timesheet, record.answer, record.text) == (
        report.timesheets[1].digest,
        said,
        text,
    )
    assert stat.S_IMODE((folder / "answer").stat().st_mode) & 0o111 == 0


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (0, "was replaced by"),
        (2, "cannot be accepted: differs from the record"),
        (3, "cannot be accepted: not checked"),
    ],
)
def test_what_is_not_right_cannot_be_accepted_and_can_be_objected_to(
    folder: Path, answer: Answer, place: int, why: str
) -> None:
    done = answer(place, "--accept", "--out", folder / "answer")
    assert (done.code, done.out) == (1, "")
    assert why in done.err
    assert not (folder / "answer").exists()
    assert answer(place, "--object", "no", "--out", folder / "answer").code == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--accept",), 2, "name --send URL, --out FILE, or both"),
        (("--accept", "--out", "bundle"), 2, "exists already"),
        (("--accept", "--question", "x", "--out", "a"), 2, "not allowed with argument"),
        (("--out", "a"), 2, "is required"),
        (("--object", "", "--out", "a"), 2, "the answer cannot be made"),
        (("--object", "x" * 501, "--out", "a"), 2, "1 to 500 characters"),
        (("--accept", "--timesheet", "ff", "--out", "a"), 2, "at least 8"),
        (("--accept", "--timesheet", "0123456789", "--out", "a"), 2, "found 0"),
        (("--accept", "--send", "gopher://x"), 2, "an address is https://"),
    ],
)
def test_wrong_use_gets_a_sentence_and_signs_nothing(
    folder: Path,
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    done = answer(1, *words)
    assert done.code == code
    assert sentence in done.err
    assert sorted(folder.iterdir()) == before


def test_another_key_than_the_clients_signs_nothing(folder: Path, answer: Answer) -> None:
    (folder / "client").unlink()
    write_seed(folder / "client", seeded(SEED, "party", "arbitrator"))
    done = answer(1, "--object", "no", "--out", folder / "answer")
    assert (done.code, done.out) == (2, "")
    assert "not the client's" in done.err
    assert not (folder / "answer").exists()


def test_days_that_are_accepted_already_cannot_be_accepted_again(
    folder: Path, accept: Accept
) -> None:
    told = _summed_twice()
    bundle = told.bundle().encode()
    (folder / "bundle").write_bytes(bundle)
    week, day, other = examine_bundle(bundle, story().policy, zone=ZONE).timesheets

    done = accept(day)
    assert (done.code, done.out) == (1, "")
    assert f"accepted already, in {str(week.digest)[:12]}" in done.err
    # The same again changes nothing, and other days are others.
    assert accept(week).code == 0
    (folder / "answer").unlink()
    assert accept(other).code == 0


def test_who_accepts_is_told_of_the_days_that_grew_since(folder: Path, accept: Accept) -> None:
    told = grown()
    (folder / "bundle").write_bytes(told.bundle().encode())
    (folder / "policy").write_text(told.policy.encode())
    (folder / "client").unlink()
    write_seed(folder / "client", seeded(told.verifier.seed, "party", "client"))
    report = examine_bundle(told.bundle().encode(), told.policy, zone=ZONE)
    done = accept(report.timesheets[0])
    assert (done.code, done.err) == (0, "")
    grew = "it has not the hours that came to these days after it was made: 2026-03-02, 2026-03-03"
    assert grew in done.out.splitlines()


def test_a_replacement_takes_no_accepted_day_out_of_the_count(
    folder: Path, run: Run, accept: Accept
) -> None:
    """Two days are accepted; the second alone replaces them; the first comes alone again."""
    told = _taken_apart()
    bundle = told.bundle().encode()
    (folder / "bundle").write_bytes(bundle)
    both, second, first = examine_bundle(bundle, story().policy, zone=ZONE).timesheets
    assert both.replaced_by == second.digest

    done = accept(second)
    assert done.code == 0
    name = str(both.digest)[:12]
    assert f"accepted before, in {name}: 2026-03-03" in done.out
    assert f"it replaces {name}" in done.out
    assert "go on counting there: 2026-03-02" in done.out
    (folder / "answer").unlink()
    done = accept(first)
    assert (done.code, done.out) == (1, "")
    assert f"accepted already, in {name}: 2026-03-02" in done.err
    assert not (folder / "answer").exists()
    out = run("verify", folder / "bundle", "--policy", folder / "policy").out
    assert "STILL COUNTING here" in out
    assert f"ACCEPTED in {name} as well: 2026-03-03\n" in out
    assert f"ACCEPTED in {name} as well: 2026-03-02\n    and counting there: 2026-03-02" in out


def _two_days() -> tuple[Simulator, ScriptedAgent, date]:
    """Work on two days; the first of them is given."""
    verifier = Simulator(SEED)
    agent = begin(verifier)
    for _ in range(2):
        agent.open_session()
        agent.work(34_000)
        agent.close_session()
        verifier.now += DAY_MS
    first = datetime.fromtimestamp(START / 1000, tz=UTC).date()
    return verifier, agent, first


def _taken_apart() -> Story:
    verifier, agent, first = _two_days()
    second = first + timedelta(days=1)
    both = agent.sum_up(first, second)
    agent.reply(both, SheetAnswer.ACCEPTED)
    agent.sum_up(second, second, replaces=both.digest)
    agent.sum_up(first, first)
    contents, tsa = finish(verifier, agent, ())
    return Story(verifier, agent, contents, tsa)


def _summed_twice() -> Story:
    verifier, agent, first = _two_days()
    agent.reply(agent.sum_up(first - timedelta(days=3), first), SheetAnswer.ACCEPTED)
    agent.sum_up(first, first)
    agent.sum_up(first + timedelta(days=1), first + timedelta(days=1))
    contents, tsa = finish(verifier, agent, ())
    return Story(verifier, agent, contents, tsa)


def test_a_bundle_that_does_not_hold_is_not_answered(folder: Path, answer: Answer) -> None:
    data = bytearray((folder / "bundle").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "bundle").write_bytes(data)
    done = answer(1, "--object", "no", "--out", folder / "answer")
    assert done.code == 1
    assert "the bundle does not hold" in done.err
