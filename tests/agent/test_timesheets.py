from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.rig import Rig
from support.simulator import START
from workseal_agent.errors import AgentError
from workseal_agent.ledger import SendState
from workseal_agent.timesheets import draw_up, keep, logged_statements, of_home
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    KeyRotate,
    SheetAnswer,
    Timesheet,
    TimesheetAnswer,
    rotation_message,
    sign,
)
from workseal_protocol.statement import Statement

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


def drawn(rig: Rig, first: date = DAY, last: date = DAY) -> Timesheet:
    return draw_up(rig.ledger, rig.engagement, ZONE, first, last, now_ms=rig.clock.wall_ms())


def test_sums_up_what_is_logged_up_to_its_newest_statement(rig: Rig) -> None:
    record = drawn(rig)
    assert sum(one.working for one in record.days) == rig.worked_ms == 50_000
    *_, newest = rig.ledger.chain(rig.engagement.id)
    assert record.head == newest.digest
    assert record.replaces is None


def test_days_with_unsent_work_are_not_summed_up(rig: Rig) -> None:
    rig.cut(up=False)
    rig.recorder.resume()
    rig.work(20)
    with pytest.raises(AgentError, match="not in the log yet"):
        drawn(rig)
    # Earlier days are whole.
    assert drawn(rig, DAY - timedelta(days=3), DAY - timedelta(days=3)).days == ()
    before = DAY - timedelta(days=3)
    with pytest.raises(AgentError, match="not in the log yet"):
        drawn(rig, before, DAY)


def test_before_the_first_logged_statement_there_is_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with pytest.raises(AgentError, match="nothing is in the log yet"):
        drawn(rig)


def test_a_second_one_of_the_same_days_replaces_the_first(rig: Rig) -> None:
    first = keep(rig.ledger, rig.engagement, drawn(rig), rig.signer)
    second = drawn(rig)
    assert second.replaces == first.digest
    with pytest.raises(AgentError, match="counted twice"):
        drawn(rig, DAY, DAY + timedelta(days=1))
    assert drawn(rig, DAY + timedelta(days=1), DAY + timedelta(days=1)).replaces is None
    keep(rig.ledger, rig.engagement, second, rig.signer)
    rows = of_home(rig.ledger, rig.engagement)
    assert [row.replaced for row in rows] == [True, False]
    assert {row.state for row in rows} == {SendState.UNSENT}
    rig.uplink.drain(1_000)
    assert {row.state for row in of_home(rig.ledger, rig.engagement)} == {SendState.RECEIPTED}


def test_answers_count_when_the_client_of_the_terms_signed_them(rig: Rig) -> None:
    sheet = keep(rig.ledger, rig.engagement, drawn(rig), rig.signer)

    def said(about: Digest, answer: SheetAnswer, signer: SeedSigner) -> Statement:
        record = TimesheetAnswer(
            engagement=rig.engagement.id, claimed_at=START, timesheet=about, answer=answer,
            text="so",
        )  # fmt: skip
        return sign(record, signer)

    people = rig.simulator.people
    told = (
        said(sheet.digest, SheetAnswer.ACCEPTED, people.arbitrator),
        said(sheet.digest, SheetAnswer.QUESTION, people.client),
        said(Digest.of(b"another"), SheetAnswer.ACCEPTED, people.client),
        said(sheet.digest, SheetAnswer.OBJECTION, people.client),
        sheet,
    )
    (row,) = of_home(rig.ledger, rig.engagement, list(enumerate(told)))
    assert [one.answer for one in row.answers] == [SheetAnswer.QUESTION, SheetAnswer.OBJECTION]


def test_answers_of_a_key_that_followed_the_clients_count(rig: Rig) -> None:
    sheet = keep(rig.ledger, rig.engagement, drawn(rig), rig.signer)
    old, new = rig.simulator.people.client, SeedSigner(bytes(range(32)))
    message = rotation_message(old.public_key.thumbprint, new.public_key.thumbprint)
    rotated = KeyRotate(
        claimed_at=START,
        old=old.public_key.thumbprint,
        public_key=new.public_key,
        proof=new.sign(message),
    )

    def said(signer: SeedSigner, text: str) -> Statement:
        record = TimesheetAnswer(
            engagement=rig.engagement.id, claimed_at=START, timesheet=sheet.digest,
            answer=SheetAnswer.OBJECTION, text=text,
        )  # fmt: skip
        return sign(record, signer)

    told = [said(new, "too early"), sign(rotated, old), said(old, "too late"), said(new, "now")]
    (row,) = of_home(rig.ledger, rig.engagement, list(enumerate(told)))
    assert [one.text for one in row.answers] == ["now"]


def test_what_is_listed_and_malformed_is_left_out(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = sign(drawn(rig), rig.signer)

    def lie(_engagement: bytes, **_: int) -> list[tuple[int, bytes]]:
        return [(1, b"junk"), (2, sheet.encode())]

    monkeypatch.setattr(rig.client, "statements", lie)
    assert list(logged_statements(rig.client, rig.engagement)) == [(2, sheet)]


def test_a_stored_statement_that_is_none_is_named(rig: Rig) -> None:
    keep(rig.ledger, rig.engagement, drawn(rig), rig.signer)
    with rig.ledger.write() as writing:
        writing._sql.execute("UPDATE statements SET kind = 'timesheet' WHERE seq = 0")
    with pytest.raises(MalformedError, match="stored as a timesheet is none"):
        of_home(rig.ledger, rig.engagement)
