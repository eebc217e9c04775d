"""The composition of a recording process: real devices, real files, one engagement."""

import os
import platform
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workseal_agent import notices
from workseal_agent.activity import ActivitySensor, NullActivity, pick_activity
from workseal_agent.chain import OwnChain
from workseal_agent.clock import Clock, SystemClock
from workseal_agent.config import ScreenKind, Settings, SettingsFile
from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.daemon.acts import Acts
from workseal_agent.daemon.clockcheck import ClockCheck
from workseal_agent.daemon.cramped import Cramped
from workseal_agent.daemon.eyes import Eyes
from workseal_agent.daemon.forgetting import Forgetting
from workseal_agent.daemon.holding import Holding
from workseal_agent.daemon.interruptions import Interruptions
from workseal_agent.daemon.othersheld import OthersHeld
from workseal_agent.daemon.patience import Patience
from workseal_agent.daemon.service import Service, Wakers
from workseal_agent.daemon.telling import Telling
from workseal_agent.daemon.unread import Running, UnreadCases
from workseal_agent.errors import AgentError, NoScreenError
from workseal_agent.evidence import finish_withdrawals
from workseal_agent.heldobject import Ciphertext
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_agent.lightheap import keep_heap_light
from workseal_agent.logind import Logind
from workseal_agent.mask import Rule, load_only, load_rules
from workseal_agent.recorder import (
    MAX_CORRECTION_MS,
    Camera,
    Recorder,
    RecorderState,
    Schedule,
    SessionBook,
)
from workseal_agent.screen import pick_screen
from workseal_agent.submission import Log
from workseal_agent.surroundings import Surroundings
from workseal_agent.uplink import BeaconClient, Uplink
from workseal_agent.vault import VaultWriter
from workseal_protocol import __version__
from workseal_protocol.keys import Signer
from workseal_protocol.terms import Level

if TYPE_CHECKING:
    from workseal_agent.daemon.watch import Watch
    from workseal_agent.sealkey import SealKey

AGENT = f"workseal-agent {__version__}"
_SEALED = phrase("Sealed: time goes on, and no picture is taken.")
_UNSEALED = phrase("No longer sealed: work on the screen is recorded again.")
# Less than this is the round trip, and what people's clocks are off by.
_CORRECT_FROM_MS = 2_000
# A screen that does not greet by then hangs.
_GREETING_SECONDS = 10.0

Device = TypeVar("Device")


@dataclass(frozen=True, slots=True)
class Options:
    """Hold what the command line overrides of the settings."""

    screen: ScreenKind | None = None
    replay: Path | None = None


def build_service(  # noqa: PLR0913 - everything that a recording process is made of
    settings: Settings,
    engagement: Engagement,
    ledger: Ledger,
    signer: Signer,
    vault_public: bytes,
    *,
    client: VerifierClient,
    beacon_client: VerifierClient,
    proof_client: VerifierClient | None = None,
    running: Running,
    options: Options,
    settings_file: SettingsFile | None = None,
) -> Service:
    """Put a recording process together; raises `AgentError` when a device is missing."""
    keep_heap_light()
    terms = engagement.terms
    clock = SystemClock()
    wakers = Wakers.make()
    vault = VaultWriter(settings.vault_folder, vault_public)
    finish_withdrawals(ledger, vault)
    around = Surroundings.of(os.environ, display=settings.screen.display)
    only = load_only(settings, engagement.id)
    eyes = _eyes(settings, options, around, only) if terms.level >= Level.FRAMES else None
    sensor: ActivitySensor = NullActivity()
    if terms.level >= Level.ACTIVITY:
        sensor = greeted(lambda: pick_activity(settings.activity.kind, around))
    beacon = BeaconClient(beacon_client, terms.round_ms, wakers.recorder.set)
    chain = OwnChain(ledger, engagement, signer)
    camera = None if eyes is None else Camera(eyes.take, eyes.keeping(vault), ledger, terms.tile)
    recorder = Recorder(
        clock=clock,
        chain=chain,
        ledger=ledger,
        book=SessionBook(
            chain, ledger, agent=AGENT, wall_ms=clock.wall_ms, random=secrets.token_bytes
        ),
        schedule=Schedule(engagement.id, terms, beacon, camera),
        sensor=sensor,
        environment=environment(eyes, sensor),
        on_statement=wakers.uplink.set,
    )
    with ledger.write() as writing:
        writing.unpark(engagement.id)
    acts = Acts(chain, ledger, vault, clock, recorder, wakers.uplink.set)
    uplink = Uplink(ledger, client, Log.of(engagement), wall_ms=clock.wall_ms)
    cramped = Cramped(ledger, settings.home)
    forgetting = Forgetting(
        engagement,
        chain,
        ledger,
        vault,
        clock,
        recorder,
        unread=UnreadCases(engagement, ledger, clock, running),
        proven_ms=lambda: beacon.proven_ms,
        on_statement=wakers.uplink.set,
    )
    holding = others = None
    if proof_client is not None:
        saying = partial(
            Holding,
            ledger=ledger,
            signer=signer,
            vault=Ciphertext(settings.vault_folder, vault_public),
            values=proof_client,
            clock=clock,
        )
        holding = saying(engagement, on_statement=wakers.uplink.set)
        others = OthersHeld(
            engagement,
            ledger,
            clock,
            lambda other: (
                saying(other, on_statement=lambda: None),
                Uplink(ledger, proof_client, Log.of(other), wall_ms=clock.wall_ms),
            ),
        )
    return Service(
        engagement=engagement.id,
        socket_file=settings.socket_file,
        settings_file=settings_file or SettingsFile(settings.config_file),
        recorder=recorder,
        uplink=uplink,
        beacon=beacon,
        wakers=wakers,
        acts=acts.table(),
        clock_check=ClockCheck(client, recorder),
        cramped=cramped,
        watch=_watch(settings, Log.of(engagement)),
        logind=Logind(
            around.system_bus,
            around.session,
            Interruptions(recorder, eyes, wakers.recorder.set, counts=settings.lock.counts).meet,
        ),
        forgetting=forgetting,
        holding=holding,
        others_held=others,
        seal_key=_seal_key(settings, around, recorder, wakers),
        telling=Telling(
            engagement,
            ledger,
            uplink,
            clock,
            partial(notices.show, around.session_bus),
            cramped=lambda: cramped.trouble is not None,
            missing=lambda: any(one is not None and one.missing for one in (holding, others)),
            unread=lambda: forgetting.unread,
        )
        if settings.notices.show and around.session_bus is not None
        else None,
        describe=lambda: captures_of(chain) | (eyes.describe() if eyes is not None else {}),
    )


def greeted(opening: Callable[[], Device], seconds: float = _GREETING_SECONDS) -> Device:
    """Open a device, or raise `NoScreenError` when it does not answer in time."""
    try:
        return Patience(seconds).wait_for(opening)
    except TimeoutError as error:
        raise NoScreenError(
            phrase("the screen does not answer within {seconds:.0f} seconds", seconds=seconds)
        ) from error


def captures_of(chain: OwnChain) -> dict[str, Any]:
    """Count the captures of the open session that were taken and missed."""
    session = chain.state.session
    return {
        "captured": session.captured if session else 0,
        "missed": session.missed if session else 0,
    }


def clock_correction(client: VerifierClient, clock: Clock, *, own_clock: bool = False) -> int:
    """Return what to add to the wall clock when the verifier's differs by seconds, else 0.

    Rounds are the verifier's: with a wrong clock every segment would be refused or late. More than
    a wrong zone explains is not followed, and an `AgentError` unless the owner says that the clock
    is right: what is recorded years ahead is taken by nobody, and could never be continued.
    """
    before = clock.wall_ms()
    try:
        told = client.operator().time_ms
    except (RefusedError, UnreachableError):
        return 0
    difference = told - (before + clock.wall_ms()) // 2
    if abs(difference) <= MAX_CORRECTION_MS:
        return difference if abs(difference) > _CORRECT_FROM_MS else 0
    if own_clock:
        return 0
    raise AgentError(_too_far(difference))


def _too_far(difference_ms: int) -> str:
    hours = abs(difference_ms) // 3_600_000
    if difference_ms < 0:
        return phrase(
            "this machine's clock is {hours} hours ahead of the verifier's: set it; if it is right,"
            " `start` or `resume` with `--own-clock` goes by it",
            hours=hours,
        )
    return phrase(
        "this machine's clock is {hours} hours behind the verifier's: set it; if it is right,"
        " `start` or `resume` with `--own-clock` goes by it",
        hours=hours,
    )


def environment(eyes: Eyes | None, sensor: ActivitySensor) -> bytes:
    """Describe the machine in general terms: a claim, committed and shown only when opened."""
    screen = "none" if eyes is None else eyes.source.name
    virtual = " (virtual)" if eyes is not None and eyes.source.virtual else ""
    lines = (
        f"agent: {AGENT}",
        f"system: {platform.system()} {platform.machine()}",
        f"screen: {screen}{virtual}",
        f"input: {type(sensor).__name__}",
    )
    return "\n".join(lines).encode()


def _watch(settings: Settings, log: Log) -> "Watch | None":
    if settings.witness is None:
        return None
    from workseal_agent.daemon.watch import Watch  # noqa: PLC0415 - few run a witness

    return Watch(settings.witness_folder, settings.witness, log.policy.logs, os.environ)


def _seal_key(
    settings: Settings, around: Surroundings, recorder: Recorder, wakers: Wakers
) -> "SealKey | None":
    if settings.seal.key is None:
        return None
    from workseal_agent.sealkey import SealKey  # noqa: PLC0415 - X11 alone has it

    def press() -> None:
        recorder.toggle_sealed()
        wakers.recorder.set()
        if settings.notices.show and around.session_bus is not None:
            said = _SEALED if recorder.state is RecorderState.SEALED else _UNSEALED
            notices.show(around.session_bus, notices.Notice("Workseal", said))

    return SealKey(around.display, settings.seal.key, press)


def _eyes(
    settings: Settings, options: Options, around: Surroundings, only: tuple[Rule, ...]
) -> Eyes:
    kind = options.screen or settings.screen.kind
    replay = options.replay or settings.screen.replay
    rules = load_rules(settings)
    masking = bool(rules or only)
    token = settings.cast_token_file
    source = greeted(
        lambda: pick_screen(kind, around, replay=replay, masking=masking, token_file=token)
    )
    return Eyes(source, rules, only)
