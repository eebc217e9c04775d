"""The composition root: settings in, a running verifier and its HTTP application out."""

import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

from fastapi import Depends, FastAPI

from workseal_protocol import merkle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, PublicKey, SeedSigner
from workseal_protocol.records import LogPolicy, sign
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.api import (
    disputes,
    drand,
    engagements,
    invitations,
    keys,
    log,
    openapi,
    operator,
    scrapi,
    signin,
    statements,
)
from workseal_verifier.api.access import HERE
from workseal_verifier.api.arrivals import Arrivals
from workseal_verifier.api.direct import Direct
from workseal_verifier.api.edge import Edge
from workseal_verifier.api.guard import READ, SUBMISSION, Budget, Guard
from workseal_verifier.api.lanes import Lanes
from workseal_verifier.api.problems import install
from workseal_verifier.api.routing import operations
from workseal_verifier.api.services import Services
from workseal_verifier.api.strict import require_known_query
from workseal_verifier.authorities import certificates_of, configured, drand_relay
from workseal_verifier.config import Settings
from workseal_verifier.errors import (
    ConfigError,
    Reason,
    RefusedError,
    SettingsError,
    StoreError,
)
from workseal_verifier.homelock import HomeLock
from workseal_verifier.keyfiles import create_secret, make_folder, read_secret
from workseal_verifier.measured import MetricsServer, register, wal_bytes
from workseal_verifier.outward import Outward
from workseal_verifier.owncopy import OwnCopy
from workseal_verifier.services.admission import Admission
from workseal_verifier.services.anchors import AnchorBook
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.candidate import Intake
from workseal_verifier.services.clock import Clock, SystemClock
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.disclosures import ANSWER_TIMEOUT_S, DisclosureDesk
from workseal_verifier.services.draft import House
from workseal_verifier.services.health import (
    BEACON,
    HOUSEKEEPING,
    SPACE,
    STAMPING,
    WITNESSING,
    Health,
)
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.limits import Limiter
from workseal_verifier.services.mailbox import Mailbox, Packages
from workseal_verifier.services.meters import Meters
from workseal_verifier.services.outside import Outside
from workseal_verifier.services.passkeys import Passkeys
from workseal_verifier.services.policies import (
    logged_policies,
    policies_in_force,
    require_continued,
)
from workseal_verifier.services.proving import Prover
from workseal_verifier.services.publication import Cosigning, Publisher
from workseal_verifier.services.readiness import Readiness
from workseal_verifier.services.reading import Reader
from workseal_verifier.services.replay import NonceMemory, SpentNonces
from workseal_verifier.services.sequencer import Limits, Sequencer, Watch
from workseal_verifier.services.signin import SignIn
from workseal_verifier.services.sites import Sites
from workseal_verifier.services.space import Space
from workseal_verifier.services.stamping import Authority, Stamper
from workseal_verifier.services.standing import Standings
from workseal_verifier.services.tree import TileTree
from workseal_verifier.services.witnessing import Witnessing, require_not_behind
from workseal_verifier.services.work import WorkBook
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.conflicts import ConflictStore
from workseal_verifier.store.engine import Database, Where
from workseal_verifier.store.log import Head, LogStore
from workseal_verifier.store.records import RecordStore

_logger = logging.getLogger(__name__)

MIB = 1 << 20
# How often the beacon's commitments are looked after; they are due once a day.
HOUSEKEEPING_S = 60.0
SPACE_S = 5.0
# And how soon again when that did not work.
RETRY_S = 2.0
# How often a process that does not lead looks whether it does now.
FOLLOWING_S = 5.0
# What the operator signs.
_OWN_KINDS = [kind.value for kind in Kind if kind.value.startswith(("beacon.", "key.", "log."))] + [
    Kind.DISPUTE_FINDING.value
]
# Bodies that arrive at once, of at most 1 MiB each or not yet looked at, and all their bytes.
ARRIVING = 256
ARRIVING_BYTES = 32 * MIB
RULES = (
    "An offer by the client whom its terms name, an acceptance by the freelancer, the chained"
    " statements of that freelancer, disputes by the named parties, and key statements about those"
    " keys are logged if docs/spec holds for them at their place in the log; nothing else is.\n"
)


def make_keys(settings: Settings, *, pq: bool) -> None:
    """Make the keys of a new log, each in a file of its own; keep those that exist."""
    for folder in (settings.home, settings.keys, settings.lock):
        make_folder(folder)
    for name in ("log", "operator", "clock", "access", *(("pq",) if pq else ())):
        create_secret(settings.keys / f"{name}.seed")


def load_identity(settings: Settings) -> Identity:
    """Read the keys of a home, and of the witnesses that its settings name."""
    names = ("log", "operator", "clock")
    log, operator, clock = (
        SeedSigner(read_secret(settings.keys / f"{name}.seed")) for name in names
    )
    pq = settings.keys / "pq.seed"
    signer = SeedSigner(read_secret(pq), Algorithm.ML_DSA_44) if pq.exists() else None
    made = Identity(settings.origin, log, operator, clock, signer)
    if not settings.witness:
        return made
    witnesses = {one.name: one.vkey for one in settings.witness}
    if len(witnesses) != len(settings.witness):
        raise SettingsError("two [[witness]] tables have one name")
    try:
        return replace(made, witnesses=witnesses, quorum=settings.quorum)
    except (MalformedError, ValueError) as error:
        raise SettingsError(f"[[witness]] and quorum make no log policy: {error}") from error


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
        self._closing = ExitStack()
        self._stop = threading.Event()
        self._is_open = False
        self._policy_is_logged = False
        self._in_force = [self.identity.policy]
        self._lost: list[str] = []
        self.database = database(settings.store)
        self.log = LogStore(self.database)
        self.records = RecordStore(self.database)
        self.access = AccessStore(self.database)
        self.invitations = Invitations(self.access, clock)
        self.lock = HomeLock(settings.lock, shared=packages is not None)
        self._packages = packages or make_mailbox(settings, clock)
        self.own = OwnCopy(settings.lock, settings.origin)
        self._clock = clock
        self.authorities = configured(settings) if authorities is None else authorities
        self.health = Health()
        self._outward = Outward(settings.witness_timeout_s) if settings.witness else None
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
            Admission(self._house()),
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
        self.services = self._services()

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
        self._check_policy()
        self._check_witnesses()
        try:
            self.publisher.load()
        except RefusedError as error:
            # A clock behind the newest checkpoint: reading goes on, signing waits for the clock.
            _logger.error("%s", error)  # noqa: TRY400
        self.beacon.refresh()
        self.sequencer.start()
        # The first turn comes before anybody is answered: rounds need their beacon.
        self._start_loop(HOUSEKEEPING, self.keep_house, self.keep_house())
        self._start_loop(SPACE, self._look_at_space, 0)
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
            self._start_loop(STAMPING, lambda: self._stamp(stamper), 0)
        if self.settings.witness:
            self._start_loop(WITNESSING, self._refresh, self.settings.witness_interval_s)

    def close(self) -> None:
        """Finish what is queued and let the home go."""
        if self._stop.is_set():
            return
        self._stop.set()
        if self._is_open:
            self.sequencer.stop()
        self.witnessing.close()
        if self._outward is not None:
            self._outward.close()
        self._closing.close()
        self.database.close()
        self.lock.close()

    def _start_loop(self, name: str, work: Callable[[], float], wait_s: float) -> None:
        """Do some work again and again, each time after as many seconds as it said before."""

        def loop() -> None:
            wait = wait_s
            while not self._stop.wait(wait):
                wait = self._attempt(name, work)

        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        self._closing.callback(thread.join, 30)

    def _attempt(self, name: str, work: Callable[[], float]) -> float:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - a loop that ends is a beacon that ends
            _logger.error("%s waits: %s", name, type(error).__name__)  # noqa: TRY400 - no traces
            self.health.failed(name)
            return RETRY_S

    def keep_house(self) -> float:
        """Log the log's policy when it is new, and the beacon's commitments as they fall due.

        Returns after how many seconds to look again.
        """
        if not self.database.lead():
            # Another process looks after the log's own statements.
            self.beacon.refresh()
            self._tell_lost()
            self.health.worked(HOUSEKEEPING)
            return FOLLOWING_S
        try:
            self._log_policy()
            self.beacon.commit_ahead(self._log_own)
            self._copy_own()
            self._tell_lost()
        except (RefusedError, StoreError, ConfigError, TimeoutError) as error:
            _logger.error("housekeeping waits: %s", error)  # noqa: TRY400 - no traces
            self.health.failed(HOUSEKEEPING)
            return RETRY_S
        self.health.worked(HOUSEKEEPING)
        return HOUSEKEEPING_S

    def _tell_lost(self) -> None:
        """Say which rounds this process cannot release, once; agents mark them offline."""
        lost = self.beacon.lost()
        for rounds in [one for one in lost if one not in self._lost]:
            _logger.error("the beacon's secret is missing or another: %s", rounds)
        self._lost = lost
        if lost:
            self.health.failed(BEACON)
        else:
            self.health.worked(BEACON)

    def _look_at_space(self) -> float:
        # Also when nothing is submitted: that the log is read-only is told before somebody tries.
        self.space.look()
        self.health.worked(SPACE)
        return SPACE_S

    def _stamp(self, stamper: Stamper) -> float:
        if self.database.lead():
            stamper.stamp()
        return self.settings.stamp_interval_s

    def _copy_own(self) -> None:
        """Copy what the operator signed to the volume that is never restored."""
        issuer = self.identity.operator.public_key.thumbprint
        entries = self.records.of_kinds(
            _OWN_KINDS, since=self.own.next_index(), below=self.publisher.size
        )
        self.own.add(
            (entry.position, entry.body)
            for entry in entries
            if Statement.parse(entry.body).issuer == issuer
        )

    def _log_policy(self) -> None:
        if self._policy_is_logged:
            return
        try:
            self._log_own([self._policy_statement()])
        except RefusedError as refusal:
            # Another process, which led before this one, has logged it.
            if refusal.reason is not Reason.CONFLICT:
                raise
        self._policy_is_logged = True

    def _log_own(self, own: Sequence[Statement]) -> None:
        candidates = [self.services.intake.own(statement) for statement in own]
        self.sequencer.submit(candidates).result(ANSWER_TIMEOUT_S)

    def _policy_statement(self) -> Statement:
        continued = self.settings.continued
        previous = None
        if continued.exists():
            previous = SignedCheckpoint.parse(continued.read_bytes())
        record = LogPolicy(
            claimed_at=self._clock.now_ms(),
            origin=self.settings.origin,
            policy=self.identity.policy.encode(),
            rules=RULES,
            previous=previous,
        )
        return sign(record, self.identity.operator)

    def _check_policy(self) -> None:
        logged = logged_policies(self.records, MAX_INTEGER)
        require_continued(logged, self.identity)
        ours = self.identity.policy.encode()
        self._policy_is_logged = bool(logged) and logged[-1].policy == ours
        self._in_force = policies_in_force(logged, self.identity)

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

    def _services(self) -> Services:
        intake = Intake(self.records)
        keys = KeyBook(self.records)
        standings = Standings(
            log=self.log,
            records=self.records,
            access=self.access,
            keys=keys,
            operator=self.identity.operator.public_key,
            size=lambda: self.sequencer.current.size,
        )
        signin = SignIn(self.access, self._clock)
        # A home of an earlier release has none yet.
        secret = create_secret(self.settings.keys / "access.seed")
        return Services(
            intake=intake,
            sequencer=self.sequencer,
            reader=Reader(
                log=self.log,
                records=self.records,
                identity=self.identity,
                beacon=self.beacon,
                keys=keys,
                current=lambda: self.sequencer.current,
            ),
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
            prover=Prover(
                standings, NonceMemory(self._clock), SpentNonces(self.access, self._clock)
            ),
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


def create_app(settings: Settings, verifier: Verifier | None = None) -> FastAPI:
    """Make the HTTP application of one home; it opens the log when it starts."""
    running = verifier or Verifier(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running.open()
        metrics = None
        if settings.metrics_port:
            metrics = MetricsServer(running.meters, settings.metrics_port)
        try:
            yield
        finally:
            if metrics is not None:
                metrics.close()
            running.close()

    app = FastAPI(
        title="Workseal verifier",
        lifespan=lifespan,
        # The framework's pages load scripts from elsewhere; docs/spec describes the interface.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # What is asked for must be in its form; then the door decides, for every route.
        dependencies=[Depends(require_known_query), HERE],
    )
    app.state.services = running.services
    app.state.body_timeout_s = settings.body_timeout_s
    app.state.lanes = Lanes()
    app.state.arrivals = Arrivals(most=ARRIVING, most_bytes=ARRIVING_BYTES)
    # Whose large bodies are arriving now: engagements, and requests.
    app.state.disclosing = []
    app.state.sealing = []
    # The first that fits answers: drand before the beacon's periods.
    for part in (
        statements,
        scrapi,
        log,
        engagements,
        keys,
        disputes,
        drand,
        operator,
        invitations,
        signin,
        openapi,
    ):
        app.include_router(part.router)
    install(app)
    description = openapi.describe(app.routes)
    app.state.description = json.dumps(description).encode()
    # Assigned, as the framework's documentation has it: its own description knows no CBOR.
    app.openapi = lambda: description  # type: ignore[method-assign]
    posting = dict(operations(app.routes))["POST /v1/statements"]
    app.add_middleware(Direct, route=posting, endpoint=statements.post_directly)
    app.add_middleware(Edge)
    app.add_middleware(Guard, budget=_budget(settings), answered=running.meters.answered)
    return app


def _budget(settings: Settings) -> Budget:
    return Budget(
        {READ: settings.max_reads, SUBMISSION: settings.max_submissions},
        Limiter(
            rate=settings.sender_rate,
            burst=settings.sender_burst,
            what="requests from one sender",
        ),
        settings.sender_header,
    )
