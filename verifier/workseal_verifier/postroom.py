"""The ways out for notices, made from a home's settings: mail, webhooks."""

from workseal_protocol.keys import Signer
from workseal_verifier.config import Settings
from workseal_verifier.errors import SettingsError
from workseal_verifier.homekeys import load_identity
from workseal_verifier.hooks import Hooks
from workseal_verifier.keyfiles import create_secret
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.delivering import Carriers, Delivery, Room, Weekly
from workseal_verifier.services.health import Health
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.letters import Place
from workseal_verifier.services.sheetpost import SheetPost
from workseal_verifier.services.sites import Sites
from workseal_verifier.smtp import Mailbox
from workseal_verifier.store.contacts import ContactStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.notices import NoticeStore
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.records import RecordStore


def carriers_of(settings: Settings, signer: Signer, clock: Clock) -> Carriers:
    """Make the ways out that the settings name, or raise `ConfigError`; `signer` signs webhooks."""
    place = place_of(settings)
    if (settings.smtp is not None or settings.webhooks) and not place.url:
        raise SettingsError("[smtp] and webhooks need url: what is sent has a link to this server")
    mail, hooks = None, None
    if settings.smtp is not None:
        mail = Mailbox.of(settings.smtp, settings.home)
    if settings.webhooks:
        roots = settings.home / settings.webhooks_roots if settings.webhooks_roots else None
        private = settings.webhooks_private
        hooks = Hooks(signer, place, clock, roots=roots, private=private)
    if hooks is None:
        return Carriers(mail=mail)
    return Carriers(mail=mail, hook=hooks.send, leads_out=hooks.leads_out)


def delivery_at(settings: Settings, database: Database, clock: Clock) -> Delivery:
    """Make what sends the notices of a home beside its server, or while it does not run."""
    records, log = RecordStore(database), LogStore(database)
    keys = KeyBook(records)
    secret = create_secret(settings.keys / "access.seed")
    contacts = ContactBook(ContactStore(database), keys, clock, secret, size=log.newest_signed_size)
    room = Room(
        Outbox(database),
        contacts,
        CaseBook(records, keys),
        SheetPost(records, NoticeStore(database), contacts, clock, place_of(settings)),
        clock,
        Health(),
        log.newest_signed_size,
    )
    operator = load_identity(settings).operator
    return delivery_of(settings, carriers_of(settings, operator, clock), room)


def delivery_of(
    settings: Settings, carriers: Carriers, room: Room, weekly: Weekly | None = None
) -> Delivery:
    """Make what sends the notices of a home."""
    return Delivery(room, carriers, place_of(settings), weekly=weekly)


def place_of(settings: Settings) -> Place:
    """Say which log writes."""
    return Place(settings.origin, Sites(settings.url, settings.origin).url)
