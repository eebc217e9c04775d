from itertools import pairwise
from pathlib import Path

import pytest

from support.office import Office, new_home
from support.simulator import ROUND_MS, START
from workseal_protocol.lottery import ChainSide, round_start, verify_value
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.beacon import WINDOW_MS


def rows(office: Office) -> list[tuple[int, int]]:
    return [(row.first_round, row.count) for row in office.verifier.records.beacons()]


def test_commits_the_rest_of_today_and_all_of_tomorrow(office: Office) -> None:
    (first, count), (next_first, next_count) = rows(office)
    assert next_first == first + count
    assert next_count == WINDOW_MS // ROUND_MS
    assert next_first * ROUND_MS % WINDOW_MS == 0


def test_no_value_precedes_its_commitment(office: Office) -> None:
    (first, _), _ = rows(office)
    signed_at = office.verifier.log.last_signed_at()
    assert signed_at is not None
    assert round_start(first, ROUND_MS) > signed_at * 1000


def test_commits_the_day_after_tomorrow_when_tomorrow_begins(office: Office) -> None:
    office.now += WINDOW_MS
    office.verifier.keep_house()
    office.verifier.keep_house()
    assert len(rows(office)) == 3
    assert rows(office)[2][0] == rows(office)[1][0] + rows(office)[1][1]


def test_commits_again_after_a_long_absence(office: Office) -> None:
    office.now += 10 * WINDOW_MS
    office.verifier.keep_house()
    assert len(rows(office)) == 4
    chain = office.verifier.beacon.in_force(ROUND_MS)
    assert round_start(chain.first_round, ROUND_MS) > office.now


def test_every_value_leads_to_the_committed_head(office: Office) -> None:
    row = office.verifier.beacon.in_force(ROUND_MS)
    for number in (row.first_round, office.now // ROUND_MS):
        verify_value(
            ChainSide.VERIFIER,
            head=row.head,
            first_round=row.first_round,
            count=row.count,
            round=number,
            value=office.value(number),
        )


def test_releases_a_value_at_the_first_millisecond_of_its_round(office: Office) -> None:
    number = office.now // ROUND_MS + 1
    office.now = round_start(number, ROUND_MS) - 1
    with pytest.raises(RefusedError) as early:
        office.value(number)
    assert (early.value.reason, early.value.retry_after) == (Reason.TOO_EARLY, 1)
    office.now += 1
    assert len(office.value(number)) == 32


def test_goes_on_with_its_secrets_after_a_restart(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.now = START
    number, before = START // ROUND_MS, rows(office)
    value = office.value(number)
    office.close()
    again = Office(settings, clock=office.clock).open()
    assert rows(again) == before
    assert again.value(number) == value
    again.close()


def test_a_secret_that_is_not_the_committed_one_is_never_released(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.close()
    for path in settings.keys.glob("beacon-*.secret"):
        path.write_text("00" * 32 + "\n")
    again = Office(settings, clock=office.clock).open()
    again.now = START
    with pytest.raises(RefusedError, match="not the committed one"):
        again.value(START // ROUND_MS)
    again.close()


def test_a_day_that_the_period_does_not_divide_loses_no_round(tmp_path: Path) -> None:
    period = 7_001
    office = Office(new_home(tmp_path, periods_ms=(period,))).open()
    for _ in range(3):
        office.now += WINDOW_MS
        office.verifier.keep_house()
    found = rows(office)
    assert len(found) == 5
    for (first, count), (after, _) in pairwise(found):
        assert first + count == after
    office.close()
