from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from support.office import FakeClock, LiveServer, Office, new_home, stranger_offer
from support.relay import CachingRelay, has_nginx
from support.simulator import ROUND_MS, START
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import sample_round
from workseal_protocol.lottery import ChainSide, round_start, verify_value
from workseal_protocol.records import BeaconCommitment, sign
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.beacon import WINDOW_MS
from workseal_verifier.services.health import BEACON

HEAD = Digest(bytes(32))


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
    office.verifier.housekeeping.keep()
    office.verifier.housekeeping.keep()
    assert len(rows(office)) == 3
    assert rows(office)[2][0] == rows(office)[1][0] + rows(office)[1][1]


@pytest.mark.parametrize("hour", [0, 1, 6, 12, 18, 23])
def test_the_round_that_draws_a_sample_is_committed_to_before_the_ruling(
    office: Office, hour: int
) -> None:
    """Else the operator could choose its values when the secrets are out."""
    office.now += -office.now % WINDOW_MS + hour * 3_600_000 + 3_599_000
    office.verifier.housekeeping.keep()
    number = sample_round(office.now, ROUND_MS)
    assert office.verifier.beacon.chain_of(ROUND_MS, number).first_round <= number


def test_commits_again_after_a_long_absence(office: Office) -> None:
    office.now += 10 * WINDOW_MS
    office.verifier.housekeeping.keep()
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
    with pytest.raises(RefusedError, match="was lost"):
        again.value(START // ROUND_MS)
    assert len(again.verifier.beacon.lost()) == 1
    again.close()


def test_a_day_that_the_period_does_not_divide_loses_no_round(tmp_path: Path) -> None:
    period = 7_001
    office = Office(new_home(tmp_path, periods_ms=(period,))).open()
    for _ in range(3):
        office.now += WINDOW_MS
        office.verifier.housekeeping.keep()
    found = rows(office)
    assert len(found) == 5
    for (first, count), (after, _) in pairwise(found):
        assert first + count == after
    office.close()


# --- a clock that goes back -----------------------------------------------------------------


def early(office: Office, number: int) -> None:
    with pytest.raises(RefusedError) as refused:
        office.value(number)
    assert refused.value.reason is Reason.TOO_EARLY


def test_a_clock_that_goes_back_takes_nothing_back(office: Office) -> None:
    number = office.now // ROUND_MS
    first, last = office.value(number - 90), office.value(number)
    office.now -= 3_600_000
    assert office.value(number) == last
    assert office.value(number - 90) == first
    early(office, number + 1)
    office.now = round_start(number + 2, ROUND_MS)
    office.value(number + 2)


def test_rounds_up_to_the_newest_signature_stay_out_over_a_restart(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.now = round_start(START // ROUND_MS, ROUND_MS) + 1_000
    office.post([stranger_offer(office, 1)])
    number = office.now // ROUND_MS
    value = office.value(number)
    office.close()
    again = Office(settings, clock=FakeClock(office.now - 60_000)).open()
    assert again.value(number) == value
    early(again, number + 1)
    again.close()


def test_no_second_chain_is_begun_after_a_step_back(tmp_path: Path) -> None:
    """Within the slack of signatures the clock is before the log's first round again."""
    office = Office(new_home(tmp_path)).open()
    before = rows(office)
    number = before[0][0]
    assert round_start(number, ROUND_MS) - office.now == ROUND_MS
    office.now -= 2_000
    assert office.verifier.housekeeping.keep() >= 60
    assert rows(office) == before
    assert len(list(office.verifier.settings.keys.glob("beacon-*"))) == len(before)
    office.post([stranger_offer(office, 1)])
    office.now = round_start(number, ROUND_MS)
    assert len(office.value(number)) == 32
    office.close()


def commit(office: Office, first: int, count: int) -> None:
    record = BeaconCommitment(
        claimed_at=office.now, period_ms=ROUND_MS, first_round=first, count=count, head=HEAD
    )
    # As in a process that has not looked for a while.
    office.verifier.beacon._rows = ()
    office.verifier._log_own([sign(record, office.people.operator)])


def test_no_round_gets_a_second_value(office: Office) -> None:
    """Whoever made two chains of one round could choose between their values."""
    (begin, _), (first, count) = rows(office)
    end = first + count
    for taken in (
        (begin - 5, 6),
        (begin, 1),
        (first, count),
        (end - 1, 9),
        (begin - 1, end - begin + 2),
    ):
        with pytest.raises(RefusedError) as refused:
            commit(office, *taken)
        assert refused.value.reason is Reason.CONFLICT
    commit(office, begin - 5, 5)
    commit(office, end, 9)
    assert len(rows(office)) == 4


# --- a secret that is gone ------------------------------------------------------------------


@pytest.fixture
def robbed(tmp_path: Path) -> Iterator[Office]:
    """Give an office whose secrets of today and tomorrow are gone, two days after it began."""
    settings = new_home(tmp_path)
    office = Office(settings).open()
    for _ in range(2):
        office.now += WINDOW_MS
        office.verifier.housekeeping.keep()
    office.close()
    for first, _ in rows(office)[2:]:
        (settings.keys / f"beacon-{ROUND_MS}-{first}.secret").unlink()
    again = Office(settings, clock=office.clock).open()
    yield again
    again.close()


def test_says_which_rounds_cannot_be_released(
    robbed: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (first, _), (last, count) = rows(robbed)[2:]
    rounds = f"rounds {first} to {last + count - 1} of {ROUND_MS} ms"
    days = "from 2026-03-04 00:00:00 UTC to 2026-03-06 00:00:00 UTC"
    assert robbed.verifier.beacon.lost() == [f"{rounds}, {days}"]
    for _ in range(2):
        robbed.verifier.housekeeping.keep()
    told = [*caplog.get_records("setup"), *caplog.get_records("call")]
    assert [one.getMessage() for one in told if rounds in one.getMessage()] == [
        f"the beacon's secret is missing or another: {rounds}, {days}"
    ]
    assert robbed.verifier.health.failing() == (BEACON,)
    assert not robbed.verifier.health.down()


def test_a_lost_value_is_not_found_and_the_others_are_out(robbed: Office) -> None:
    with pytest.raises(RefusedError, match="was lost") as refused:
        robbed.value(robbed.now // ROUND_MS)
    assert refused.value.reason is Reason.NOT_FOUND
    assert len(robbed.value(rows(robbed)[1][0])) == 32


def test_what_is_over_is_looked_for_too(robbed: Office) -> None:
    first, _ = rows(robbed)[0]
    (robbed.verifier.settings.keys / f"beacon-{ROUND_MS}-{first}.secret").unlink()
    (past, _) = robbed.verifier.beacon.lost()
    assert past.startswith(f"rounds {first} to ")


def test_values_released_before_the_loss_are_still_told_from_others(tmp_path: Path) -> None:
    """Work that names them may reach the log later."""
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.now = START
    number = START // ROUND_MS
    value = office.value(number)
    office.close()
    for path in settings.keys.glob("beacon-*.secret"):
        path.unlink()
    again = Office(settings, clock=office.clock).open()
    beacon = again.verifier.beacon
    assert beacon.is_committed(ROUND_MS, number, value)
    assert not beacon.is_committed(ROUND_MS, number + 1, value)
    assert not beacon.is_committed(ROUND_MS, number, bytes(32))
    assert not beacon.is_committed(ROUND_MS, 1, value)
    again.close()


# --- behind a cache ---------------------------------------------------------------------------


@pytest.mark.skipif(not has_nginx(), reason="needs nginx")
def test_a_caching_relay_gives_every_value_and_none_too_early(
    office: Office, tmp_path: Path
) -> None:
    number = office.now // ROUND_MS + 1
    with (
        LiveServer(office) as live,
        CachingRelay(tmp_path / "nginx", live.url) as relay,
        httpx.Client(base_url=relay.url, trust_env=False, timeout=20) as client,
    ):

        def get(path: str) -> tuple[int, str, bytes]:
            answer = client.get(path)
            return answer.status_code, answer.headers["x-cache"], answer.content

        value = f"/v1/beacon/{ROUND_MS}/{number}"
        day_after = f"/v1/beacon/{ROUND_MS}/{number + 2 * WINDOW_MS // ROUND_MS}"
        for _ in range(2):
            assert get(value)[:2] == (425, "MISS")
            assert get(day_after)[:2] == (404, "MISS")
            assert get(f"/v1/beacon/{ROUND_MS}")[:2] == (200, "MISS")
        office.now = round_start(number, ROUND_MS)
        assert get(value) == (200, "MISS", office.value(number))
        assert get(value) == (200, "HIT", office.value(number))
        # What was relayed once stays, whatever the server's clock does.
        office.now -= 3_600_000
        assert get(value) == (200, "HIT", office.value(number))
        assert get(f"/v1/beacon/{ROUND_MS}/{number + 1}")[0] == 425
        for _ in range(2):
            office.now += WINDOW_MS + 3_600_000
            office.verifier.housekeeping.keep()
        assert get(day_after)[:2] == (200, "MISS")
