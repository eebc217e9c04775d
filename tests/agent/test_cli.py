import hashlib
import io
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import keyring
import numpy as np
import pytest

from support import builders
from support.bridge import Bridge, bridged, now_ms
from support.keyrings import MemoryKeyring
from support.stretched import stretch_once
from support.wayland import WAYLAND_MARKS, wayland_desktop
from workseal_agent.cli import app, main, recording, reveals, vault
from workseal_agent.cli.commands import load_all
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.cli.home import Home
from workseal_agent.config import Settings
from workseal_agent.keystore import Keystore
from workseal_agent.ledger import Ledger
from workseal_agent.mask import MASK_COLOUR
from workseal_agent.possession import MissingFramesError
from workseal_agent.reveals import HandedOver
from workseal_agent.vaultkey import generate_private, public_of
from workseal_agent.vaultobject import ObjectKind, object_id
from workseal_protocol.bundle import Bundle
from workseal_protocol.cli.png import encode_png
from workseal_protocol.cli.seeds import read_tag_key
from workseal_protocol.desk import TagList, tag_of
from workseal_protocol.digest import Digest
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.partykeys import Moment, PartyKey
from workseal_protocol.records import (
    Acceptance,
    Declaration,
    DisputeDisclosure,
    DisputeRequest,
    RequestedFrame,
    Segment,
    SessionClose,
    SessionOpen,
    Text,
    Tombstone,
    parse_item,
    sign,
)
from workseal_protocol.sealing import open_package
from workseal_protocol.statement import Statement
from workseal_protocol.verify import examine_bundle
from workseal_protocol.watermark import mark_for, marked

PASSPHRASE = "a passphrase for tests"  # noqa: S105
MEMO = "zanzibar-quartz-7741"
Run = Callable[..., "Done"]


class Done:
    """Hold how a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    monkeypatch.setenv("WORKSEAL_AGENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    stretch_once(monkeypatch)

    def command(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["workseal-agent", *map(str, words)])
        capfd.readouterr()
        code = main()
        said = capfd.readouterr()
        return Done(code, said.out, said.err)

    yield command
    # A test that fails leaves no recording behind.
    if Settings(tmp_path / "home").socket_file.exists():
        command("stop")


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with bridged() as bridge:
        yield bridge


def invite(run: Run, bridge: Bridge, folder: Path, **terms: Any) -> Path:
    """Make a home, and an offer to its key."""
    assert run("init").code == 0
    return offered(run, bridge, folder / "offer.cose", builders.ENGAGEMENT, **terms)


def offered(run: Run, bridge: Bridge, path: Path, engagement: bytes, **terms: Any) -> Path:
    """Write an offer to the key of the home."""
    key = PublicKey.parse_text(run("status", "--public-key").out.strip())
    bridge.simulator.history = bridge.simulator.history.start(
        {
            role: [key] if role is Role.FREELANCER else [one.public_key for one in keys]
            for role, keys in bridge.simulator.people.keys().items()
        }
    )
    chosen = {"freelancer": key, "capture_rate": 65_536, "tile": 16, **terms}
    offer = builders.make_offer(
        engagement=engagement, claimed_at=now_ms(), terms=bridge.simulator.terms(**chosen)
    )
    path.write_bytes(sign(offer, bridge.simulator.people.client).encode())
    return path


@pytest.fixture
def joined(run: Run, bridge: Bridge, tmp_path: Path) -> Path:
    offer = invite(run, bridge, tmp_path)
    done = run("join", offer, "--verifier", bridge.url, "--yes")
    assert done.code == 0, done.err
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        picture = encode_png(64, 48, bytes([50 + 50 * number]) * (64 * 48 * 3))
        (pictures / f"{number}.png").write_bytes(picture)
    return tmp_path


def start(run: Run, folder: Path) -> None:
    done = run(
        "start", "--screen", "replay", "--replay", folder / "pictures",
        "--traffic", folder / "traffic",
    )  # fmt: skip
    assert done.code == 0, done.err


def test_a_start_that_is_paused_tells_nobody_before_it_is_resumed(run: Run, joined: Path) -> None:
    traffic = joined / "traffic"
    before = status(run)["statements"]
    done = run(
        "start", "--paused", "--screen", "replay", "--replay", joined / "pictures",
        "--traffic", traffic,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.startswith("paused: `workseal-agent resume` begins engagement ")
    told = status(run)
    assert (told["state"], told["statements"], told["daemon"]) == ("paused", before, True)
    assert list(traffic.iterdir()) == []
    assert run("resume").out.startswith("working")
    assert status(run)["statements"] > before
    assert run("stop").code == 0
    assert list(traffic.iterdir()) != []


def test_with_the_log_in_a_recording_begins_paused_where_the_keyring_opens_the_key(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, before = MemoryKeyring(), keyring.get_keyring()
    keyring.set_keyring(memory)
    try:
        assert run("slots", "add", "keyring", "--recording-only").code == 0
        monkeypatch.delenv(PASSPHRASE_VARIABLE)
        config = joined / "home" / "config.toml"
        told = f'kind = "replay"\nreplay = "{joined}/pictures"'
        config.write_text(config.read_text().replace('kind = "auto"', told, 1))
        done = run("begin-at-login")
        assert done.code == 0, done.err
        assert status(run)["state"] == "paused"
        assert run("begin-at-login").code == 0  # it runs already, and is left alone
        assert run("resume").out.startswith("working")
        assert run("stop").code == 0
    finally:
        keyring.set_keyring(before)


def status(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("status", "--json").out)
    return told


def until(ready: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def frames(run: Run) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run("frames", "--json").out)
    return rows


def test_a_command_is_typed_again_for_the_engagement_that_was_named(joined: Path) -> None:
    folder = joined / "home"
    with Ledger(folder / "ledger.sqlite") as ledger:
        (known,) = ledger.engagements()
    name = known.id.hex()
    assert Home(folder, None, None, None).program == "workseal-agent"
    assert Home(folder, None, None, name).program == f"workseal-agent --engagement {name[:8]}"


def test_who_handed_over_openings_is_not_told_that_nothing_was_shown(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert joined.exists()
    case, file = Digest.of(b"case"), Digest.of(b"openings and salt")
    handed = (HandedOver(0, case, file, logged=True),)
    monkeypatch.setattr(reveals, "handed_over_by", lambda *_: handed)
    told = run("disclosures").out
    assert f"handed over in case {str(case)[:16]} (logged): which, the file with the" in told
    assert str(file) in told
    assert "nothing was ever shown" not in told


def test_the_whole_life_of_an_engagement(run: Run, bridge: Bridge, joined: Path) -> None:
    worked = work_a_while(run, joined)
    withdraw_after_work(run, worked)
    assert run("disclosures").out.startswith("nothing was ever shown")
    disclose_two(run, bridge, joined)
    disclose_more(run, bridge, joined)
    assert "no pixel is in it; what an arbitrator was shown of 2 frames is left out" in (
        run("export", joined / "work.workseal").out
    )
    assert Bundle.parse((joined / "work.workseal").read_bytes()).contents.disclosures == ()
    words = ("--open", "activity", "--open", "memo", "--open", "disclosures")
    made = run("export", joined / "work.workseal", *words)
    assert made.code == 0, made.err
    assert "opened to its reader: activity, memo" in made.out
    assert "WITH PIXELS: the disclosed tiles of 2 frames" in made.out
    assert mode_of(joined / "work.workseal") == 0o600
    data = (joined / "work.workseal").read_bytes()
    key = PublicKey.parse_text(run("status", "--public-key").out.strip())
    trust = bridge.simulator.trust()
    trust = replace(trust, parties={**trust.parties, Role.FREELANCER: (key,)})
    report = examine_bundle(data, trust)
    assert report.holds, report.first_problem
    assert report.totals is not None
    assert sum(report.totals.by_state.values()) == worked
    contents = Bundle.parse(data).contents
    assert len(contents.disclosures) == 2
    assert any(opening.value == MEMO.encode() for opening in contents.openings)
    nothing_of_the_content_left(joined)


def work_a_while(run: Run, folder: Path) -> int:
    start(run, folder)
    assert run("start").code == 1
    until(lambda: len(frames(run)) >= 4)
    assert status(run)["state"] == "working"
    assert run("pause").out.startswith("paused")
    assert status(run)["state"] == "paused"
    assert run("resume").out.startswith("working")
    assert run("mode", "off-screen", "--memo", MEMO).out.startswith("off-screen")
    time.sleep(1.2)
    assert run("mode", "sealed").out.startswith("sealed")
    time.sleep(1.2)
    assert run("seal").out.startswith("working")
    assert run("seal").out.startswith("sealed")
    assert run("mode", "working").out.startswith("working")
    done = run("withdraw", frames(run)[0]["number"], "--reason", "private", "--yes")
    assert done.code == 0, done.err
    assert "worked time stays" in done.out
    assert run("stop").code == 0
    after = status(run)
    assert (after["daemon"], after["state"], after["unsent"]) == (False, "stopped", 0)
    assert after["worked_ms_today"] > 3_000
    return int(after["worked_ms_today"])


def withdraw_after_work(run: Run, worked: int) -> None:
    name = frames(run)[1]["commitment"]
    assert run("withdraw", name, "--reason", "other", "--yes").code == 0
    after = status(run)
    assert (after["unsent"], after["worked_ms_today"]) == (0, worked)
    assert [row["state"] for row in frames(run)[:3]] == ["withdrawn", "withdrawn", "kept"]
    assert "kept" in run("frames").out


def test_a_frame_is_looked_at_by_its_owner_alone(run: Run, joined: Path) -> None:
    start(run, joined)
    until(lambda: len(frames(run)) >= 2)
    run("stop")
    seen = joined / "seen.png"
    done = run("frames", "--view", "1", "--out", seen)
    assert done.code == 0, done.err
    assert mode_of(seen) == 0o600
    pictures = [path.read_bytes() for path in sorted((joined / "pictures").iterdir())]
    assert seen.read_bytes() in pictures
    told = json.loads(run("frames", "--suggest", "1", "--json").out)
    # These pictures are flat: nobody needs to read them.
    assert (told["number"], told["reading"], told["suggestions"]) == ("1", "empty", [])
    assert run("frames", "--suggest", "1").out.startswith("what")
    for words, code, sentence in (
        (("--view", "1", "--out", seen), 2, "exists already"),
        (("--view", "1"), 2, "--out FILE"),
        (("--out", joined / "x.png"), 2, "--view NUMBER"),
        (("--view", "99", "--out", joined / "x.png"), 1, "no such frame"),
    ):
        done = run("frames", *words)
        assert (done.code, sentence in done.err) == (code, True), done.err
    assert run("withdraw", "1", "--reason", "private", "--yes").code == 0
    for words in (("--view", "1", "--out", joined / "x.png"), ("--suggest", "1")):
        done = run("frames", *words)
        assert (done.code, "its picture is destroyed" in done.err) == (1, True)
    assert not (joined / "x.png").exists()


def test_tags_say_which_frames_look_alike_and_not_what_they_look_like(
    run: Run, joined: Path
) -> None:
    start(run, joined)
    until(lambda: len(frames(run)) >= 3)
    run("stop")
    assert run("withdraw", "1", "--reason", "private", "--yes").code == 0
    out, key = joined / "tags", joined / "tag.key"
    done = run("tags", "--out", out, "--key", key)
    assert done.code == 0, done.err
    assert (mode_of(out), mode_of(key)) == (0o600, 0o600)
    tags = TagList.parse(out.read_bytes())
    kept = {row["commitment"] for row in frames(run) if row["state"] == "kept"}
    assert {str(one) for one in tags.tags} == kept
    # The pictures are flat, so all have one outline: no brightness differs from the next.
    assert set(tags.tags.values()) == {tag_of(read_tag_key(key), bytes(8))}
    assert bytes(8) not in out.read_bytes()
    assert f"{len(kept)} tags, {len(kept) - 1} of them equal" in done.out
    for words, code, sentence in (
        (("--out", out, "--key", joined / "k"), 2, "exists already"),
        (("--out", joined / "t", "--key", key), 2, "exists already"),
        (("--out", joined / "t", "--key", joined / "k", "--begin", "soon"), 2, "is written like"),
        (
            ("--out", joined / "t", "--key", joined / "k", "--end", "2001-01-01T00:00"),
            1,
            "there are no frames in these hours",
        ),
    ):
        done = run("tags", *words)
        assert (done.code, sentence in done.err) == (code, True), done.err
    assert not (joined / "t").exists()
    assert not (joined / "k").exists()


def test_a_check_names_each_frame_that_is_damaged_or_missing(run: Run, joined: Path) -> None:
    start(run, joined)
    until(lambda: len(frames(run)) >= 3)
    run("stop")
    rows = frames(run)
    for words in (("frames", "--check"), ("vault", "check", "--depth", "pixels")):
        done = run(*words)
        assert done.code == 0, done.err
        assert f"{len(rows)} frames and 0 parts of disclosures are whole" in done.out
    vault = joined / "home" / "vault"
    (vault / "of a write that goes on.part").touch()
    assert run("frames", "--check").code == 0
    public = Keystore.load(joined / "home" / "keys").vault_public
    first, second, third = (
        vault / object_id(public, ObjectKind.FRAME, bytes.fromhex(row["commitment"])).hex()
        for row in rows[:3]
    )
    whole = first.read_bytes()
    first.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    second.unlink()
    third.write_bytes(whole)
    # What shows without a key, and what does not.
    for depth, wrong in (("names", rows[1:3]), ("keys", rows[:3]), ("pixels", rows[:3])):
        done = run("vault", "check", "--depth", depth)
        assert done.code == 1
        assert f"{len(wrong)} objects of the vault damaged, missing or strange" in done.err
        named = [line.split(" of ")[0] for line in done.out.splitlines()]
        assert sorted(named) == [f"frame {row['number']}" for row in wrong]
    (vault / "stranger").touch()
    assert "vault/stranger: not a vault object" in run("vault", "check").out
    told = json.loads(run("vault", "check", "--json").out)
    assert (told["depth"], told["frames"], len(told["problems"])) == ("names", len(rows), 3)
    nothing_said = {"week": None, "shown": 0, "lost": 0, "state": None, "week_due": None}
    (said,) = told["possession"].values()
    # The first week ends within a week from now, and the first statement is made then.
    assert 0 < said.pop("next_ms") - now_ms() <= 7 * 86_400_000
    assert said == nothing_said
    assert status(run)["possession"].keys() == {*nothing_said, "next_ms"}


def test_the_weekly_proof_of_resting_engagements_is_made_by_a_command(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = "no weekly proof is due that this command makes"
    start(run, joined)
    until(lambda: len(frames(run)) >= 1)
    with monkeypatch.context() as patch:
        patch.setattr(vault, "wants_proof", lambda *_: True)
        # What records looks after it by itself, and holds the home's lock.
        done = run("vault", "prove")
    assert (done.code, nothing in done.out) == (0, True), done.err
    run("stop")
    assert nothing in run("vault", "prove").out

    def missing(*_: object) -> None:
        raise MissingFramesError("not there or damaged for the weekly proof: 1 frame")

    monkeypatch.setattr(vault, "wants_proof", lambda *_: True)
    assert run("vault", "prove").code == 0
    monkeypatch.setattr(vault, "prove_weeks", missing)
    done = run("vault", "prove")
    assert done.code == 1
    assert re.fullmatch(
        r"engagement [0-9a-f]+: not there or damaged for the weekly proof: 1 frame\n", done.out
    )
    assert "a weekly proof waits; what was made is kept, and no hour depends on it" in done.err


def disclose_two(run: Run, bridge: Bridge, folder: Path) -> None:
    case = generate_private()
    first, second = frames(run)[2:4]
    request = ask_for(bridge, folder, [first, second], case)
    words: list[object] = ["disclose", request, "--yes", "--show", "0,0,32,32"]
    words += ["--show", f"{first['number']}:0,0,48,48", "--hide", f"{second['number']}:0,0,1,1"]
    words += ["--preview", folder / "preview", "--out", folder / "sealed"]
    asked = run(*[word for word in words if word != "--yes"])
    assert asked.code == 1
    assert "nothing was disclosed, and the previews are removed" in asked.err
    assert "preview: " in asked.out
    assert list((folder / "preview").iterdir()) == []
    done = run(*words)
    assert done.code == 0, done.err
    assert "9 of 12 tiles" in done.out
    assert "3 of 12 tiles" in done.out
    assert mode_of(folder / "preview") == 0o700
    previews = list((folder / "preview").iterdir())
    assert [mode_of(path) for path in (*previews, folder / "sealed")] == [0o600] * 3
    digest = Statement.parse(request.read_bytes()).digest
    sealed = (folder / "sealed").read_bytes()
    assert bridge.wire.sealed[str(digest)] == sealed
    assert len(open_package(case, digest, sealed)) == 3


def disclose_more(run: Run, bridge: Bridge, folder: Path) -> None:
    """Show another tile of a frame, after seeing what both answers come to; then list them."""
    first = frames(run)[2]
    request = ask_for(bridge, folder, [first], generate_private())
    words: list[object] = ["disclose", request, "--show", "48,32,16,16"]
    asked = run(*words, "--preview", folder / "again")
    number = first["number"]
    assert asked.code == 1
    assert (
        f"frame {number}: 9 of 12 tiles shown before, 1 of 12 tiles now; together 10" in asked.out
    )
    assert f"{folder}/again/frame-{number}-together.png" in asked.out
    assert list((folder / "again").iterdir()) == []
    done = run(*words, "--yes", "--preview", folder / "again")
    assert done.code == 0, done.err
    union = folder / "all.png"
    assert run("disclosures", "--view", number, "--out", union).code == 0
    assert mode_of(union) == 0o600
    assert union.read_bytes() == (folder / "again" / f"frame-{number}-together.png").read_bytes()
    told = json.loads(run("disclosures", "--json").out)
    assert [len(one["shown"]) for one in told if one["number"] == number] == [9, 1]
    arbitrator = str(bridge.simulator.people.arbitrator.public_key.thumbprint)
    assert {(one["to"], one["logged"], one["case"]) for one in told} == {(arbitrator, True, None)}
    listed = run("disclosures").out
    assert f"frame {number}: together 10 of 12 tiles, shown to 1 key" in listed
    assert "9 of 12 tiles" in listed
    trace_what_was_found(run, folder, request)
    for words, code, sentence in (
        (["--view", number], 2, "--out FILE"),
        (["--view", number, "--out", union], 2, "exists already"),
        (["--view", frames(run)[0]["number"], "--out", folder / "x"], 1, "is destroyed"),
    ):
        refused = run("disclosures", *words)
        assert (refused.code, sentence in refused.err) == (code, True), refused.err


def trace_what_was_found(run: Run, folder: Path, request: Path) -> None:
    """Find whose copy a picture is by the list of what was shown."""
    asked = Statement.parse(request.read_bytes())
    mark = mark_for(asked.issuer, asked.digest)
    grey = bytes([90]) * (300 * 300 * 3)
    (folder / "found.png").write_bytes(encode_png(300, 300, marked(grey, 300, 300, mark)))
    done = run("trace", folder / "found.png")
    assert done.code == 0, done.err
    assert done.out.startswith(f"marked for {asked.issuer}\nby request {asked.digest}; ")
    (folder / "found.png").write_bytes(encode_png(300, 300, grey))
    done = run("trace", folder / "found.png")
    assert (done.code, "no mark of the 2 requests is in this picture" in done.err) == (1, True)
    assert "often loses its mark" not in done.err
    (folder / "found.png").write_bytes(encode_png(199, 300, bytes([90]) * (199 * 300 * 3)))
    done = run("trace", folder / "found.png")
    assert (done.code, "fewer than 200 pixels a side often loses its mark" in done.err) == (1, True)
    assert run("trace", request).code == 1


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def ask_for(bridge: Bridge, folder: Path, rows: list[dict[str, Any]], case: bytes) -> Path:
    frames = tuple(
        RequestedFrame(
            Digest(bytes.fromhex(row["segment"])), Digest(bytes.fromhex(row["commitment"]))
        )
        for row in rows
    )
    record = DisputeRequest(
        engagement=builders.ENGAGEMENT,
        claimed_at=now_ms(),
        frames=frames,
        reason="was it done?",
        sealing_key=public_of(case),
        answer_by=now_ms() + 86_400_000,
    )
    path = folder / "request.cose"
    path.write_bytes(sign(record, bridge.simulator.people.arbitrator).encode())
    return path


def nothing_of_the_content_left(folder: Path) -> None:
    """Search what was sent while recording, and every file of the home, for memo and pixels."""
    sent = [path.read_bytes() for path in (folder / "traffic").iterdir()]
    kept = [path.read_bytes() for path in (folder / "home").rglob("*") if path.is_file()]
    assert sent
    words = [MEMO.encode(), MEMO.encode("utf-16-le"), PASSPHRASE.encode()]
    words += [bytes([50 + 50 * number]) * 64 for number in range(4)]
    for data in (*sent, *kept):
        for word in words:
            assert word not in data


OTHER = bytes.fromhex("ab" * 16)


def chain_of(folder: Path, engagement: bytes) -> list[str]:
    with Ledger(folder / "home" / "ledger.sqlite") as ledger:
        return [row.kind for row in ledger.chain(engagement)]


def test_of_two_engagements_each_command_means_the_recorded_one_or_the_one_it_names(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    offer = offered(run, bridge, joined / "other.cose", OTHER)
    assert run("join", offer, "--verifier", bridge.url, "--yes").code == 0
    first, other = builders.ENGAGEMENT.hex(), OTHER.hex()
    assert status(run)["engagement"] == other
    done = run(
        "--engagement", first[:8], "start",
        "--screen", "replay", "--replay", joined / "pictures",
    )  # fmt: skip
    assert done.code == 0, done.err
    told = status(run)
    assert (told["engagement"], told["daemon"], told["recording"]) == (first, True, first)
    base = datetime.now(UTC).replace(microsecond=0)
    times = ("--begin", str(base - timedelta(seconds=2)), "--end", str(base - timedelta(seconds=1)))
    for words in (
        ("declare", *times, "--memo", MEMO), ("pause",), ("mode", "sealed"), ("stop",),
    ):  # fmt: skip
        done = run("--engagement", other[:8], *words)
        assert done.code == 1, words
        assert f"engagement {first[:8]} is being recorded" in done.err
    # Who wants another one recorded must not believe that it is.
    done = run("--engagement", other[:8], "start")
    assert (done.code, f"engagement {first[:8]} is being recorded" in done.err) == (1, True)
    told = json.loads(run("--engagement", other[:8], "status", "--json").out)
    assert (told["engagement"], told["daemon"], told["recording"]) == (other, False, first)
    assert told["state"] == "stopped"
    assert "being recorded now" in run("--engagement", other[:8], "status").out
    assert run("--engagement", other[:8], "send").out.startswith("everything is sent")
    with Ledger(joined / "home" / "ledger.sqlite") as ledger:
        (parked, *_) = ledger.chain(builders.ENGAGEMENT)
        with ledger.write() as writing:
            writing.park(parked.digest, "refused: once")
        assert "by itself" in run("send").out
        # What `status` advises where something is parked.
        assert ledger.counts(builders.ENGAGEMENT).parked == 0
    assert status(run)["state"] == "working"
    assert run("stop").code == 0
    assert "declaration" not in chain_of(joined, builders.ENGAGEMENT)
    assert chain_of(joined, OTHER) == []
    # Stopped and started again, it is the one joined last: so work goes on under other terms.
    assert run("start", "--screen", "replay", "--replay", joined / "pictures").code == 0
    assert status(run)["recording"] == other
    assert run("stop").code == 0
    assert "session.open" in chain_of(joined, OTHER)
    assert run("--engagement", first[:8], "export", joined / "old.workseal").code == 0


def test_an_engagement_is_named_by_its_beginning_and_by_it_alone(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    near = builders.ENGAGEMENT[:15] + bytes([builders.ENGAGEMENT[15] ^ 1])
    offer = offered(run, bridge, joined / "other.cose", near)
    assert run("join", offer, "--verifier", bridge.url, "--yes").code == 0
    done = run("--engagement", near.hex()[:8], "status")
    assert done.code == 2
    assert "several engagements begin like that" in done.err
    assert near.hex() in done.err
    done = run("--engagement", "ffff", "status")
    assert near.hex()[:8] in done.err
    assert json.loads(run("--engagement", near.hex(), "status", "--json").out)["engagement"] == (
        near.hex()
    )


def test_joining_shows_the_terms_and_signs_nothing_without_a_yes(
    run: Run, bridge: Bridge, tmp_path: Path
) -> None:
    offer = invite(run, bridge, tmp_path)
    done = run("join", offer, "--verifier", bridge.url)
    assert done.code == 1
    assert "withdraw any frame" in done.out
    assert status(run)["engagement"] is None
    assert len(bridge.simulator.offers) == 0


def test_a_home_is_the_users_alone_and_is_never_made_twice(run: Run, tmp_path: Path) -> None:
    assert run("init").code == 0
    home = tmp_path / "home"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    done = run("init")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "never replaced" in done.err


def test_no_new_keys_are_made_beside_older_work(run: Run, joined: Path) -> None:
    keys = joined / "home" / "keys"
    keys.rename(joined / "keys")
    done = run("init")
    assert (done.code, "restore the file `keys` from a copy" in done.err) == (1, True), done.err
    assert not keys.exists()
    done = run("status")
    assert (done.code, "restore it from a copy" in done.err) == (1, True), done.err
    (joined / "home" / "ledger.sqlite").unlink()
    (joined / "home" / "vault" / "frame").touch()
    assert "holds recorded work" in run("init").err
    assert not keys.exists()


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_home_that_others_can_enter_is_refused_and_not_changed(
    run: Run, tmp_path: Path, mode: int
) -> None:
    assert run("init").code == 0
    home = tmp_path / "home"
    home.chmod(mode)
    for words in (("status",), ("start",), ("frames",)):
        done = run(*words)
        assert (done.code, f"chmod 700 {home}" in done.err) == (2, True), done.err
    assert mode_of(home) == mode


def test_no_command_changes_a_folder_that_is_no_home(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "letter").touch()
    for words, code in ((("status",), 1), (("start",), 1), (("init",), 2)):
        done = run("--home", folder, *words)
        assert (done.code, str(folder) in done.err) == (code, True), done.err
    assert mode_of(folder) == 0o755
    assert [path.name for path in folder.iterdir()] == ["letter"]


def test_resume_says_whose_clock_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(_home: Home, command: str, **more: Any) -> dict[str, Any]:
        asked.append((command, more))
        return {"state": "working"}

    monkeypatch.setattr(Home, "ask", ask)
    for words in (("resume",), ("resume", "--own-clock")):
        assert run(*words).out == "working\n"
    assert asked == [("resume", {}), ("resume", {"own_clock": True})]


REFUSALS: list[tuple[tuple[str, ...], int, str]] = [
    (("pause",), 1, "is not recording"),
    (("resume",), 1, "is not recording"),
    (("stop",), 1, "is not recording"),
    (("mode", "sealed"), 1, "is not recording"),
    (("seal",), 1, "is not recording"),
    (("mode", "dancing"), 2, ""),
    (("mode", "working", "--memo", "x"), 2, "a memo describes off-screen work"),
    (("withdraw", "99", "--reason", "private"), 1, "no such frame"),
    (("withdraw", "1", "--reason", "boredom"), 2, ""),
    (("withdraw", "1"), 2, ""),
    (("withdraw", "abc", "--reason", "private"), 1, "first 8 characters of its commitment"),
    (("withdraw", "abcdefgh", "--reason", "private"), 1, "no such frame"),
    (("mode", "off-screen", "--memo", ""), 2, "1 to 2000 characters, and this one has 0"),
    (
        ("mode", "off-screen", "--memo", "x" * 2_001),
        2,
        "1 to 2000 characters, and this one has more",
    ),
    (("mode", "off-screen", "--memo", "-"), 2, "1 to 2000 characters, and this one has 0"),
    (("mode", "off-screen", "--memo", "\udcff"), 2, "text in UTF-8"),
    (("--passphrase-file", "nowhere", "start"), 2, "nowhere cannot be read: No such file"),
    (("declare", "--begin", "noon", "--end", "one", "--memo", "x"), 2, "2026-11-23T14:00"),
    (
        ("declare", "--begin", "2026-01-01T10:00", "--end", "2026-01-01T09:00", "--memo", "x"),
        2,
        "ends before it begins",
    ),
    (("disclose", "nowhere.cose", "--show", "0,0,1,1"), 2, "nowhere.cose cannot be read"),
    (("disclose", "nowhere.cose"), 2, "say what may be seen"),
    (("disclose", "x", "--show", "0,0,1,1", "--unread", "--hide-text"), 2, "marks nothing"),
    (("disclose", "x", "--show", "0,0,1,1", "--show-marked", "--hide-text"), 2, "not both"),
    (("join", "nowhere.cose", "--verifier", "http://elsewhere.example"), 2, "cannot be read"),
    (("--engagement", "ffff", "frames"), 2, "no such engagement"),
    (("fly",), 2, ""),
]


def test_each_refusal_is_one_sentence_with_its_exit_code(run: Run, joined: Path) -> None:
    assert joined.exists()
    for words, code, sentence in REFUSALS:
        done = run(*words)
        assert done.code == code, words
        assert sentence in done.err, words
        if sentence:
            assert done.err.count("\n") == 1
            assert done.err.startswith("workseal-agent: ")


def test_malformed_files_exit_with_2(run: Run, bridge: Bridge, joined: Path) -> None:
    junk = joined / "junk.cose"
    for data in (b"", b"\xd2\x84", b"x" * 70_000):
        junk.write_bytes(data)
        assert run("join", junk, "--verifier", bridge.url, "--yes").code == 2
        assert run("disclose", junk, "--show", "0,0,1,1").code == 2


def test_a_box_is_four_numbers(run: Run, bridge: Bridge, joined: Path) -> None:
    start(run, joined)
    until(lambda: bool(frames(run)))
    run("stop")
    request = ask_for(bridge, joined, frames(run)[:1], generate_private())
    for box in ("1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "1,2,3,4,5", "²,1,1,1", "9:1,1,1,1"):
        assert run("disclose", request, f"--show={box}", "--yes").code in (1, 2), box
    assert bridge.wire.sealed == {}


def test_a_wrong_passphrase_is_one_sentence(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "not the passphrase")
    for words in (("start",), ("export", joined / "x"), ("start", "--foreground")):
        done = run(*words)
        assert done.code == 1
        assert "passphrase" in done.err
        assert "not the passphrase" not in done.err


def test_the_status_tells_that_captures_fail_and_all_that_is_wrong(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    for picture in (joined / "pictures").iterdir():
        picture.write_bytes(b"no picture")
    settings = joined / "home" / "config.toml"
    settings.write_text('[[mask.rule]]\nname = "bank"\napplication = "firefox"\n')
    start(run, joined)
    until(lambda: status(run)["missed"] > 0)
    bridge.up = False
    until(lambda: bool(status(run)["troubles"]))
    with Ledger(joined / "home" / "ledger.sqlite") as ledger, ledger.write() as writing:
        writing.add_incident(builders.ENGAGEMENT, 1_000, "the log contradicts itself", b"")
    facts, told = status(run), run("status").out
    bridge.up = True
    assert run("stop").code == 0
    assert (facts["captured"], facts["halted"]) == (0, False)
    assert f"captures fail: {facts['captures_failing']}" in told
    assert "captures in this session: 0 taken" in told
    assert all(f"trouble: {trouble}" in told for trouble in facts["troubles"])
    incident = {"number": 1, "at_ms": 1_000, "text": "the log contradicts itself"}
    assert facts["incidents"] == [incident]
    assert "the log contradicts itself" in told
    assert facts["rules_never_matched"] == ["bank"]
    assert status(run)["troubles"] == []


def test_no_passphrase_without_a_terminal_is_wrong_usage(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    done = run("start")
    assert done.code == 2
    assert "--passphrase-file" in done.err
    file = joined / "passphrase"
    file.write_text("wrong passphrase\n")
    assert run("--passphrase-file", file, "start").code == 1
    assert run("--passphrase-file", joined / "none", "start").code == 2


def test_before_init_and_join_every_command_says_what_is_missing(run: Run) -> None:
    for words in (("status",), ("frames",), ("start",), ("pause",), ("export", "x")):
        done = run(*words)
        assert done.code == 1
        assert "workseal-agent init" in done.err
    assert run("init").code == 0
    assert "no engagement yet" in run("status").out
    for words in (("start",), ("frames",), ("export", "x"), ("send",)):
        done = run(*words)
        assert done.code == 1
        assert "workseal-agent join" in done.err


def test_the_doctor_says_what_is_missing_before_there_is_a_home(run: Run, tmp_path: Path) -> None:
    done = run("doctor")
    assert done.code == 1
    assert "recording cannot begin: home: there is no agent" in done.out
    assert "recording cannot begin: screen: no screen was found" in done.out
    assert not (tmp_path / "home").exists()
    assert run("init").code == 0
    assert "no engagement yet" in run("doctor").out


def contents(folder: Path) -> dict[str, str]:
    """Digest every file but SQLite's shared memory, in which readers leave marks.

    What is asked of the verifier stands in the list of what left, whoever asks.
    """
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.endswith("-shm") and not path.name.startswith("sent.sqlite")
    }


def test_the_doctor_finds_a_home_ready_and_leaves_it_as_it_was(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    config = joined / "home" / "config.toml"
    text = config.read_text().replace('kind = "auto"', 'kind = "replay"', 1)
    config.write_text(text.replace("# replay =", f'replay = "{joined / "pictures"}" #'))
    before = contents(joined / "home")
    done = run("doctor", "--json")
    assert done.code == 0, done.out
    told = json.loads(done.out)
    assert told["can_record"] is True
    assert told["sources"]["screen"]["picked"] == "replay"
    assert {one["name"]: one["fit"] for one in told["checks"]}["verifier"]
    assert contents(joined / "home") == before
    bridge.up = False
    away = json.loads(run("doctor", "--json").out)
    assert away["can_record"] is True
    assert not {one["name"]: one["fit"] for one in away["checks"]}["verifier"]


class TestOnAWaylandDesktop:
    pytestmark = WAYLAND_MARKS

    def test_the_doctor_finds_it_and_a_recording_masks_it(
        self, run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with wayland_desktop() as desktop:
            desktop.open_window("passwords", "org.keepassxc.KeePassXC", "yes TOP-SECRET")
            desktop.open_window("client repo", command="yes work")
            for name in ("WAYLAND_DISPLAY", "SWAYSOCK"):
                monkeypatch.setenv(name, desktop.seen[name])
            told = json.loads(run("doctor", "--json").out)
            assert told["can_record"], told["problems"]
            picked = {kind: one["picked"] for kind, one in told["sources"].items()}
            assert picked["screen"] == picked["windows"] == "grim"
            assert picked["input"] == "swayidle"
            assert run("start").code == 0
            until(lambda: len(frames(run)) >= 2)
            assert run("stop").code == 0
        seen = joined / "seen.png"
        assert run("frames", "--view", "1", "--out", seen).code == 0
        picture = np.asarray(cv2.imread(str(seen)))
        hidden = np.equal(picture, MASK_COLOUR[::-1]).all(axis=2)
        assert hidden.shape == (480, 640)
        assert hidden[:, :320].all()
        assert not hidden[:, 320:].any()


def test_a_verifier_that_is_down_stops_an_export_and_no_recording(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    start(run, joined)
    until(lambda: status(run)["statements"] >= 4)
    bridge.up = False
    before = status(run)["worked_ms_today"]
    time.sleep(2.2)
    done = run("export", joined / "work.workseal")
    assert done.code == 1
    assert "no answer from the verifier" in done.err
    assert not (joined / "work.workseal").exists()
    assert list(joined.glob("*.part")) == []
    assert status(run)["worked_ms_today"] > before + 1_000
    assert run("stop").code == 0
    waiting = status(run)["unsent"]
    assert waiting > 0
    assert run("send").code == 1
    bridge.up = True
    assert run("send").code == 0
    assert status(run)["unsent"] == 0
    assert run("export", joined / "work.workseal").code == 0


def test_the_parties_keys_are_shown_with_what_is_still_to_come(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    assert joined.exists()
    client = bridge.simulator.people.client.public_key
    begun = Moment(7, now_ms())
    bridge.wire.keys = [
        PartyKey(role=Role.CLIENT, key=client, begun=begun, reads_from_ms=now_ms() + 86_400_000)
    ]
    done = run("keys")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"client {client.text()}"
    assert "WAITS: reads from" in done.out


def test_where_one_is_told_is_said_and_shown_and_forgotten(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    assert joined.exists()
    waiting = "mail      me@example.com, not confirmed: open the link in the mail to it"
    done = run("contact", "--mail", "me@example.com", "--zone", "Europe/Berlin", "--digest")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == waiting
    assert run("contact", "--no-digest").out.splitlines()[2:4] == [
        "zone      Europe/Berlin", "digest    none",
    ]  # fmt: skip
    assert bridge.wire.contact["mail"] == "me@example.com"
    assert run("contact", "--forget").code == 0
    assert bridge.wire.contact == {}
    assert run("contact").out.splitlines()[0] == "mail      none"


def test_a_link_signs_a_browser_in(run: Run, bridge: Bridge, joined: Path) -> None:
    assert joined.exists()
    done = run("sign-in")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"{bridge.url}/#signin={'A' * 43}"


def test_late_work_is_declared_with_and_without_a_recording(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The terms are seconds old: only what is as young can be declared.
    base = datetime.now(UTC).replace(microsecond=0)
    first, second, third = (str(base - timedelta(seconds=ago)) for ago in (3, 2, 1))
    words = ("declare", "--begin", first, "--end", second, "--memo", MEMO)
    done = run(*words)
    assert done.code == 0, done.err
    assert "0 h 00 min 01 s" in done.out
    done = run(*words)
    assert done.code == 1
    assert "declared already" in done.err
    done = run(*words, "--artefact", "/dev/null")
    assert (done.code, "/dev/null is no ordinary file" in done.err) == (2, True)
    start(run, joined)
    times = ("--begin", second, "--end", third)
    more = ("--worked-minutes", "0", "--artefact", joined / "offer.cose")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{MEMO}, typed\n"))
    done = run("declare", *times, "--memo", "-", *more)
    assert done.code == 0, done.err
    done = run("declare", "--begin", "2026-01-01T00:00", "--end", "2100-01-01T00:00", "--memo", "x")
    assert done.code == 1
    run("stop")
    assert run("export", joined / "w", "--open", "memo", "--open", "artefact").code == 0
    openings = Bundle.parse((joined / "w").read_bytes()).contents.openings
    values = {opening.value for opening in openings}
    assert {MEMO.encode(), f"{MEMO}, typed".encode()} <= values
    assert run("export", joined / "w", "--no-receipts", "--wait", "0").code == 0


def test_a_link_is_enough_to_join(run: Run, bridge: Bridge, tmp_path: Path) -> None:
    offer = Statement.parse(invite(run, bridge, tmp_path).read_bytes())
    bridge.simulator.admit([offer])
    link = f"{bridge.url}/#offer={builders.ENGAGEMENT.hex()}.{offer.digest}"
    done = run("join", link, "--verifier", bridge.url)
    assert (done.code, done.out) == (2, "")
    done = run("join", link[:-1] + ("0" if link[-1] != "0" else "1"))
    assert (done.code, done.out) == (1, "")
    assert "no such offer" in done.err
    assert run("join", f"{bridge.url}/#offer=x").code == 2
    done = run("join", link, "--yes")
    assert done.code == 0, done.err
    assert "The client offers these terms:" in done.out
    assert status(run)["engagement"] == builders.ENGAGEMENT.hex()


def test_evidence_is_proved_labelled_listed_and_opened(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = joined / "offer.cose"
    assert run("label", "billing").code == 2
    done = run("prove", "--file", file, "--name", MEMO)
    assert done.code == 0, done.err
    assert "1 item in the chain" in done.out
    start(run, joined)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{MEMO}, sent\n"))
    done = run("prove", "--text", "-", "--file", file)
    assert (done.code, done.err) == (0, "")
    assert "2 items in the chain" in done.out
    until(lambda: int(status(run)["worked_ms_today"]) > 0)
    run("stop")
    done = run("label", MEMO, "--tag", "api", "--tag", "api")
    assert done.code == 0, done.err
    rows = json.loads(run("evidence", "--json").out)
    assert [row["form"] for row in rows] == ["file", "file", "text", "label"]
    assert (rows[0]["name"], rows[1]["name"]) == (MEMO, "offer.cose")
    assert rows[3]["tags"] == ["api"]
    assert rows[3]["begin_ms"] < rows[3]["end_ms"]
    lines = run("evidence").out.splitlines()
    assert [line.split("  ")[2] for line in lines] == ["logged"] * 4
    assert MEMO in lines[0]
    assert chain_of(joined, builders.ENGAGEMENT).count("evidence") == 4
    assert run("export", joined / "shut").code == 0
    assert Bundle.parse((joined / "shut").read_bytes()).contents.openings == ()
    assert run("export", joined / "open", "--open", "evidence").code == 0
    openings = Bundle.parse((joined / "open").read_bytes()).contents.openings
    assert [parse_item(one.value) for one in openings][2] == Text(f"{MEMO}, sent")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "name what to prove"),
        (("--since", "2026-11-23T14:00"), 2, "--git FOLDER"),
        (("--file", "no such file"), 1, "cannot be read"),
        (("--git", "no such folder"), 1, "is no folder"),
        (("--git", ".", "--since", "noon"), 2, "2026-11-23T14:00"),
        (("--text", ""), 2, "1 to 2000 characters"),
        (("--text", "a\x1bb"), 2, "control character"),
    ],
)
def test_what_cannot_be_proved_changes_nothing(
    run: Run, joined: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run("prove", *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert chain_of(joined, builders.ENGAGEMENT) == []


def test_a_copy_for_the_operator_needs_no_verifier_and_no_passphrase(
    run: Run, bridge: Bridge, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.up = False
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    made = run("copy", joined / "mine.logcopy")
    assert made.code == 0, made.err
    assert "2 signed statements and 1 checkpoint of" in made.out
    assert mode_of(joined / "mine.logcopy") == 0o600
    again = run("copy", joined / "mine.logcopy")
    assert again.code == 2
    assert "it exists" in again.err


def test_a_missing_screen_is_told_where_start_was_typed(run: Run, joined: Path) -> None:
    done = run("start", "--screen", "x11")
    assert done.code == 1
    assert "no X11 display" in done.err
    done = run("start", "--screen", "replay", "--replay", joined / "nowhere")
    assert done.code == 1
    assert "did not begin" in done.err


def test_a_process_that_outlives_its_stop_is_told(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(run, joined)
    with monkeypatch.context() as hurried:
        hurried.setattr(recording, "_STOP_SECONDS", 0.0)
        assert "its process has not ended yet" in run("stop").out
    until(lambda: not status(run)["daemon"])
    start(run, joined)
    assert "ended" not in run("stop").out


def test_a_clock_that_is_wrong_is_told_where_start_was_typed(
    run: Run, bridge: Bridge, joined: Path
) -> None:
    bridge.ahead_ms = 60_000
    done = run("start", "--screen", "replay", "--replay", joined / "pictures")
    assert done.code == 0, done.err
    clock, recording = done.out.splitlines()
    # To the second or so: the start of a program lies between the two clocks.
    assert clock.startswith("this machine's clock differs from the verifier's by +")
    assert recording.startswith("recording engagement ")


def test_what_did_not_begin_in_time_does_not_begin_later(
    run: Run, joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Remembered(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **named: Any) -> None:
            super().__init__(*words, **named)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Remembered)
    monkeypatch.setattr(recording, "_START_SECONDS", 0.0)
    done = run("start", "--screen", "replay", "--replay", joined / "pictures")
    assert done.code == 1
    assert "did not begin: nothing answered within 0 seconds" in done.err
    (process,) = started
    assert process.returncode is not None


def test_the_command_runs_as_a_program_of_its_own(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("workseal-agent")
    environment = {**os.environ, "WORKSEAL_AGENT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [program, "status"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"workseal-agent: there is no agent in {tmp_path / 'home'}: name its folder with --home,"
        " or make one there with `workseal-agent init`\n"
    )
    helped = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    for command in (
        "init", "join", "start", "pause", "resume", "stop", "status", "mode", "declare", "frames",
        "prove", "label", "evidence", "withdraw", "disclose", "export", "copy", "send",
    ):  # fmt: skip
        assert command in helped.stdout


LEAVING = (
    Acceptance,
    SessionOpen,
    Segment,
    SessionClose,
    Tombstone,
    Declaration,
    DisputeDisclosure,
)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "agent.md"


def test_the_document_names_every_command_and_every_field_that_leaves() -> None:
    text = DOCUMENT.read_text()
    load_all()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"workseal-agent {command.name or command.callback.__name__}" in text or (
            f"| {command.callback.__name__}" in text
        )
    for record in LEAVING:
        rows = [line for line in text.splitlines() if line.startswith(f"| {record.KIND} |")]
        rows += [line for line in text.splitlines() if line.startswith("| all of the chain |")]
        told = " ".join(row.split("|")[2] for row in rows)
        for field in fields(record):
            if field.name != "engagement":
                assert field.name in told, (record.KIND, field.name)
