"""Everything that runs in one server process, made from a home's settings.

Rule: what is made here is open only after `open`, which first looks at what was signed before.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from workseal_protocol.keys import PublicKey
from workseal_protocol.statement import Statement
from workseal_verifier.authorities import configured
from workseal_verifier.composition import Parts, compose
from workseal_verifier.config import Settings
from workseal_verifier.errors import (
    ConfigError,
    RefusedError,
)
from workseal_verifier.homekeys import load_identity
from workseal_verifier.homelock import HomeLock
from workseal_verifier.housekeeping import Housekeeping, Premises
from workseal_verifier.loops import Loops
from workseal_verifier.measured import register, register_beside, wal_bytes
from workseal_verifier.owncopy import OwnCopy
from workseal_verifier.postroom import carriers_of
from workseal_verifier.services.admission import Admission
from workseal_verifier.services.anchors import AnchorBook
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.clock import Clock, SystemClock
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.disclosures import ANSWER_TIMEOUT_S
from workseal_verifier.services.draft import House
from workseal_verifier.services.health import (
    CASES,
    HOUSEKEEPING,
    NOTICES,
    SPACE,
    STAMPING,
    WEBHOOKS,
    WITNESSING,
    Health,
)
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.mailbox import Mailbox, Packages
from workseal_verifier.services.meters import Meters
from workseal_verifier.services.outage import Outage
from workseal_verifier.services.publication import Cosigning, Publisher
from workseal_verifier.services.readiness import Readiness
from workseal_verifier.services.sequencer import Limits, Sequencer, Watch
from workseal_verifier.services.space import Space
from workseal_verifier.services.stamping import Authority, Stamper
from workseal_verifier.services.work import WorkBook
from workseal_verifier.signaturechecks import SignatureChecks, useful
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.conflicts import ConflictStore
from workseal_verifier.store.engine import Database, Where
from workseal_verifier.store.invitations import InvitationStore
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.notices import Channel, NoticeStore
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.records import RecordStore
from workseal_verifier.witnesses import Witnesses

_logger = logging.getLogger(__name__)

MIB: Final = 1 << 20
_SPACE_S: Final = 5.0
# Webhooks that are told at once.
_HOOK_LANES: Final = 4


def make_mailbox(settings: Settings, clock: Clock) -> Mailbox:
    """Make the mailbox of a home."""
    return Mailbox(
        clock,
        count=settings.mailbox_count,
        total=settings.mailbox_mib * MIB,
        ttl_ms=settings.mailbox_ttl_s * 1000,
    )


class Verifier:
    """Everything that runs in one server process."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        database: Callable[[Where], Database] = Database,
        authorities: Sequence[Authority] | None = None,
        packages: Packages | None = None,
        cosigning: Cosigning | None = None,
    ) -> None:
        """Take the home's lock; with `packages`, as one of several workers that share them."""
        self.settings = settings
        clock = clock or SystemClock()
        self.identity = load_identity(settings)
        self._is_open = False
        self._in_force = [self.identity.policy]
        self.database = database(settings.store)
        self.log = LogStore(self.database)
        self.records = RecordStore(self.database)
        self.access = AccessStore(self.database)
        self.invited = InvitationStore(self.database)
        self.invitations = Invitations(self.invited, clock)
        self.notices, self.outbox = NoticeStore(self.database), Outbox(self.database)
        self.carriers = carriers_of(settings, self.identity.operator, clock)
        self.lock = HomeLock(settings.lock, shared=packages is not None)
        self._packages = packages or make_mailbox(settings, clock)
        self.own = OwnCopy(settings.lock, settings.origin)
        self._clock = clock
        self.authorities = configured(settings) if authorities is None else authorities
        self.health = Health()
        self.loops = Loops(self.health)
        self._clock_back = Outage("the clock has caught up: the log is signed again")
        self.witnesses = Witnesses(
            settings,
            self.identity,
            self.log,
            policies=lambda: self._in_force,
            clock=clock,
            health=self.health,
        )
        if settings.witness and cosigning is None:
            cosigning = self.witnesses.witnessing
        self.publisher = Publisher(self.log, self.identity, clock, self.lock, cosigning=cosigning)
        self.beacon = Beacon(
            periods_ms=settings.periods_ms,
            keys=settings.keys,
            identity=self.identity,
            clock=clock,
            records=self.records,
            signed_at=self.log.last_signed_at,
        )
        self.meters = Meters()
        self.checks = SignatureChecks(useful(settings.check_processes))
        self.space = Space(
            free=self.database.free_bytes,
            owed=lambda: wal_bytes(settings.database),
            least_bytes=settings.min_free_mib * MIB,
        )
        self.conflicts = ConflictBook(ConflictStore(self.database))
        self.sequencer = Sequencer(
            self.publisher,
            Admission(self._house(), memory_bytes=settings.chain_memory_mib * MIB),
            self.records,
            limits=Limits(
                tick_s=settings.tick_ms / 1000,
                max_pending=settings.max_pending,
            ),
            watch=Watch(self.health, self.space, self.meters),
            conflicts=self.conflicts,
        )
        self.readiness = Readiness(self.publisher, self.health, self.space)
        register(
            self.meters,
            sequencer=self.sequencer,
            space=self.space,
            health=self.health,
            conflicts=self.conflicts,
            database=settings.database,
        )
        register_beside(
            self.meters,
            committed=lambda: self.publisher.size,
            witnessing=self.witnesses.witnessing,
            outbox=self.outbox,
            checks=self.checks,
        )
        composed = compose(
            Parts(
                settings=settings,
                identity=self.identity,
                clock=clock,
                database=self.database,
                log=self.log,
                records=self.records,
                access=self.access,
                invited=self.invited,
                invitations=self.invitations,
                notices=self.notices,
                outbox=self.outbox,
                carriers=self.carriers,
                packages=self._packages,
                authorities=self.authorities,
                beacon=self.beacon,
                publisher=self.publisher,
                sequencer=self.sequencer,
                checks=self.checks,
                conflicts=self.conflicts,
                health=self.health,
                readiness=self.readiness,
                log_own=self._log_own,
            )
        )
        self.services = composed.services
        self.clerk, self.digests, self.hours = composed.clerk, composed.digests, composed.hours
        self.delivery = composed.delivery
        self.housekeeping = Housekeeping(
            Premises(
                settings=settings,
                identity=self.identity,
                clock=clock,
                database=self.database,
                records=self.records,
                access=self.access,
                beacon=self.beacon,
                own=self.own,
                health=self.health,
            ),
            log=self._log_own,
            size=lambda: self.publisher.size,
        )

    def open(self, *, rotating: bool = False) -> None:
        """Open the log and begin to sequence; raises when the home is not fit to serve."""
        if self._is_open:
            return
        self._is_open = True
        self.database.create()
        if self.settings.next_operator.exists() and not rotating:
            raise ConfigError(
                "the operator's key is being rotated: finish it with 'workseal-verifier rotate'"
            )
        self._in_force = self.housekeeping.policies()
        self.witnesses.require_not_behind()
        self._tell_of_a_missing_mark()
        try:
            self.publisher.load()
        except RefusedError as error:
            # A clock behind the newest checkpoint: reading goes on, signing waits for the clock.
            self._clock_back.goes_on(error, error.detail)
        self.beacon.refresh()
        self.sequencer.start()
        # The first turn comes before anybody is answered: rounds need their beacon.
        self.loops.start(HOUSEKEEPING, self.housekeeping.keep, self.housekeeping.keep())
        self.loops.start(SPACE, self._look_around, 0)
        self.loops.start(CASES, self._look_after_cases, self.settings.cases_interval_s)
        self.loops.start(NOTICES, self._mail, self.settings.outbox_interval_s)
        for _ in range(_HOOK_LANES if self.carriers.hook is not None else 1):
            self.loops.start(WEBHOOKS, self._tell_webhooks, self.settings.outbox_interval_s)
        if any(one.send is not None for one in self.authorities):
            stamper = Stamper(
                self.log,
                self.publisher,
                self.identity,
                self.authorities,
                clock=self._clock,
                health=self.health,
            )
            # Never in this thread: an authority that is slow must not hold the start.
            self.loops.start(STAMPING, lambda: self._stamp(stamper), 0)
        if self.settings.witness:
            self.loops.start(WITNESSING, self._refresh, self.settings.witness_interval_s)

    def close(self) -> None:
        """Finish what is queued and let the home go."""
        if self.loops.are_ending:
            return
        self.loops.end()
        if self._is_open:
            self.sequencer.stop()
        self.witnesses.close()
        self.loops.join()
        self.checks.close()
        self.database.close()
        self.lock.close()

    def _tell_of_a_missing_mark(self) -> None:
        # A new host's folder is as empty as one whose volume is not mounted.
        size = self.log.newest_signed_size()
        if size and self.lock.read() is None:
            _logger.warning(
                "%s remembers nothing of a log that signed size %s: is its volume mounted?"
                " a backup that was restored would not be noticed",
                self.settings.lock,
                size,
            )

    def _look_around(self) -> float:
        # Also when nothing is submitted: that nothing can be is told before somebody tries.
        self.space.look()
        try:
            self.publisher.check_clock()
        except RefusedError as error:
            self._clock_back.goes_on(error, error.detail)
        else:
            self._clock_back.ends()
        self.health.worked(SPACE)
        return _SPACE_S

    def _look_after_cases(self) -> float:
        self.clerk.beat()
        if self.database.lead():
            self.clerk.run()
        self.health.worked(CASES)
        return self.settings.cases_interval_s

    def _mail(self) -> float:
        if self.database.lead():
            self.hours.remind()
            if self.carriers.mail is not None:
                self.digests.make()
        self.delivery.run(Channel.MAIL)
        self.health.worked(NOTICES)
        return self.settings.outbox_interval_s

    def _tell_webhooks(self) -> float:
        self.delivery.run(Channel.WEBHOOK)
        self.health.worked(WEBHOOKS)
        return self.settings.outbox_interval_s

    def _stamp(self, stamper: Stamper) -> float:
        if self.database.lead():
            stamper.stamp()
        return self.settings.stamp_interval_s

    def _refresh(self) -> float:
        return self.witnesses.refresh(self.publisher.current)

    def _log_own(self, own: Sequence[Statement]) -> None:
        candidates = [self.services.intake.own(statement) for statement in own]
        self.sequencer.submit(candidates).result(ANSWER_TIMEOUT_S)

    def _house(self) -> House:
        return House(
            identity=self.identity,
            policy_text=self.identity.policy.encode(),
            may_offer=self._may_offer,
            may_come=self._may_come,
            beacon=self.beacon,
            clock=self._clock,
            records=self.records,
            work=WorkBook(self.records),
            anchors=AnchorBook(self.log),
        )

    def _may_offer(self, key: PublicKey) -> bool:
        settings = self.settings
        if not settings.clients and not settings.invited_only:
            return True
        if key.text() in settings.clients:
            return True
        return settings.invited_only and self.invitations.may_offer(key)

    def _may_come(self, key: PublicKey) -> bool:
        return self._may_offer(key) or bool(self.invited.invited(key.thumbprint))
