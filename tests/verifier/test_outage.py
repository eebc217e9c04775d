"""A row of errors is the first line of each kind, and one when it ends."""

import pytest

from workseal_verifier.errors import StoreError, StoreFullError
from workseal_verifier.services.outage import Outage


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
