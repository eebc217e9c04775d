"""What the tests of verification share: one story told once, and how a report failed."""

import json
from functools import cache
from zoneinfo import ZoneInfo

from support.scripted import Story, tell_story
from vectors import generate
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.verify import Outcome, Report, examine_bundle

FOLDER = generate.FOLDER
VECTORS = sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def story() -> Story:
    """Tell the story that holds."""
    return tell_story()


@cache
def good() -> bytes:
    """Give its bundle."""
    return story().bundle().encode()


@cache
def vector(name: str) -> tuple[dict[str, object], Report]:
    """Give what stands beside a vector, and what examining it finds."""
    told = json.loads((FOLDER / f"{name}.json").read_text())
    policy = TrustPolicy.parse((FOLDER / told["policy"]).read_text())
    data = (FOLDER / told["bundle"]).read_bytes()
    return told, examine_bundle(data, policy, zone=ZoneInfo("Europe/Berlin"))


def assert_fails(report: Report, number: int, why: str) -> None:
    """Check that one step fails, and only that one."""
    assert not report.holds
    failed = [step for step in report.steps if step.outcome is Outcome.FAILS]
    assert [step.number for step in failed] == [number], failed
    assert why in failed[0].why
