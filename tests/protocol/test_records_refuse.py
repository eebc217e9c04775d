from typing import Any

import pytest

from support.builders import (
    NOW,
    digest,
    make_announce,
    make_beacon,
    make_close,
    make_declaration,
    make_disclosure,
    make_finding,
    make_log_policy,
    make_manifest,
    make_offer,
    make_open,
    make_request,
    make_revoke,
    make_rotate,
    make_segment,
    make_sheet_answer,
    make_timesheet,
    make_tombstone,
)
from workseal_protocol.encoding import Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import (
    Anchor,
    Capture,
    DisclosedFrame,
    Finding,
    ManifestEntry,
    Outcome,
    Record,
    RequestedFrame,
    SegmentState,
    SheetDay,
)

BAD: list[Any] = [
    pytest.param(make_segment, {"engagement": bytes(15)}, id="short engagement"),
    pytest.param(make_segment, {"session": bytes(17)}, id="long session"),
    pytest.param(make_open, {"session": bytes(15)}, id="short session in open"),
    pytest.param(make_close, {"session": bytes(15)}, id="short session in close"),
    pytest.param(make_segment, {"seq": -1}, id="negative seq"),
    pytest.param(make_tombstone, {"seq": 2**53}, id="seq out of bounds"),
    pytest.param(make_segment, {"claimed_at": 253_402_300_800_000}, id="year 10000"),
    pytest.param(make_declaration, {"claimed_at": -1}, id="before 1970"),
    pytest.param(make_segment, {"begin": NOW + 1, "end": NOW}, id="segment backwards"),
    pytest.param(make_segment, {"begin": -1}, id="segment before 1970"),
    pytest.param(make_segment, {"end": 253_402_300_800_000}, id="segment into year 10000"),
    pytest.param(make_segment, {"worked": 600_001}, id="more than ten minutes worked"),
    pytest.param(make_segment, {"worked": -1}, id="negative work"),
    pytest.param(make_segment, {"round": -1}, id="negative round"),
    pytest.param(make_segment, {"agent_value": bytes(31)}, id="short agent value"),
    pytest.param(make_segment, {"verifier_value": bytes(33)}, id="long verifier value"),
    pytest.param(make_segment, {"frames": ()}, id="captured without frame"),
    pytest.param(make_segment, {"capture": Capture.NONE}, id="frame without capture"),
    pytest.param(make_segment, {"capture": Capture.MISSED}, id="frame of a missed capture"),
    pytest.param(make_segment, {"frames": (digest(1),) * 2}, id="one frame twice"),
    pytest.param(
        make_segment, {"frames": tuple(digest(each) for each in range(9))}, id="nine frames"
    ),
    pytest.param(make_segment, {"state": SegmentState.OFF_SCREEN}, id="frame off screen"),
    pytest.param(make_segment, {"state": SegmentState.SEALED}, id="frame while sealed"),
    pytest.param(
        make_segment,
        {"state": SegmentState.SEALED, "capture": Capture.MISSED, "frames": (), "activity": None},
        id="missed capture while sealed",
    ),
    pytest.param(
        make_segment,
        {"state": SegmentState.SEALED, "capture": Capture.NONE, "frames": ()},
        id="activity while sealed",
    ),
    pytest.param(make_open, {"rounds": 0}, id="session of no round"),
    pytest.param(make_open, {"rounds": 65_537}, id="session of too many rounds"),
    pytest.param(make_open, {"first_round": -1}, id="session before 1970"),
    pytest.param(make_open, {"agent": ""}, id="agent without name"),
    pytest.param(make_open, {"agent": "a" * 65}, id="agent with a long name"),
    pytest.param(make_close, {"segments": -1}, id="negative segments"),
    pytest.param(make_close, {"worked": -1}, id="negative sum"),
    pytest.param(make_close, {"captured": -1}, id="negative captures"),
    pytest.param(make_close, {"missed": -1}, id="negative misses"),
    pytest.param(
        make_declaration, {"begin": NOW, "end": NOW, "worked": 0}, id="declaration of nothing"
    ),
    pytest.param(make_declaration, {"begin": -1}, id="declaration before 1970"),
    pytest.param(make_declaration, {"worked": 3_600_001}, id="more declared than passed"),
    pytest.param(make_declaration, {"end": 253_402_300_800_000}, id="declaration too late"),
    pytest.param(make_offer, {"engagement": b""}, id="offer without engagement"),
    pytest.param(make_offer, {"claimed_at": -1}, id="offer before 1970"),
    pytest.param(make_announce, {"claimed_at": -1}, id="announced before 1970"),
    pytest.param(make_revoke, {"claimed_at": -1}, id="revoked before 1970"),
    pytest.param(make_log_policy, {"origin": ""}, id="log without origin"),
    pytest.param(make_log_policy, {"origin": "o" * 256}, id="long origin"),
    pytest.param(make_log_policy, {"policy": "p" * 4097}, id="long policy"),
    pytest.param(make_log_policy, {"rules": "r" * 16_385}, id="long rules"),
    pytest.param(make_beacon, {"period_ms": 999}, id="period too short"),
    pytest.param(make_beacon, {"period_ms": 600_001}, id="period too long"),
    pytest.param(make_beacon, {"count": 0}, id="beacon of no round"),
    pytest.param(make_beacon, {"count": 2**20 + 1}, id="beacon of too many rounds"),
    pytest.param(make_beacon, {"first_round": -1}, id="beacon before 1970"),
    pytest.param(make_timesheet, {"first": 20_521}, id="timesheet that ends before it begins"),
    pytest.param(make_timesheet, {"first": 20_120}, id="timesheet of 401 days"),
    pytest.param(make_timesheet, {"last": 2_932_897}, id="timesheet of the year 10,000"),
    pytest.param(
        make_timesheet, {"days": (SheetDay(20_513, 1, 0, 0, 0),)}, id="day outside the timesheet"
    ),
    pytest.param(make_timesheet, {"days": (SheetDay(20_514, 1, 0, 0, 0),) * 2}, id="one day twice"),
    pytest.param(
        make_timesheet,
        {"days": (SheetDay(20_515, 1, 0, 0, 0), SheetDay(20_514, 1, 0, 0, 0))},
        id="days in another order",
    ),
    pytest.param(make_timesheet, {"amount": -1}, id="timesheet that gives money back"),
    pytest.param(make_sheet_answer, {"text": None}, id="objection without words"),
    pytest.param(make_sheet_answer, {"text": "x" * 501}, id="objection too long"),
    pytest.param(make_sheet_answer, {"text": ""}, id="objection of no words"),
    pytest.param(make_request, {"frames": ()}, id="request for nothing"),
    pytest.param(
        make_request,
        {"frames": tuple(RequestedFrame(digest(0), digest(each)) for each in range(65))},
        id="request for 65 frames",
    ),
    pytest.param(
        make_request,
        {"frames": (RequestedFrame(digest(0), digest(1)), RequestedFrame(digest(2), digest(1)))},
        id="one frame asked for twice",
    ),
    pytest.param(make_request, {"reason": ""}, id="request without reason"),
    pytest.param(make_request, {"reason": "r" * 501}, id="reason too long"),
    pytest.param(make_request, {"sealing_key": bytes(32)}, id="sealing key of another kind"),
    pytest.param(make_request, {"answer_by": NOW + 86_400_000}, id="answer due at once"),
    pytest.param(make_request, {"answer_by": 253_402_300_800_000}, id="answer due too late"),
    pytest.param(make_disclosure, {"frames": ()}, id="disclosure of nothing"),
    pytest.param(
        make_disclosure,
        {"frames": (DisclosedFrame(digest(0), digest(1)), DisclosedFrame(digest(0), digest(2)))},
        id="two answers for one frame",
    ),
    pytest.param(make_finding, {"findings": ()}, id="finding about nothing"),
    pytest.param(
        make_finding,
        {"findings": (Finding(digest(1), Outcome.HOLDS, 1, 2),) * 2},
        id="two findings about one disclosure",
    ),
    pytest.param(make_manifest, {"entries": ()}, id="manifest of nothing"),
    pytest.param(
        make_manifest,
        {"entries": (ManifestEntry("a", digest(1), 1), ManifestEntry("a", digest(2), 1))},
        id="one name twice",
    ),
]


@pytest.mark.parametrize(("make", "changes"), BAD)
def test_refuses(make: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make(**changes)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "../a",
        "a/../b",
        "a//b",
        "a/",
        "a\\b",
        ".a",
        "a b",
        "ä",
        "a\n",
        "C:a",
        "a" * 81,
    ],
)
def test_refuses_names_that_could_lead_an_unpacker_astray(name: str) -> None:
    with pytest.raises(ValueError, match="plain relative path"):
        ManifestEntry(name, digest(1), 1)


def test_accepts_the_names_of_a_bundle() -> None:
    for name in ("README.txt", "disclosures/000001-2.disclosure", "checkpoint.tsr", "a" * 80):
        assert ManifestEntry(name, digest(1), 0).name == name


@pytest.mark.parametrize(("shown", "tiles"), [(3, 2), (-1, 2), (0, 65_537)])
def test_refuses_a_finding_of_more_tiles_than_there_are(shown: int, tiles: int) -> None:
    with pytest.raises(ValueError, match="tiles"):
        Finding(digest(1), Outcome.HOLDS, shown, tiles)


@pytest.mark.parametrize("size", [0, -1, 2**53])
def test_refuses_an_anchor_that_covers_nothing(size: int) -> None:
    with pytest.raises(ValueError, match="anchor size"):
        Anchor(digest(1), size)


@pytest.mark.parametrize(
    ("record", "key", "value"),
    [
        pytest.param(make_segment(), 5, {1: bytes(32), 2: 0}, id="anchor of size 0"),
        pytest.param(make_segment(), 5, {1: bytes(32), 2: 1, 3: 1}, id="anchor with more"),
        pytest.param(make_segment(), 14, 4, id="state 4"),
        pytest.param(make_segment(), 14, 0, id="state 0"),
        pytest.param(make_segment(), 19, 3, id="capture 3"),
        pytest.param(make_segment(capture=Capture.NONE, frames=()), 20, [], id="empty frames"),
        pytest.param(make_segment(), 20, [bytes(31)], id="short frame"),
        pytest.param(make_segment(), 20, [1], id="frame as number"),
        pytest.param(make_tombstone(), 12, 6, id="withdrawn for reason 6"),
        pytest.param(make_declaration(), 13, 3, id="declaration of form 3"),
        pytest.param(make_announce(), 11, -48, id="algorithm of another key"),
        pytest.param(make_announce(), 11, -19, id="algorithm by its second name"),
        pytest.param(make_announce(), 12, 5, id="role 5"),
        pytest.param(make_announce(), 10, bytes(32), id="key of small order"),
        pytest.param(make_rotate(), 13, bytes(63), id="short proof"),
        pytest.param(make_revoke(), 11, 4, id="revoked for reason 4"),
        pytest.param(make_timesheet(), 13, [[20_514, 0, 0, 0, 0]], id="a day without hours"),
        pytest.param(make_timesheet(), 13, [[20_514, 1, 0, 0]], id="a day without a class"),
        pytest.param(make_timesheet(), 13, [[20_514, -1, 0, 0, 0]], id="negative hours"),
        pytest.param(make_timesheet(), 16, bytes(31), id="short digest of what is replaced"),
        pytest.param(make_sheet_answer(), 11, 4, id="answer 4"),
        pytest.param(make_sheet_answer(), 11, 0, id="answer 0"),
        pytest.param(make_request(), 10, [[bytes(32)]], id="request row of one"),
        pytest.param(make_request(), 10, [bytes(32)], id="request row as bytes"),
        pytest.param(make_finding(), 11, [[bytes(32), 3, 1, 2]], id="outcome 3"),
        pytest.param(make_finding(), 11, [[bytes(32), 1, -1, 2]], id="negative tiles"),
        pytest.param(make_manifest(), 10, [["a", bytes(32), -1]], id="negative length"),
        pytest.param(make_manifest(), 10, [[b"a", bytes(32), 1]], id="name as bytes"),
    ],
)
def test_refuses_in_bytes(record: Record, key: int, value: Value) -> None:
    with pytest.raises(MalformedError):
        type(record).read(record.to_value() | {key: value})
