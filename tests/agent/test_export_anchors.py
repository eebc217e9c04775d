from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.export import export
from workseal_agent.uplink import sender
from workseal_protocol.bundle import Bundle
from workseal_protocol.records import Segment, SessionOpen, read_record
from workseal_protocol.window import Grade, Source


def test_a_bundle_keeps_the_anchors_of_both_ends_of_each_session(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=0)
    for _ in range(2):
        rig.recorder.start()
        rig.work(300)
        rig.recorder.stop()
        assert rig.uplink.drain(100)
        rig.clock.run(600)
    made = export(rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=rig.clock.true_ms)
    assert made.report.holds
    contents = Bundle.parse(made.data).contents
    kept = {one.digest for one in (*contents.checkpoints, contents.checkpoint)}
    last: dict[bytes, Segment] = {}
    every = set()
    for record in map(read_record, contents.statements):
        if isinstance(record, SessionOpen):
            assert record.anchor.digest in kept
        if isinstance(record, Segment):
            last[record.session] = record
            every.add(record.anchor.digest)
    assert len(last) == 2
    assert all(record.anchor.digest in kept for record in last.values())
    # Thinning goes on between them, and costs nothing that a reader would have to be told.
    assert not every <= kept
    assert not any("anchors" in sentence for sentence in made.report.not_proven)
    opened = [one for one in made.report.entries if isinstance(one.record, SessionOpen)]
    assert all(one.window.lower_source is not Source.NONE for one in opened)


def test_a_bundle_keeps_the_anchors_of_what_was_sent_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog drains as slowly as it grows: everything is late, on ever newer anchors."""
    rig = Rig(tmp_path, capture_rate=0, round_ms=10_000)
    rig.recorder.start()
    rig.work(200, send=False)
    monkeypatch.setattr(sender, "MAX_BATCH", 1)
    for _ in range(40):
        assert rig.uplink.step() == 0
        rig.work(10, send=False)
    rig.recorder.stop()
    assert rig.uplink.drain(200)
    made = export(rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=rig.clock.true_ms)
    late = [entry.record for entry in made.report.entries if entry.grade is Grade.LATE]
    contents = Bundle.parse(made.data).contents
    kept = {one.digest for one in (*contents.checkpoints, contents.checkpoint)}
    assert len(late) > 20
    assert all(isinstance(one, Segment) and one.anchor.digest in kept for one in late)
