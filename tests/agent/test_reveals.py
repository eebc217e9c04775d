import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support.rig import PaintedScreen, Rig
from workseal_agent import disclose
from workseal_agent.disclose import FrameReader, Opened, shown_before
from workseal_agent.evidence import withdraw
from workseal_agent.ledger import CaptureRow, RevealRow, SendState
from workseal_agent.mask import Masked
from workseal_agent.reveals import (
    HandedOver,
    Together,
    handed_over_by,
    reveals_of,
    together,
)
from workseal_agent.screen import RawFrame
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisclosedFrame,
    DisputeAct,
    DisputeDisclosure,
    DisputeRequest,
    RequestedFrame,
    WithdrawalReason,
    sign,
)

CASE = public_of(generate_private())
WIDTH, HEIGHT, TILE = 128, 96, 32


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Record pictures: alike above, of one colour in the middle, new each time below."""
    rng = random.Random(5)
    band = WIDTH * TILE * 3
    above = rng.randbytes(band)

    def take(_: PaintedScreen) -> Masked:
        rgb = above + bytes(band) + rng.randbytes(band)
        return Masked((RawFrame(0, 0, 0, WIDTH, HEIGHT, rgb),), 0, frozenset())

    monkeypatch.setattr(PaintedScreen, "take", take)
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(50)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    return rig


def rows(rig: Rig) -> tuple[CaptureRow, ...]:
    return rig.ledger.captures(rig.engagement.id)


def opened(rig: Rig, frame: int, tiles: Sequence[int]) -> Opened:
    return disclose.open_tiles(rig.vault, rows(rig)[frame], tiles)


def shown(
    rig: Rig, frame: int, tiles: Sequence[int], *, by: SeedSigner | None = None, ago_ms: int = 0
) -> Digest:
    """Answer a request for one frame, and return the statement that showed it."""
    row = rows(rig)[frame]
    rig.clock.run(1)
    record = DisputeRequest(
        engagement=rig.engagement.id,
        claimed_at=rig.clock.true_ms,
        frames=(RequestedFrame(row.segment, row.commitment),),
        reason="was the report being written?",
        sealing_key=CASE,
        answer_by=rig.clock.true_ms + 86_400_000,
    )
    asked = sign(record, by or rig.simulator.people.arbitrator)
    request = disclose.read_request(asked.encode(), rig.ledger, rig.engagement)
    answer = disclose.answer(
        request, [opened(rig, frame, tiles)], rig.signer, now_ms=rig.clock.true_ms - ago_ms
    )
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    return answer.statement.digest


def union(rig: Rig, frame: int, tiles: Sequence[int]) -> Together:
    (one,) = together(rig.vault, rig.ledger, rig.engagement, [opened(rig, frame, tiles)])
    return one


def test_every_reveal_is_listed_with_its_tiles_and_the_key_that_got_them(rig: Rig) -> None:
    first, second = shown(rig, 0, [0, 1, 5]), shown(rig, 2, [7])
    listed = reveals_of(rig.ledger, rig.engagement.id)
    arbitrator = rig.simulator.people.arbitrator.public_key.thumbprint
    assert [(one.statement, one.to, one.logged) for one in listed] == [
        (first, arbitrator, False),
        (second, arbitrator, False),
    ]
    assert [one.row for one in listed] == [
        RevealRow(first, rows(rig)[0].commitment, (0, 1, 5), 12),
        RevealRow(second, rows(rig)[2].commitment, (7,), 12),
    ]
    assert [one.name for one in listed] == ["1", "3"]


def test_the_oldest_answer_is_listed_first_whatever_was_stored_first(rig: Rig) -> None:
    later = shown(rig, 0, [0])
    earlier = shown(rig, 2, [7], ago_ms=5_000)
    listed = reveals_of(rig.ledger, rig.engagement.id)
    assert [one.statement for one in listed] == [earlier, later]


def test_an_answer_tells_its_case_where_its_request_is_not_known(rig: Rig) -> None:
    place = CasePlace(case=Digest.of(b"case"), prev=Digest.of(b"request"))
    record = DisputeDisclosure(
        engagement=rig.engagement.id,
        claimed_at=rig.clock.true_ms,
        request=place.prev,
        frames=(DisclosedFrame(rows(rig)[0].commitment, Digest.of(b"tiles")),),
        place=place,
    )
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, sign(record, rig.signer), state=SendState.HELD)
    (one,) = reveals_of(rig.ledger, rig.engagement.id)
    assert (one.to, one.case, one.row) == (None, place.case, None)


def test_openings_that_were_handed_over_are_listed_by_their_file(rig: Rig) -> None:
    case, file = Digest.of(b"case"), Digest.of(b"openings and salt")

    def show(value: Digest, state: SendState) -> None:
        record = DisputeAct(
            engagement=rig.engagement.id,
            claimed_at=rig.clock.true_ms,
            place=CasePlace(case, Digest.of(value.raw)),
            act=Act.SHOW,
            value=value.raw,
        )
        with rig.ledger.write() as writing:
            writing.add_statement(rig.engagement.id, sign(record, rig.signer), state=state)

    assert handed_over_by(rig.ledger, rig.engagement.id) == ()
    show(Digest.of(b"refused"), SendState.PARKED)
    show(file, SendState.UNSENT)
    (one,) = handed_over_by(rig.ledger, rig.engagement.id)
    assert one == HandedOver(rig.clock.true_ms, case, file, logged=False)
    assert reveals_of(rig.ledger, rig.engagement.id) == ()


def test_what_was_taken_back_is_listed_as_that_once_the_log_has_it(rig: Rig) -> None:
    first, second = shown(rig, 0, [0]), shown(rig, 2, [7])
    case, file = Digest.of(b"case"), Digest.of(b"openings and salt")

    def act(act: Act, state: SendState, **said: Any) -> Digest:
        statement = sign(
            DisputeAct(
                engagement=rig.engagement.id,
                claimed_at=rig.clock.true_ms,
                place=CasePlace(case, Digest.of(repr((act, state)).encode())),
                act=act,
                **said,
            ),
            rig.signer,
        )
        with rig.ledger.write() as writing:
            writing.add_statement(rig.engagement.id, statement, state=state)
        return statement.digest

    show = act(Act.SHOW, SendState.RECEIPTED, value=file.raw)
    for state, taken in (
        (SendState.UNSENT, False),
        (SendState.PARKED, False),
        (SendState.RECEIPTED, True),
    ):
        act(Act.CLAW_BACK, state, cites=(first, show), text="shown by mistake")
        (handed,) = handed_over_by(rig.ledger, rig.engagement.id)
        told = {one.statement: one.taken_back for one in reveals_of(rig.ledger, rig.engagement.id)}
        assert (told[first], told[second], handed.taken_back) == (taken, False, taken)


def test_what_was_shown_stays_listed_when_the_frame_is_withdrawn(rig: Rig) -> None:
    statement = shown(rig, 0, [0, 3])
    withdraw(
        rig.chain, rig.ledger, rig.vault, rows(rig)[0], WithdrawalReason.PRIVATE,
        now_ms=rig.clock.true_ms,
    )  # fmt: skip
    assert rig.ledger.disclosures(rig.engagement.id) == ()
    (one,) = reveals_of(rig.ledger, rig.engagement.id)
    assert one.capture is not None
    assert one.capture.withdrawn
    assert one.row == RevealRow(statement, one.frame, (0, 3), 12)


def test_the_union_of_two_reveals_is_known_before_the_second_is_approved(rig: Rig) -> None:
    assert union(rig, 0, [0, 1]).before == frozenset()
    shown(rig, 0, [0, 1, 8])
    shown(rig, 1, [2])
    told = union(rig, 0, [1, 2])
    assert [sorted(one) for one in (told.now, told.before, told.all)] == [
        [1, 2],
        [0, 1, 8],
        [0, 1, 2, 8],
    ]
    arbitrator = rig.simulator.people.arbitrator.public_key.thumbprint
    assert told.known_to == {arbitrator: {0, 1, 8}}


def test_a_reveal_of_before_the_list_is_read_from_the_vault(rig: Rig) -> None:
    statement = shown(rig, 0, [4, 5])
    with rig.ledger.write() as writing:
        writing._sql.execute("DELETE FROM reveals")
    assert union(rig, 0, [6]).before == {4, 5}
    (one,) = reveals_of(rig.ledger, rig.engagement.id)
    assert (one.statement, one.row) == (statement, None)


class NoSecrets:
    """Read frames, and fail where a disclosure is read back."""

    def __init__(self, vault: FrameReader) -> None:
        self.frame = vault.frame

    def secret(self, name: bytes) -> bytes:
        raise AssertionError(f"{name!r} was read")


def test_a_listed_reveal_is_not_read_back(rig: Rig) -> None:
    shown(rig, 0, [4, 5])
    commitment = rows(rig)[0].commitment
    before = shown_before(NoSecrets(rig.vault), rig.ledger, rig.engagement.id, commitment)
    assert before == {4, 5}


def tiles_of_band(rig: Rig, band: int) -> list[int]:
    """Return the numbers of the tiles in a row of tiles."""
    grid = opened(rig, 0, [0]).disclosure.header.grid
    return [number for number, (_, row) in enumerate(grid.order) if row == band]


def test_a_hidden_tile_that_another_frame_shows_is_hidden_in_name_only(rig: Rig) -> None:
    above, below = tiles_of_band(rig, 0), tiles_of_band(rig, 2)
    assert union(rig, 1, below).alike == 0
    shown(rig, 0, above)
    # The four tiles above are the same in each picture.
    assert union(rig, 1, below).alike == 4
    # Those of one colour are not counted, though they were shown and are the same too.
    shown(rig, 0, tiles_of_band(rig, 1))
    assert union(rig, 1, below).alike == 4
    assert union(rig, 1, above).alike == 0
    assert union(rig, 1, [*below, above[0]]).alike == 3
    # What an earlier answer showed of this frame is hidden no more.
    assert union(rig, 0, below).alike == 0


def test_frames_of_one_answer_are_compared_with_each_other(rig: Rig) -> None:
    above, below = tiles_of_band(rig, 0), tiles_of_band(rig, 2)
    both = [opened(rig, 0, above), opened(rig, 1, below)]
    told = together(rig.vault, rig.ledger, rig.engagement, both)
    assert [one.alike for one in told] == [0, 4]
