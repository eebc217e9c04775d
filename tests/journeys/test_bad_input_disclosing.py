"""Bad input where something would leave the machine: withdraw, disclose, export, declare, send."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stages import RECORDED
from support.world import Worker, World, attempt, unharmed
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.records import DisputeRequest, RequestedFrame, read_record, sign
from workseal_protocol.sealing import PRIVATE_BYTES, case_public
from workseal_protocol.statement import Statement

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]

SHOW = ("--show", "0,0,640,400", "--yes", "--unread")


@contextmanager
def nothing_told(world: World) -> Iterator[Worker]:
    """Check that neither the freelancer's home nor the log changed."""
    with unharmed(world.freelancer, world.server):
        yield world.freelancer


def test_a_frame_is_withdrawn_once_and_only_on_a_yes(world: World) -> None:
    with nothing_told(world) as worker:
        again = worker.attempt("withdraw", "1", "--reason", "private", "--yes")
        assert "withdrawn already" in again.told(1)
        for name, told in (("99", "no such frame"), ("zz", "named by its number")):
            done = worker.attempt("withdraw", name, "--reason", "private", "--yes")
            assert told in done.told(1)
        done = worker.attempt("withdraw", "2", "--reason", "private")
        assert "nothing was changed" in done.told(1)


@pytest.mark.parametrize("name", ["missing", "picture", "long", "offer", "tampered"])
def test_a_request_that_is_none_is_not_answered(world: World, tmp_path: Path, name: str) -> None:
    tampered = bytearray(world.request.read_bytes())
    tampered[-3] ^= 1
    (tmp_path / "picture").write_bytes((RECORDED / "00.png").read_bytes())
    (tmp_path / "long").write_bytes(bytes(1 << 20))
    (tmp_path / "offer").write_bytes(world.offer.read_bytes())
    (tmp_path / "tampered").write_bytes(tampered)
    with nothing_told(world) as worker:
        done = worker.attempt("disclose", tmp_path / name, *SHOW)
        done.told(1 if name == "tampered" else 2)


def changed_request(world: World, folder: Path, name: str) -> Path:
    """Write what somebody else, or an arbitrator about something else, would sign."""
    true = read_record(Statement.parse(world.request.read_bytes()))
    assert isinstance(true, DisputeRequest)
    frame = true.frames[0]
    frames = (RequestedFrame(frame.frame, frame.segment),) if name == "unknown" else true.frames
    engagement = bytes(16) if name == "elsewhere" else true.engagement
    asked = DisputeRequest(
        engagement=engagement,
        claimed_at=true.claimed_at,
        frames=frames,
        reason="show me",
        sealing_key=case_public(bytes(PRIVATE_BYTES)),
        answer_by=true.answer_by,
    )
    party = world.client if name == "stranger" else world.arbitrator
    path = folder / "request.cose"
    path.write_bytes(sign(asked, read_signer(party.folder / "key")).encode())
    return path


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("stranger", "not by an arbitrator"),
        ("elsewhere", "another engagement"),
        ("unknown", "never recorded"),
    ],
)
def test_somebody_elses_request_is_not_answered(
    world: World, tmp_path: Path, name: str, named: str
) -> None:
    request = changed_request(world, tmp_path, name)
    with nothing_told(world) as worker:
        assert named in worker.attempt("disclose", request, *SHOW).told(1)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--show", "1,2,3"),
        ("--show", "-5,0,10,10"),
        ("--show", "0,0,10,10"),
        ("--show", "90000,90000,100,100"),
        ("--show", "1:0,0,640,400"),
        ("--hide", "1:0,0,10,10"),
        ("--show", "0,0,640,400", "--hide", "all"),
        ("--show", "0,0,640,400", "--frame", "1"),
    ],
    ids=" ".join,
)
def test_rectangles_and_frames_that_cannot_be_meant_show_nothing(
    world: World, words: tuple[str, ...]
) -> None:
    with nothing_told(world) as worker:
        worker.attempt("disclose", world.request, *words, "--yes").told(2)


def test_a_disclosure_with_nowhere_to_write_or_without_a_yes_is_not_made(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("mine")
    with nothing_told(world) as worker:
        for words in (
            ("--out", tmp_path),
            ("--out", tmp_path / "mine"),
            ("--out", tmp_path / "no" / "where"),
            ("--preview", tmp_path / "mine"),
        ):
            named = str(words[1])
            assert named in worker.attempt("disclose", world.request, *SHOW, *words).told(2)
        done = worker.attempt("disclose", world.request, *SHOW[:2])
        assert "nothing was disclosed" in done.told(1)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_vault_that_lost_its_frames_says_so(world: World, tmp_path: Path) -> None:
    worker = world.freelancer.copy(tmp_path / "freelancer")
    for number, path in enumerate(sorted((worker.home / "vault").iterdir())):
        path.write_bytes(path.read_bytes()[:-1]) if number else path.unlink()
    with unharmed(worker, world.server):
        worker.attempt("disclose", world.request, *SHOW).told(1)


def test_a_withdrawn_frame_is_not_shown(world: World, tmp_path: Path) -> None:
    worker = world.freelancer.copy(tmp_path / "freelancer")
    # The log never hears of these withdrawals: they are made on a copy, and nobody answers it.
    cut_off(worker)
    for frame in worker.frames()[1:]:
        number = str(frame["number"])
        worker.attempt("withdraw", number, "--reason", "private", "--yes").fine()
    with unharmed(worker, world.server):
        told = worker.attempt("disclose", world.request, *SHOW).told(1)
        assert "none of the frames asked for can be shown" in told


def cut_off(worker: Worker) -> None:
    """Move the verifier's address to where nobody answers."""
    with closing(sqlite3.connect(worker.home / "ledger.sqlite")) as sql:
        sql.execute("UPDATE engagements SET url = 'http://127.0.0.1:9'")
        sql.commit()


def test_without_the_verifier_nothing_is_exported_and_nothing_is_lost(
    world: World, tmp_path: Path
) -> None:
    worker = world.freelancer.copy(tmp_path / "freelancer")
    out = tmp_path / "out.workseal"
    cut_off(worker)
    with unharmed(world.server):
        now = datetime.now(UTC).replace(microsecond=0)
        begin, end = (now - timedelta(seconds=ago) for ago in (2, 1))
        span = ("--begin", begin.isoformat(), "--end", end.isoformat())
        late = (*span, "--memo", "a letter")
        assert "waits to be sent" in worker.attempt("declare", *late).fine()
        with unharmed(worker):
            assert "no answer" in worker.attempt("export", out, "--no-receipts").told(1)
            assert "kept" in worker.attempt("send").told(1)
        assert not out.exists()
        assert worker.status()["unsent"] == 1
        done = worker.attempt("disclose", world.request, *SHOW)
        assert "may be run again" in done.told(1)


def test_an_export_with_nowhere_to_write_is_refused(world: World, tmp_path: Path) -> None:
    with nothing_told(world) as worker:
        for out in (tmp_path, tmp_path / "no" / "where"):
            assert str(out) in worker.attempt("export", out, "--no-receipts").told(2)
    assert list(tmp_path.iterdir()) == []


def test_an_export_never_replaces_a_file_that_is_no_bundle(world: World, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    with nothing_told(world) as worker:
        assert str(mine) in worker.attempt("export", mine, "--no-receipts").told(2)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--begin", "noon", "--end", "2026-01-01T11:00"), 2),
        (("--begin", "2026-01-01T11:00", "--end", "2026-01-01T10:00"), 2),
        (("--begin", "0001-01-01T00:00", "--end", "0001-01-01T01:00"), 2),
        (("--begin", "2026-01-01T10:00", "--end", "2026-03-01T10:00"), 1),
        (("--begin", "2099-01-01T10:00", "--end", "2099-01-01T11:00"), 1),
    ],
)
def test_time_that_cannot_be_meant_is_not_declared(
    world: World, words: tuple[str, ...], code: int
) -> None:
    with nothing_told(world) as worker:
        worker.attempt("declare", *words, "--memo", "x").told(code)


def test_what_was_disclosed_in_vain_is_still_disclosed_and_opened(
    world: World, tmp_path: Path
) -> None:
    sealed, bundle = tmp_path / "sealed", tmp_path / "bundle"
    worker = world.freelancer
    worker.attempt("disclose", world.request, *SHOW, "--out", sealed).fine()
    worker.attempt("export", bundle, "--no-receipts").fine()
    done = attempt(
        world.arbitrator, "workseal", "open", sealed, "--request", world.request, "--case-key",
        world.case_key, "--bundle", bundle, "--policy", world.policy, "--out", tmp_path / "seen",
    )  # fmt: skip
    assert "2 pictures" in done.fine()
