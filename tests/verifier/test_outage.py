"""A row of errors is the first line of each kind, and one when it ends."""

import pytest

from workseal_verifier.errors import StoreError, StoreFullError
from workseal_verifier.services.outage import SELDOM_S, Outage, Seldom


def test_the_first_of_each_kind_is_told_and_the_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    outage = Outage("over")
    outage.ends()
    for _ in range(3):
        outage.goes_on(StoreError("gone"), "gone")
        outage.goes_on(StoreFullError("full"), "full")
    outage.ends()
    outage.ends()
    outage.goes_on(StoreError("gone"), "gone again")
    told = [one.getMessage() for one in caplog.records]
    assert told == ["gone", "full", "over", "gone again"]


def test_what_comes_with_each_request_is_told_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A database that is away would else fill the disk, at the speed of strangers."""
    now = [0.0]
    errors = Seldom(lambda: now[0])
    for _ in range(100):
        errors.tell("gone")
    errors.tell("another")
    now[0] = SELDOM_S
    for _ in range(3):
        errors.tell("gone")
    now[0] = 3 * SELDOM_S
    errors.tell("another")
    assert [one.getMessage() for one in caplog.records] == [
        "gone",
        "another",
        "gone (99 times more since it was told)",
        "another",
    ]


def test_kinds_of_errors_do_not_fill_the_memory() -> None:
    errors = Seldom()
    for number in range(1_000):
        errors.tell(f"the error {number}")
    assert len(errors._told) == 64
