"""A freelancer sums up, the client checks and answers, the freelancer reads it: real commands."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.agreed import today, yesterday
from support.world import World, attempt, wait_for

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Tell a story for this module alone: a copy of its freelancer records."""
    with World.told(tmp_path_factory.mktemp("world")) as world:
        yield world


def test_hours_are_summed_up_questioned_replaced_and_accepted(world: World, tmp_path: Path) -> None:
    worker = world.freelancer.copy(tmp_path / "freelancer")
    days = ("--from", str(yesterday()), "--to", str(today() + timedelta(days=1)))

    def summed() -> str:
        made = worker.attempt("timesheet", *days, "--yes").fine()
        assert "recorded" in made
        assert "is in the log" in made
        return made.split("timesheet ")[-1].split()[0]

    def bundle(name: str) -> Path:
        worker.agent("export", tmp_path / name, "--no-receipts")
        return tmp_path / name

    def answer(file: Path, sheet: str, *said: str) -> str:
        return attempt(
            world.client, "workseal", "answer", file, "--policy", "policy", "--key", "key",
            "--timesheet", sheet, "--send", world.server.url, *said,
        ).fine()  # fmt: skip

    refused = worker.attempt("timesheet", *days)
    assert "nothing was signed" in refused.told(1)
    first = summed()
    assert "is in the log" in answer(bundle("one"), first, "--question", "what was\ndone?")
    listed = worker.attempt("timesheets").fine()
    assert f"{first}  " in listed
    assert "the client asks: what was\\ndone?" in listed

    again = worker.attempt("timesheet", "--from", days[1], "--to", str(today()), "--yes")
    assert "would be counted twice" in again.told(1)
    second = summed()
    replaced = worker.attempt("timesheet", *days).out
    assert "replaces your timesheet" in replaced
    assert "accepted there no longer counts then: they have to answer again" in replaced
    gone = attempt(
        world.client, "workseal", "answer", bundle("two"), "--policy", "policy", "--key", "key",
        "--timesheet", first, "--send", world.server.url, "--accept",
    )  # fmt: skip
    assert "was replaced by" in gone.told(1)
    answer(tmp_path / "two", second, "--accept")
    shown = attempt(
        world.client, "workseal", "verify", bundle("three"), "--policy", "policy", "--json"
    ).fine()
    report = json.loads(shown)
    assert report["holds"]
    one, two = report["timesheets"]
    assert (one["agreement"], two["agreement"]) == ("agrees with the record",) * 2
    assert one["replaced_by"] == two["timesheet"]
    assert [said["answer"] for said in two["answers"]] == ["accepted"]
    assert two["amount_minor"] == report["totals"]["billed"]["amount_minor"]
    assert "the client accepts" in worker.attempt("timesheets").fine()


def test_a_stranger_answers_nothing_and_a_running_record_sends_it(
    world: World, tmp_path: Path
) -> None:
    worker = world.freelancer.copy(tmp_path / "freelancer")
    week = f"{today():%G-W%V}"
    with worker.recording():
        wait_for(lambda: worker.stored("statements", "kind = 'segment'") >= 1, "a segment")
        worker.attempt("pause").fine()
        wait_for(worker.sent, "everything to be sent")
        made = worker.attempt("timesheet", "--week", week, "--yes").fine()
        assert "the recording process sends it" in made
        name = made.split("timesheet ")[-1].split()[0]
    wait_for(worker.sent, "the timesheet to be sent")
    worker.agent("export", tmp_path / "bundle", "--no-receipts")
    done = attempt(
        world.arbitrator, "workseal", "answer", tmp_path / "bundle",
        "--policy", world.policy, "--key", "key",
        "--timesheet", name, "--send", world.server.url, "--object", "not mine",
    )  # fmt: skip
    assert "not the client's in this bundle" in done.told(2)
