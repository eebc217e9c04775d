from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.rig import Rig
from support.simulator import START
from support.stamp import FixedTsa
from workseal_agent.attestations import Draft, attest, cosigners, draft, examine_kept
from workseal_agent.errors import AgentError
from workseal_agent.export import Exported, export
from workseal_agent.timesheets import draw_up, require_logged
from workseal_protocol.attestation import ShownRecord, examine_attestation
from workseal_protocol.bundle import Bundle, seal_bundle
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.verify import Outcome, examine_bundle
from workseal_protocol.window import Grade

ZONE = ZoneInfo("Europe/Berlin")
DAY = datetime.fromtimestamp(START / 1000, tz=UTC).date()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    rig.recorder.start()
    rig.work(50)
    rig.recorder.pause()
    rig.uplink.drain(1_000)
    return rig


def exported(rig: Rig) -> Exported:
    return export(
        rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=rig.clock.true_ms, receipts=False
    )


def drafted(rig: Rig, first: date = DAY, last: date = DAY, **choices: Any) -> Draft:
    wanted: dict[str, Any] = {
        "witnesses": (), "purpose": None, "now_ms": rig.clock.true_ms, "salt": bytes(16),
    } | choices  # fmt: skip
    return draft(exported(rig).report, rig.signer, ZONE, first, last, **wanted)


def test_says_what_the_timesheet_of_these_days_says(rig: Rig) -> None:
    hours = drafted(rig).claim.hours
    sheet = draw_up(rig.ledger, rig.engagement, ZONE, DAY, DAY, now_ms=rig.clock.wall_ms())
    assert hours.working == sum(one.working for one in sheet.days) == rig.worked_ms == 50_000
    assert drafted(rig, DAY - timedelta(days=9), DAY - timedelta(days=8)).claim.hours.recorded == 0


def test_a_reader_with_a_later_bundle_finds_the_same(rig: Rig) -> None:
    made = drafted(rig, purpose="to show")
    file = attest(made, rig.signer).encode()
    rig.recorder.resume()
    rig.work(40)
    rig.recorder.stop()
    rig.uplink.drain(1_000)
    later = examine_bundle(exported(rig).data, rig.simulator.trust(), zone=ZONE)
    assert later.totals is not None
    assert later.totals.worked_ms == 90_000
    found = examine_attestation(
        file,
        rig.simulator.trust(),
        shown=ShownRecord(made.opening, later, ZONE),
    )
    assert found.steps[-1].outcome is Outcome.HOLDS
    assert found.steps[3].outcome is Outcome.NOT_REACHED


def test_a_bundle_that_was_kept_says_what_it_said_when_it_was_made(rig: Rig) -> None:
    kept = exported(rig)
    rig.recorder.resume()
    rig.work(40)
    rig.recorder.stop()
    rig.uplink.drain(1_000)
    rig.cut(up=False)
    report = examine_kept(kept.data, rig.engagement, ZONE)
    made = draft(
        report, rig.signer, ZONE, DAY, DAY,
        witnesses=(), purpose=None, now_ms=rig.clock.true_ms, salt=bytes(16),
    )  # fmt: skip
    assert made.claim.hours.working == 50_000
    found = examine_attestation(
        attest(made, rig.signer).encode(), rig.simulator.trust(), shown=made.shown
    )
    assert found.steps[-1].outcome is Outcome.HOLDS


def test_a_kept_bundle_that_does_not_hold_or_is_of_another_engagement_is_refused(
    rig: Rig,
) -> None:
    kept = exported(rig)
    with pytest.raises(MalformedError):
        examine_kept(kept.data[:-1], rig.engagement, ZONE)
    contents = Bundle.parse(kept.data).contents
    stranger = rig.simulator.people.operator
    foreign = seal_bundle(contents, engagement=bytes(16), claimed_at=START, signer=stranger)
    with pytest.raises(AgentError, match="does not hold: step 6"):
        examine_kept(foreign.encode(), rig.engagement, ZONE)
    other = replace(rig.engagement, id=bytes(16))
    with pytest.raises(AgentError, match="of another engagement"):
        examine_kept(kept.data, other, ZONE)


def test_a_kept_bundle_is_graded_by_its_tokens(tmp_path: Path) -> None:
    rig = Rig(tmp_path, witnesses=0)
    tsa = FixedTsa.from_seed(b"attested")
    rig.wire.tsa = tsa.stamp
    rig.wire.roots = [tsa.root_der]
    rig.engagement = replace(rig.engagement, tsa_roots=(tsa.root_der,))
    rig.recorder.start()
    rig.work(30)
    rig.wire.stamp()
    rig.recorder.stop()
    rig.uplink.drain(10)
    for _ in range(2):
        kept = exported(rig)
        report = examine_kept(kept.data, rig.engagement, ZONE)
        assert report.totals == kept.report.totals
        assert report.totals is not None
        assert report.totals.by_grade[Grade.ONLINE] > 0
        rig.wire.stamp()
    assert kept.stamped


def test_no_witness_is_named_unless_chosen(rig: Rig) -> None:
    (name,) = cosigners(exported(rig).report)
    assert drafted(rig).witnesses == frozenset()
    assert name.encode() not in attest(drafted(rig), rig.signer).encode()
    chosen = drafted(rig, witnesses=[name])
    assert chosen.witnesses == {name}
    found = examine_attestation(
        attest(chosen, rig.signer).encode(), rig.simulator.trust(), shown=chosen.shown
    )
    assert found.holds
    assert found.not_before is not None
    with pytest.raises(AgentError, match="no witness of this name"):
        drafted(rig, witnesses=["nobody.example"])


def test_work_that_is_not_logged_is_not_attested_around(rig: Rig) -> None:
    require_logged(rig.ledger, rig.engagement, ZONE, DAY, DAY)
    rig.cut(up=False)
    rig.recorder.resume()
    rig.work(20)
    with pytest.raises(AgentError, match="not in the log yet"):
        require_logged(rig.ledger, rig.engagement, ZONE, DAY, DAY)
    require_logged(rig.ledger, rig.engagement, ZONE, DAY - timedelta(days=3), DAY - timedelta(3))


def test_another_key_than_the_freelancers_attests_nothing(rig: Rig) -> None:
    client = rig.simulator.people.client
    wrong = draft(
        exported(rig).report, client, ZONE, DAY, DAY,
        witnesses=(), purpose=None, now_ms=START, salt=bytes(16),
    )  # fmt: skip
    with pytest.raises(VerificationError, match="not signed by the freelancer"):
        attest(wrong, client)
