"""The offline page and Python, side by side: drawn engagements, and what is left of spoiled ones.

The short form looks at some hundreds. `WORKSEAL_LONG=1` looks at 10,000 that hold and 100,000
that were spoiled (some two hours of one core); each test prints how many it compared, and which
steps failed. `WORKSEAL_SLICE=3/20` looks at the third of twenty equal parts of all that:

    WORKSEAL_LONG=1 pytest -rP tests/protocol/test_page_differential.py
    WORKSEAL_LONG=1 WORKSEAL_SLICE=3/20 pytest -rP tests/protocol/test_page_differential.py
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.utils import CryptographyDeprecationWarning

from support.drawn import (
    ZONES,
    drawn,
    month,
    spoiled,
    spoiled_policy,
    spoiled_sheet,
    spoiled_stamps,
    summed_up,
)
from support.offline_page import NodePage, checked_once, differences, python_says
from support.scripted import Story
from support.spectotals import in_its_form, spec_says
from workseal_protocol.cli.page import offline_page
from workseal_protocol.errors import MalformedError
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.timesheets import Agreement

# A spoiled certificate may have a number that a later version of the library refuses.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{CryptographyDeprecationWarning.__module__}.{CryptographyDeprecationWarning.__name__}"
)
# What Python and the page once told apart: an authority's usages that nobody can read, a key whose
# parameters are of another algorithm, a root that names another's serial number for its own, and
# one whose other names nobody can read.
ONCE_APART = (795, 2521, 6355, 16303)
LONG = bool(os.environ.get("WORKSEAL_LONG"))
PARTS = 2
VALID = 10_000 if LONG else 24
TWISTED = 12_500 if LONG else 26
SPOILED = 8  # of each twisted one, with one spoiled policy among them
SLICE, SLICES = map(int, os.environ.get("WORKSEAL_SLICE", "1/1").split("/"))
MONTHS = (
    ZONES if LONG and SLICE == 1 else ("America/Sao_Paulo", "Europe/Berlin", "America/St_Johns")
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodePage]:
    path = tmp_path_factory.mktemp("page") / "verify.html"
    path.write_bytes(offline_page())
    with NodePage(path) as page, checked_once():
        yield page


def zone_of(story: Story) -> ZoneInfo:
    return ZoneInfo(story.agent.terms.zone)


def numbers(count: int, part: int = 0, parts: int = 1) -> range:
    """Give the numbers of one of the parts of this slice of so many."""
    place, places = (SLICE - 1) * parts + part, SLICES * parts
    return range(place * count // places, (place + 1) * count // places)


def tell(seen: Counter[tuple[int, ...]]) -> None:
    """Print how many were compared; `-rP` shows it."""
    steps: Counter[int] = Counter()
    for failing, count in seen.items():
        steps.update(dict.fromkeys(failing, count))
    figures = f"{seen.total()} compared, all alike; failing steps: {sorted(steps.items())}"
    print(figures)  # noqa: T201 - the campaign's figures


@pytest.mark.parametrize("part", range(PARTS))
def test_both_say_the_same_of_engagements_that_hold(page: NodePage, part: int) -> None:
    seen: Counter[tuple[int, ...]] = Counter()
    for number in numbers(VALID, part, PARTS):
        story, data = drawn(number)
        policy = story.policy.encode().encode()
        seen[both_say(page, data, policy, zone_of(story), str(number))] += 1
    tell(seen)
    assert seen.keys() == {()}


@pytest.mark.parametrize("part", range(PARTS))
def test_both_say_the_same_of_what_was_spoiled(page: NodePage, part: int) -> None:
    seen: Counter[tuple[int, ...]] = Counter()
    for number in numbers(TWISTED, part, PARTS):
        story, data = drawn(number, twisted=True)
        dice = random.Random(number)
        text = story.policy.encode()
        pairs = [(data, text.encode()), (data, spoiled_policy(text, dice))]
        pairs += [
            (spoiled(data, story.verifier.people, dice), text.encode())
            for _ in range(SPOILED - len(pairs))
        ]
        for place, (bundle, policy) in enumerate(pairs):
            seen[both_say(page, bundle, policy, zone_of(story), f"{number}.{place}")] += 1
    tell(seen)
    # The spoiling reaches far: not all of it ends where the file is read.
    assert len(seen) > 3


def test_both_say_the_same_of_changed_timesheets_and_answers(page: NodePage) -> None:
    seen: Counter[str] = Counter()
    for number in numbers(400 if LONG else 4):
        story = summed_up(number, 60)
        data = story.bundle().encode()
        page.ask(data, story.policy.encode().encode())
        known = python_says(data, story.policy, zone_of(story))
        told = page.answer()
        assert differences(told, known) == [], number
        assert told["holds"], number
        for one in told["timesheets"]:
            seen.update((one["agreement"], one["why"], f"replaced: {bool(one['replaced_by'])}"))
            seen.update(answer["answer"] for answer in one["answers"])
            seen.update(["no answer"] * (not one["answers"]))
            seen.update(["accepted again"] * bool(one["accepted_again"]))
    print(sorted(seen.items()))  # noqa: T201 - the campaign's figures
    # Each finding with each reason, each answer, and whether it was replaced.
    assert seen.keys() >= {*map(str, Agreement), "accepted", "question", "objection", "no answer"}
    assert seen.keys() >= {"replaced: True", "replaced: False", "accepted again"}
    assert len([why for why in seen if why.startswith(("it ", "its ", "the statement "))]) == 4


def test_both_say_the_same_of_spoiled_timesheets_and_answers(page: NodePage) -> None:
    story = summed_up(0, 12)
    data, policy = story.bundle().encode(), story.policy.encode().encode()
    seen: Counter[tuple[int, ...]] = Counter()
    for number in numbers(20_000 if LONG else 100):
        bundle = spoiled_sheet(data, story.verifier.people, random.Random(number))
        seen[both_say(page, bundle, policy, zone_of(story), str(number))] += 1
    tell(seen)
    # Some are no timesheets, and some are others than the one in the log.
    assert {(1,), (4,)} <= seen.keys()


def test_both_say_the_same_of_spoiled_certificates_and_tokens(page: NodePage) -> None:
    story, data = drawn(2)
    assert story.contents.token is not None
    seen: Counter[tuple[int, ...]] = Counter()
    for number in (*ONCE_APART, *numbers(20_000 if LONG else 100)):
        dice = random.Random(number)
        people, text = story.verifier.people, story.policy.encode()
        bundle, policy = spoiled_stamps(data, text, people, dice)
        seen[both_say(page, bundle, policy, zone_of(story), str(number))] += 1
    tell(seen)


def both_say(
    page: NodePage, bundle: bytes, policy: bytes, zone: ZoneInfo, name: str
) -> tuple[int, ...]:
    """Compare two reports, and give the steps that fail; 0 stands for a malformed policy."""
    page.ask(bundle, policy)
    try:
        known = python_says(bundle, TrustPolicy.parse(policy.decode()), zone)
    except (UnicodeDecodeError, MalformedError):
        assert "policy" in page.answer(), name
        return (0,)
    told = page.answer()
    assert differences(told, known) == [], name
    return tuple(step["number"] for step in known["steps"] if step["outcome"] == "fails")


@pytest.mark.parametrize("zone", MONTHS)
def test_a_month_adds_up_to_the_millisecond_in_both_and_by_the_specification_alone(
    page: NodePage, zone: str, tmp_path: Path
) -> None:
    story = month(zone)
    data = story.bundle().encode()
    told = page.examine(data, story.policy.encode().encode())
    assert differences(told, python_says(data, story.policy, ZoneInfo(zone))) == []
    assert told["holds"]
    (tmp_path / "month.bundle").write_bytes(data)
    (said,) = spec_says([tmp_path / "month.bundle"])
    assert in_its_form(told) == said
    assert said["activity"]
    assert said["labels"][0].keys() == {"project 0", "project 1", "no label"}
    assert len(said["timesheets"]) == 3
    totals = told["totals"]
    assert len(totals["days"]) >= 28
    assert totals["withdrawn"] > 0
    parts = [sum(day["worked_ms"].values()) for day in totals["days"]]
    assert sum(parts) == totals["worked_ms"] + totals["late_declared_ms"]
    assert totals["worked_ms"] == sum(
        span["worked_ms"]
        for span in told["diary"]
        if span["state"] not in ("late-declared", "paused", "no session")
    )
