import threading
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService, private_bus
from support.rig import Rig
from support.wayland import WAYLAND_MARKS, wait_for
from workseal_agent.config import Settings
from workseal_agent.daemon.build import Options, build_service
from workseal_agent.daemon.eyes import Eyes
from workseal_agent.daemon.interruptions import Interruptions
from workseal_agent.daemon.service import Service
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.logind import Happening
from workseal_agent.recorder import RecorderState
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.cli.png import encode_png

LOGIND = "org.freedesktop.login1"
CHANGED = "org.freedesktop.DBus.Properties.PropertiesChanged"


class Looked:
    """Be a screen that counts how often it is looked at."""

    name = "test"

    def __init__(self) -> None:
        self.looks = 0

    def grab(self) -> tuple[Any, ...]:
        self.looks += 1
        return ()

    def windows(self) -> tuple[Any, ...]:
        return ()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    made.recorder.start()
    made.work(3)
    return made


def state(rig: Rig) -> RecorderState:
    return rig.recorder.state


def met(rig: Rig, screen: Looked, *, counts: bool = False) -> tuple[Interruptions, Eyes, list[int]]:
    eyes, woken = Eyes(cast("Any", screen), ()), list[int]()
    meets = Interruptions(rig.recorder, eyes, lambda: woken.append(1), counts=counts)
    return meets, eyes, woken


def test_while_locked_no_picture_is_taken_and_nothing_is_counted(rig: Rig) -> None:
    screen = Looked()
    meets, eyes, woken = met(rig, screen)
    meets.meet(Happening.LOCKED)
    assert state(rig) is RecorderState.LOCKED
    with pytest.raises(CaptureError) as caught:
        eyes.take()
    assert caught.value.failure is CaptureFailure.HIDDEN
    assert screen.looks == 0
    meets.meet(Happening.UNLOCKED)
    assert state(rig) is RecorderState.WORKING
    eyes.take()
    assert screen.looks == 1
    assert woken == [1, 1]


def test_time_goes_on_while_locked_where_the_settings_say_so(rig: Rig) -> None:
    meets, eyes, _ = met(rig, Looked(), counts=True)
    meets.meet(Happening.LOCKED)
    assert state(rig) is RecorderState.WORKING
    assert eyes.hidden


def test_before_the_machine_ends_everything_is_stored(rig: Rig) -> None:
    meets, eyes, _ = met(rig, Looked())
    before = rig.ledger.counts(rig.engagement.id).statements
    meets.meet(Happening.ENDING)
    assert rig.ledger.counts(rig.engagement.id).statements == before + 1
    assert state(rig) is RecorderState.WORKING
    assert not eyes.hidden


def shows(service: Service, state: str) -> bool:
    return bool(service.status()["state"] == state)


@WAYLAND_MARKS[1]
def test_a_recording_process_follows_logind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Rig(tmp_path)
    (tmp_path / "1.png").write_bytes(encode_png(2, 2, bytes(12)))
    session, hint = "/org/freedesktop/login1/session/_37", {"LockedHint": False}

    def answer(message: Message) -> Answer:
        if message.member == "GetSession":
            return "o", [session]
        if message.member == "Get":
            return "v", [Variant("b", hint["LockedHint"])]
        return "org.freedesktop.DBus.Error.AccessDenied"

    with private_bus(tmp_path) as address, FakeService(address, LOGIND, answer) as logind:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        monkeypatch.setenv("XDG_SESSION_ID", "7")
        service = build_service(
            Settings(tmp_path), fresh.engagement, fresh.ledger, fresh.signer,
            public_of(generate_private()),
            client=fresh.client, beacon_client=fresh.client, options=Options("replay", tmp_path),
        )  # fmt: skip
        running = threading.Thread(target=service.run)
        running.start()
        try:
            for locked, shown in ((True, "locked"), (False, "working")):
                wait_for("the question", lambda: len(logind.calls) > 1)
                hint["LockedHint"] = locked
                changed = [f"{LOGIND}.Session", {"LockedHint": Variant("b", locked)}, list[str]()]
                logind.emit(session, CHANGED, "sa{sv}as", *changed)
                wait_for(shown, partial(shows, service, shown))
        finally:
            service.request_stop()
            running.join(30)


def test_while_nothing_is_recorded_nothing_happens(rig: Rig) -> None:
    meets, _, _ = met(rig, Looked())
    rig.recorder.stop()
    for happening in Happening:
        meets.meet(happening)
    assert state(rig) is RecorderState.STOPPED
