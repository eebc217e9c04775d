"""The ways out for notices, made from a home's settings: mail, webhooks."""

from workseal_verifier.config import Settings
from workseal_verifier.errors import SettingsError
from workseal_verifier.keyfiles import create_secret
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.delivering import Carriers, Delivery, Room
from workseal_verifier.services.health import Health
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.letters import Place
from workseal_verifier.services.sites import Sites
from workseal_verifier.smtp import Mailbox
from workseal_verifier.store.contacts import ContactStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.notices import NoticeStore
from workseal_verifier.store.records import RecordStore


def carriers_of(settings: Settings) -> Carriers:
    """Make the ways out that the settings name, or raise `ConfigError`."""
    if settings.smtp is None:
        return Carriers()
    if not Sites(settings.url, settings.origin).url:
        raise SettingsError("[smtp] needs url: each mail has a link that leads to this server")
    return Carriers(mail=Mailbox.of(settings.smtp, settings.home))


def delivery_at(settings: Settings, database: Database, clock: Clock) -> Delivery:
    """Make what sends the notices of a home beside its server, or while it does not run."""
    records, log = RecordStore(database), LogStore(database)
    keys = KeyBook(records)
    secret = create_secret(settings.keys / "access.seed")
    contacts = ContactBook(ContactStore(database), keys, clock, secret, size=log.newest_signed_size)
    room = Room(
        NoticeStore(database),
        contacts,
        CaseBook(records, keys),
        clock,
        Health(),
        log.newest_signed_size,
    )
    return delivery_of(settings, carriers_of(settings), room)


def delivery_of(settings: Settings, carriers: Carriers, room: Room) -> Delivery:
    """Make what sends the notices of a home."""
    place = Place(settings.origin, Sites(settings.url, settings.origin).url)
    return Delivery(room, carriers, place)
