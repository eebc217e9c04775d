"""Settings of the whole test run: Hypothesis profiles, and no silent skips where it counts."""

import gc
import os
import ssl
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import pytest
from hypothesis import HealthCheck, settings

# Twelve thousand tests and what they were read from stay until the end: the collector would look
# through all of it again and again while it grows, and take a quarter of the time of reading.
gc.disable()

TESTS = Path(__file__).parent

# Tests read English, whatever language the machine speaks; programs that they start do too.
os.environ["LANGUAGE"] = "en"

_make_context = ssl.create_default_context


@cache
def _trusting_authorities() -> ssl.SSLContext:
    return _make_context(cafile=certifi.where())


def _context(*arguments: Any, **named: Any) -> ssl.SSLContext:
    """Read the certificates of all authorities once: each client of httpx takes 50 ms for it."""
    if not arguments and named == {"cafile": certifi.where()}:
        return _trusting_authorities()
    return _make_context(*arguments, **named)


ssl.create_default_context = _context

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("default", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    """Where several processes read all files, let each begin with another folder.

    What one has compiled is there for the others: in the same order each would compile everything.
    """
    number = getattr(config, "workerinput", {}).get("workerid", "")[2:]
    if not number or [TESTS.parent / one for one in config.args] != [TESTS]:
        return
    large = ("verifier", "protocol", "agent")
    at = int(number) % len(large)
    begin = [TESTS / one for one in large[at:] + large[:at]]
    rest = {one for one in TESTS.iterdir() if one.match("test_*.py") or any(one.glob("test_*.py"))}
    config.args = [str(one) for one in (*begin, *sorted(rest - set(begin)))]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the files, begin with those that take long.

    What is begun last is what the others wait for. The journeys take longest; then what serves and
    records; and a test of the protocol, however many a file has, waits for nothing and nobody. Of
    each a file with few tests has real programs in it, and one with many has none.
    """
    if not hasattr(config, "workerinput"):
        return
    counts = Counter(one.path for one in items)
    items.sort(key=lambda one: (_turn(one.path), counts[one.path], one.path))


def _turn(path: Path) -> int:
    folder = path.relative_to(TESTS).parts[0]
    if folder == "journeys":
        return 0
    return 2 if folder in ("protocol", path.name) else 1


def pytest_collection_finish() -> None:
    """Let the collector look at what the tests make, and no more at the tests themselves."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped something when WORKSEAL_NO_SKIPS is set (the CI does)."""
    if not os.environ.get("WORKSEAL_NO_SKIPS"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{len(skipped)} skipped: counted as a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
