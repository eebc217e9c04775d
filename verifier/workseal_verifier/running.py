"""Everything that runs in one server process, made from a home's settings.

Rule: what is made here is open only after `open`, which first looks at what was signed before.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from workseal_protocol import merkle
from workseal_protocol.keys import PublicKey
from workseal_protocol.statement import Statement
from workseal_verifier.api.services import Services
from workseal_verifier.authorities import certificates_of, configured, drand_relay
from workseal_verifier.config import Settings
from workseal_verifier.errors import (
    ConfigError,
    RefusedError,
)
from workseal_verifier.homekeys import load_identity
from workseal_verifier.homelock import HomeLock
from workseal_verifier.housekeeping import Housekeeping, Premises
from workseal_verifier.keyfiles import create_secret
from workseal_verifier.loops import Loops
from workseal_verifier.measured import register, wal_bytes
from workseal_verifier.owncopy import OwnCopy
from workseal_verifier.postroom import carriers_of, delivery_of, place_of
from workseal_verifier.services.admission import Admission
from workseal_verifier.services.anchors import AnchorBook
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.candidate import Intake
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.clerk import Clerk, Files, Orders
from workseal_verifier.services.clock import Clock, SystemClock
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.delivering import Room
from workseal_verifier.services.diaries import Diaries
from workseal_verifier.services.disclosures import ANSWER_TIMEOUT_S, DisclosureDesk
from workseal_verifier.services.disputedhours import DisputedHours
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
from workseal_verifier.services.hearing import Hearings
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.limits import Limiter
from workseal_verifier.services.mailbox import Mailbox, Packages
from workseal_verifier.services.meters import Meters
from workseal_verifier.services.noticeboard import NoticeBoard
from workseal_verifier.services.outage import Outage
from workseal_verifier.services.outside import Outside
from workseal_verifier.services.passkeys import Passkeys
from workseal_verifier.services.proving import Prover
from workseal_verifier.services.publication import Cosigning, Publisher
from workseal_verifier.services.readiness import Readiness
from workseal_verifier.services.reading import Reader
from workseal_verifier.services.redraws import Redraws
from workseal_verifier.services.replay import NonceMemory, SpentNonces
from workseal_verifier.services.sequencer import Limits, Sequencer, Watch
from workseal_verifier.services.sheetreview import SheetReview
from workseal_verifier.services.signin import SignIn
from workseal_verifier.services.sites import Sites
from workseal_verifier.services.space import Space
from workseal_verifier.services.stamping import Authority, Stamper
from workseal_verifier.services.standing import Standings
from workseal_verifier.services.tree import TileTree
from workseal_verifier.services.weekly import Digests
from workseal_verifier.services.witnessing import Witnessing, require_not_behind
from workseal_verifier.services.work import WorkBook
from workseal_verifier.signaturechecks import SignatureChecks, useful
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.conflicts import ConflictStore
from workseal_verifier.store.contacts import ContactStore
from workseal_verifier.store.engine import Database, Where
from workseal_verifier.store.invitations import InvitationStore
from workseal_verifier.store.log import Head, LogStore
from workseal_verifier.store.notices import Channel, NoticeStore
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.presence import OwnActStore, PresenceStore
from workseal_verifier.store.records import RecordStore

_logger = logging.getLogger(__name__)

MIB: Final = 1 << 20
_SPACE_S: Final = 5.0
# Webhooks that are told at once.
_HOOK_LANES: Final = 4


if TYPE_CHECKING:
    from workseal_verifier.outward import Outward


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
        self._outward = _outward(settings)
        self.witnessing = self._witnessing()
        if settings.witness and cosigning is None:
            cosigning = self.witnessing
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
        self.meters.gauges(
            "witness_behind",
            "Statements that a witness has not cosigned yet.",
            "witness",
            lambda: {
                name: self.sequencer.current.size - size
                for name, _, size in self.witnessing.standings()
            },
        )
        self.meters.gauge(
            "notices_waiting",
            "Notices that are still to be sent.",
            lambda: self.outbox.counts().waiting,
        )
        self.meters.gauge(
            "notices_parked", "Notices that were given up.", lambda: self.outbox.counts().parked
        )
        self.checks = SignatureChecks(useful(settings.check_processes))
        self.meters.gauge(
            "check_processes", "Processes that check signatures.", lambda: self.checks.running
        )
        self.services = self._services()
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
        self._check_witnesses()
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
        self.witnessing.close()
        if self._outward is not None:
            self._outward.close()
        self.loops.join()
        self.checks.close()
        self.database.close()
        self.lock.close()

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
        if self.carriers.mail is not None and self.database.lead():
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

    def _log_own(self, own: Sequence[Statement]) -> None:
        candidates = [self.services.intake.own(statement) for statement in own]
        self.sequencer.submit(candidates).result(ANSWER_TIMEOUT_S)

    def _check_witnesses(self) -> None:
        """Ask the witnesses how far they have seen this log, before anything is signed."""
        sightings = self.witnessing.sightings()
        if sightings:
            head = self.log.head() or Head(0, merkle.EMPTY_ROOT)
            tree = TileTree(head.size, self.log.tile)
            require_not_behind(sightings, head.size, tree.root)

    def _refresh(self) -> float:
        published = self.publisher.current
        if published is not None:
            tree, size = published.tree, published.size
            self.witnessing.refresh(published.signed, lambda old: tree.consistency(old, size))
        return self.settings.witness_interval_s

    def _witnessing(self) -> Witnessing:
        outward, outside = self._outward, []
        if outward is not None:
            addresses = dict.fromkeys(one.url for one in self.settings.witness)
            # One witness may have two keys: it is asked once.
            keys = {
                url: {one.name: one.vkey for one in self.settings.witness if one.url == url}
                for url in addresses
            }
            outside = [Outside(found, outward.to(url)) for url, found in keys.items()]
        return Witnessing(
            self.identity.log_key,
            outside,
            policies=lambda: self._in_force,
            size=lambda: (self.log.head() or Head(0, merkle.EMPTY_ROOT)).size,
            clock=self._clock,
            health=self.health,
            timeout_s=self.settings.witness_timeout_s,
        )

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

    def _services(self) -> Services:
        intake = Intake(self.records, self.checks.ask if self.checks.wanted else None)
        keys = KeyBook(self.records)
        cases = CaseBook(self.records, keys)
        standings = Standings(
            cases=cases,
            log=self.log,
            records=self.records,
            access=self.invited,
            operator=self.identity.operator.public_key,
            size=lambda: self.sequencer.current.size,
        )
        signin = SignIn(self.access, self._clock)
        diaries = Diaries(
            log=self.log, records=self.records, current=lambda: self.sequencer.current
        )
        # A home of an earlier release has none yet.
        secret = create_secret(self.settings.keys / "access.seed")
        contacts = ContactBook(
            ContactStore(self.database),
            keys,
            self._clock,
            secret,
            size=lambda: self.sequencer.current.size,
        )
        self.clerk = Clerk(
            Files(
                self.records,
                cases,
                self.notices,
                PresenceStore(self.database),
                OwnActStore(self.database),
                self._packages,
            ),
            Orders(
                self.settings.acts_by_itself,
                self.settings.lapse_grace_s * 1000,
                log=lambda statement: self._log_own([statement]),
            ),
            identity=self.identity,
            beacon=self.beacon,
            clock=self._clock,
            health=self.health,
        )
        room = Room(
            self.outbox,
            contacts,
            cases,
            self._clock,
            self.health,
            lambda: self.sequencer.current.size,
        )
        sheets = SheetReview(self.records, diaries)
        self.digests = Digests(
            self.notices, contacts, sheets, standings, self._clock, place_of(self.settings)
        )
        self.delivery = delivery_of(self.settings, self.carriers, room, self.digests)
        return Services(
            intake=intake,
            sequencer=self.sequencer,
            reader=Reader(
                log=self.log,
                records=self.records,
                identity=self.identity,
                beacon=self.beacon,
                keys=keys,
                showing=self.sequencer.showing,
            ),
            diaries=diaries,
            sheets=sheets,
            beacon=self.beacon,
            desk=DisclosureDesk(
                intake=intake,
                sequencer=self.sequencer,
                records=self.records,
                identity=self.identity,
                clock=self._clock,
            ),
            mailbox=self._packages,
            conflicts=self.conflicts,
            standings=standings,
            hearings=Hearings(
                self.records,
                cases,
                standings,
                clock=self._clock,
                size=lambda: self.sequencer.current.size,
            ),
            disputed=DisputedHours(self.records, diaries),
            redraws=Redraws(self.records, diaries),
            board=NoticeBoard(
                self.notices,
                keys,
                clock=self._clock,
                size=lambda: self.sequencer.current.size,
            ),
            contacts=contacts,
            carriers=self.carriers,
            prover=Prover(standings, NonceMemory(self._clock), SpentNonces(self.access)),
            signin=signin,
            passkeys=Passkeys(self.access, signin, self._clock, secret),
            invitations=self.invitations,
            sites=Sites(self.settings.url, self.settings.origin),
            identity=self.identity,
            health=self.health,
            readiness=self.readiness,
            clock=self._clock,
            check_clock=self.publisher.check_clock,
            drand=drand_relay(self.settings, self._clock, self.health),
            tsa_certificates=certificates_of(self.authorities),
            signers=Limiter(
                rate=self.settings.signer_rate,
                burst=self.settings.signer_burst,
                what="statements by one signer",
            ),
        )


def _outward(settings: Settings) -> "Outward | None":
    if not settings.witness:
        return None
    # It brings a whole client for HTTP, which a log without witnesses does without.
    from workseal_verifier.outward import Outward  # noqa: PLC0415

    return Outward(settings.witness_timeout_s)
