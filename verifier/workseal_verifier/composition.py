"""What answers requests, and what goes on beside them, made of the parts of one process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workseal_protocol.statement import Statement
from workseal_verifier.api.services import Services
from workseal_verifier.authorities import certificates_of, drand_relay
from workseal_verifier.config import Settings
from workseal_verifier.keyfiles import create_secret
from workseal_verifier.postroom import delivery_of, place_of
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.candidate import Intake
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.clerk import Clerk, Files, Orders
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.delivering import Carriers, Delivery, Room
from workseal_verifier.services.diaries import Diaries
from workseal_verifier.services.disclosures import DisclosureDesk
from workseal_verifier.services.disputedhours import DisputedHours
from workseal_verifier.services.health import (
    Health,
)
from workseal_verifier.services.hearing import Hearings
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.limits import Limiter
from workseal_verifier.services.mailbox import Packages
from workseal_verifier.services.noticeboard import NoticeBoard
from workseal_verifier.services.passkeys import Passkeys
from workseal_verifier.services.proving import Prover
from workseal_verifier.services.publication import Publisher
from workseal_verifier.services.readiness import Readiness
from workseal_verifier.services.reading import Reader
from workseal_verifier.services.redraws import Redraws
from workseal_verifier.services.replay import NonceMemory, SpentNonces
from workseal_verifier.services.sequencer import Sequencer
from workseal_verifier.services.sheetpost import SheetPost
from workseal_verifier.services.sheetreview import SheetReview
from workseal_verifier.services.signin import SignIn
from workseal_verifier.services.sites import Sites
from workseal_verifier.services.stamping import Authority
from workseal_verifier.services.standing import Standings
from workseal_verifier.services.weekly import Digests
from workseal_verifier.signaturechecks import SignatureChecks
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.contacts import ContactStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.invitations import InvitationStore
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.notices import NoticeStore
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.presence import OwnActStore, PresenceStore
from workseal_verifier.store.records import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one process holds of a home; `log_own` sequences statements of the operator."""

    settings: Settings
    identity: Identity
    clock: Clock
    database: Database
    log: LogStore
    records: RecordStore
    access: AccessStore
    invited: InvitationStore
    invitations: Invitations
    notices: NoticeStore
    outbox: Outbox
    carriers: Carriers
    packages: Packages
    authorities: Sequence[Authority]
    beacon: Beacon
    publisher: Publisher
    sequencer: Sequencer
    checks: SignatureChecks
    conflicts: ConflictBook
    health: Health
    readiness: Readiness
    log_own: Callable[[Sequence[Statement]], None]


@dataclass(frozen=True, slots=True)
class Composed:
    """What was made of them."""

    services: Services
    clerk: Clerk
    digests: Digests
    hours: SheetPost
    delivery: Delivery


def compose(parts: Parts) -> Composed:
    """Make what answers requests."""
    intake = Intake(parts.records, parts.checks.ask if parts.checks.wanted else None)
    keys = KeyBook(parts.records)
    cases = CaseBook(parts.records, keys)
    standings = Standings(
        cases=cases,
        log=parts.log,
        records=parts.records,
        access=parts.invited,
        operator=parts.identity.operator.public_key,
        size=lambda: parts.sequencer.current.size,
    )
    signin = SignIn(parts.access, parts.clock)
    diaries = Diaries(log=parts.log, records=parts.records, current=lambda: parts.sequencer.current)
    # A home of an earlier release has none yet.
    secret = create_secret(parts.settings.keys / "access.seed")
    contacts = ContactBook(
        ContactStore(parts.database),
        keys,
        parts.clock,
        secret,
        size=lambda: parts.sequencer.current.size,
    )
    clerk = Clerk(
        Files(
            parts.records,
            cases,
            parts.notices,
            PresenceStore(parts.database),
            OwnActStore(parts.database),
            parts.packages,
        ),
        Orders(
            parts.settings.acts_by_itself,
            parts.settings.lapse_grace_s * 1000,
            log=lambda statement: parts.log_own([statement]),
        ),
        identity=parts.identity,
        beacon=parts.beacon,
        clock=parts.clock,
        health=parts.health,
    )
    place = place_of(parts.settings)
    hours = SheetPost(parts.records, parts.notices, contacts, parts.clock, place)
    room = Room(
        parts.outbox,
        contacts,
        cases,
        hours,
        parts.clock,
        parts.health,
        lambda: parts.sequencer.current.size,
    )
    sheets = SheetReview(parts.records, diaries)
    digests = Digests(parts.notices, contacts, sheets, standings, parts.clock, place)
    delivery = delivery_of(parts.settings, parts.carriers, room, digests)
    services = Services(
        intake=intake,
        sequencer=parts.sequencer,
        reader=Reader(
            log=parts.log,
            records=parts.records,
            identity=parts.identity,
            beacon=parts.beacon,
            keys=keys,
            showing=parts.sequencer.showing,
        ),
        diaries=diaries,
        sheets=sheets,
        beacon=parts.beacon,
        desk=DisclosureDesk(
            intake=intake,
            sequencer=parts.sequencer,
            records=parts.records,
            identity=parts.identity,
            clock=parts.clock,
        ),
        mailbox=parts.packages,
        conflicts=parts.conflicts,
        standings=standings,
        hearings=Hearings(
            parts.records,
            cases,
            standings,
            clock=parts.clock,
            size=lambda: parts.sequencer.current.size,
        ),
        disputed=DisputedHours(parts.records, diaries),
        redraws=Redraws(parts.records, diaries),
        board=NoticeBoard(
            parts.notices,
            keys,
            clock=parts.clock,
            size=lambda: parts.sequencer.current.size,
        ),
        contacts=contacts,
        carriers=parts.carriers,
        prover=Prover(standings, NonceMemory(parts.clock), SpentNonces(parts.access)),
        signin=signin,
        passkeys=Passkeys(parts.access, signin, parts.clock, secret),
        invitations=parts.invitations,
        sites=Sites(parts.settings.url, parts.settings.origin),
        identity=parts.identity,
        health=parts.health,
        readiness=parts.readiness,
        clock=parts.clock,
        check_clock=parts.publisher.check_clock,
        drand=drand_relay(parts.settings, parts.clock, parts.health),
        tsa_certificates=certificates_of(parts.authorities),
        signers=Limiter(
            rate=parts.settings.signer_rate,
            burst=parts.settings.signer_burst,
            what="statements by one signer",
        ),
    )
    return Composed(services, clerk, digests, hours, delivery)
