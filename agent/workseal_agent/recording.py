"""The program that records: what `start` runs, and what is there all day.

Rules: it is given its engagement and its key through a pipe and asks nobody for a passphrase. It
loads nothing of the command line, which is for a person who waits; `tests/agent/test_build.py`
names what else it must not load.
"""

import sys
from collections.abc import Sequence
from contextlib import closing

from workseal_agent.clock import SystemClock
from workseal_agent.config import Settings, SettingsFile
from workseal_agent.connection import VerifierClient
from workseal_agent.daemon import HomeLock
from workseal_agent.daemon.build import Options, build_service, clock_correction
from workseal_agent.daemon.ending import on_end_signals
from workseal_agent.daemon.service import Correction, Service
from workseal_agent.errors import AgentError, UsageProblem
from workseal_agent.handover import Handover, Order, receive
from workseal_agent.homeparts import client_of, ledger_file_of, settings_of, trusted_by
from workseal_agent.keystore import Keystore
from workseal_agent.language import own, phrase
from workseal_agent.ledger import Engagement, Ledger, LedgerKey
from workseal_agent.mask import require_known
from workseal_agent.outcome import outcome_of
from workseal_agent.submission import newest_checkpoint
from workseal_agent.undumped import forbid_dumps
from workseal_protocol.cli.text import plain
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, SeedSigner, Signer

# The beacon's answers are small and late ones are useless.
_BEACON_SECONDS = 1.5
# Who pauses waits as long as this for each write that another program holds up, and what is not
# stored then is tried again at the next look.
_BUSY_MS = 2_000


def main(words: Sequence[str] | None = None) -> int:
    """Record until it is stopped; returns the exit code."""
    return outcome_of(lambda: record(*(sys.argv[1:] if words is None else words)))


def record(*words: str) -> None:
    """Record as the one argument orders, or raise `AgentError` saying why that cannot be."""
    order, handover = _received(words)
    # Before it is read: a change in between would be missed.
    settings_file = SettingsFile(Settings(order.home).config_file)
    settings = settings_of(order.home)
    keystore = Keystore.load(settings.keys_file)
    signer = SeedSigner(handover.seed)
    if signer.public_key != PublicKey.of_raw(keystore.signing_public):
        raise AgentError("the key that was handed over is not the key of this home")
    with HomeLock(settings.home):
        # Not closed: what still sends at the end may be on its last statement.
        ledger = Ledger(ledger_file_of(settings), LedgerKey(signer), busy_ms=_BUSY_MS)
        engagement = _engagement(ledger, handover.engagement)
        require_known(settings, [one.id for one in ledger.engagements()])
        # One for all: each copy of what the system believes takes most of a megabyte.
        trusted = trusted_by(settings)

        def to_verifier(seconds: float | None = None, by: Signer | None = None) -> VerifierClient:
            return client_of(
                settings,
                engagement.url,
                traffic=order.traffic,
                seconds=seconds,
                signer=by,
                trusted=trusted,
            )

        def running() -> frozenset[Digest]:
            from workseal_agent.unreadcases import running_cases  # noqa: PLC0415 - rarely asked

            with closing(to_verifier(by=signer)) as asking:
                return running_cases(asking, engagement)

        with (
            closing(to_verifier()) as client,
            closing(to_verifier(_BEACON_SECONDS)) as beacon,
            closing(to_verifier()) as proof,
        ):
            service = build_service(
                settings,
                engagement,
                ledger,
                signer,
                keystore.vault_public,
                client=client,
                beacon_client=beacon,
                proof_client=proof,
                running=running,
                options=Options(order.screen, order.replay),
                settings_file=settings_file,
            )
            on_end_signals(service.request_stop)

            def correct(*, own_clock: bool = False) -> int:
                return _correction(beacon, own_clock=own_clock or order.own_clock)

            _run(service, engagement, correct, paused=order.paused)


def _run(service: Service, engagement: Engagement, correct: Correction, *, paused: bool) -> None:
    number = engagement.id.hex()
    if paused:
        _say(phrase("paused: `workseal-agent resume` begins engagement {number}", number=number))
        service.run_paused(correct)
    else:
        correction = correct()
        _say(phrase("recording engagement {number}", number=number))
        service.run(correction)


def _received(words: Sequence[str]) -> tuple[Order, Handover]:
    forbid_dumps()
    try:
        return Order.parse(" ".join(words)), receive()
    except MalformedError as error:
        raise UsageProblem("this program is for the agent itself: use `start`") from error


def _engagement(ledger: Ledger, number: bytes) -> Engagement:
    for engagement in ledger.engagements():
        if engagement.id == number:
            if newest_checkpoint(ledger, number) is None:
                break
            return engagement
    raise AgentError("the acceptance is not logged yet: run `workseal-agent join` again")


def _correction(client: VerifierClient, *, own_clock: bool) -> int:
    correction = clock_correction(client, SystemClock(), own_clock=own_clock)
    if correction:
        differs = phrase(
            "this machine's clock differs from the verifier's by {seconds:+.1f} s",
            seconds=correction / 1000,
        )
        _say(differs)
    return correction


def _say(text: str) -> None:
    # At once: the command that started this reads it, and then goes.
    sys.stdout.write(plain(own(text)) + "\n")
    sys.stdout.flush()
