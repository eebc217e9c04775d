"""Where a party wants to be told: given by itself, for itself, shown to nobody else.

Rules: an address is written in one strict form, so that nothing of it can become a header or
another request. What a key gave counts while that key does: who rotated theirs gives it anew, so
that nobody is told at the place of whoever had the old key. A mail address gets one mail with a
link, and nothing else until somebody confirmed by that link, in time; a few such mails a day, for
who asks and for where they go. Each mail has a link that stops mails. Tokens are made from a random
salt and a secret of this server, and only their hashes are stored.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.noticing import confirming
from workseal_verifier.services.signin import TOKEN_BYTES, Random
from workseal_verifier.store.contacts import Asking, ContactRow, ContactStore
from workseal_verifier.store.schema import MAIL_LETTERS, URL_LETTERS

_SALT_BYTES: Final = 16
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Plain ASCII, no quotes and no comments: what every server takes, in one spelling.
_MAIL: Final = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}"
)
_WEBHOOK: Final = re.compile(r"https://[a-z0-9.\[\]:-]{1,300}(?:/[!-~]*)?")
_TAG: Final = b"workseal/stop/v1"
_PLACE: Final = b"workseal/place/v1"
# For how long a link confirms.
CONFIRM_MS: Final = 48 * 3_600_000
# Mails that ask for a confirmation, in a day: by one person, and to one address.
MOST_ASKED: Final = 5
MOST_SENT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Hold what a party gives; raises `ValueError`, whose text quotes nothing of it."""

    mail: str | None = None
    webhook: str | None = None
    zone: str | None = None
    digest: bool = False

    def __post_init__(self) -> None:
        if self.mail is not None and (
            len(self.mail) > MAIL_LETTERS or _MAIL.fullmatch(self.mail) is None
        ):
            raise ValueError(
                f"mail: expected an address like name@example.com of at most {MAIL_LETTERS} letters"
            )
        if self.webhook is not None:
            _check_webhook(self.webhook)
        if self.zone is not None and (len(self.zone) > 64 or zone_named(self.zone) is None):
            raise ValueError("zone: expected a time zone like Europe/Berlin")
        if self.digest and self.mail is None:
            raise ValueError("digest: a weekly digest comes by mail, so it needs an address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Contact):
    """Hold what a party gave, and whether its mail address was confirmed."""

    confirmed: bool = False


class ContactBook:
    """Keep what parties gave; `secret` authenticates their links."""

    def __init__(
        self,
        store: ContactStore,
        keys: KeyBook,
        clock: Clock,
        secret: bytes,
        *,
        size: Callable[[], int],
        random: Random = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._secret = secret
        self._size = size
        self._random = random

    def put(self, asker: Digest, contact: Contact) -> None:
        """Write what a key gives in the place of what it gave, or refuse too many addresses.

        Another address ends the links that were sent, and has to be confirmed.
        """
        now_ms = self._clock.now_ms()
        keys = self._keys.below(self._size()).lineage(asker) | {asker}
        if not self._store.put(asker, keys, lambda row: self._after(row, asker, contact, now_ms)):
            raise RefusedError(
                Reason.TOO_MANY,
                f"at most {MOST_ASKED} mails a day ask for your confirmation",
                retry_after=3_600,
            )

    def _after(
        self, before: ContactRow | None, asker: Digest, contact: Contact, now_ms: int
    ) -> tuple[ContactRow, Asking | None]:
        """Say what a key's row becomes, and whether a mail asks for its address."""
        kept = before if before is not None and before.mail == contact.mail else None
        salt = self._random(_SALT_BYTES) if kept is None else kept.salt
        row = ContactRow(
            thumbprint=asker,
            mail=contact.mail,
            webhook=contact.webhook,
            zone=contact.zone,
            digest=contact.digest,
            salt=salt,
            stop_mail=_hashed(self._token(b"mail", salt)),
            stop_digest=_hashed(self._token(b"digest", salt)),
            changed_ms=now_ms,
        )
        if contact.mail is None:
            return row, None
        if kept is not None and kept.confirmed_ms is not None:
            # What has been confirmed is not asked for again.
            confirmed = replace(
                row,
                confirm=kept.confirm,
                confirm_until_ms=kept.confirm_until_ms,
                confirmed_ms=kept.confirmed_ms,
            )
            return confirmed, None
        asked = replace(
            row,
            confirm=_hashed(self._token(b"confirm", salt)),
            confirm_until_ms=now_ms + CONFIRM_MS,
        )
        name = confirming(asker, self._random(_SALT_BYTES), now_ms)
        return asked, Asking(name, self._place(contact.mail), MOST_ASKED)

    def own(self, asker: Digest) -> Kept:
        """Return what a key gave."""
        rows = self._store.of([asker])
        if not rows:
            return Kept()
        (row,) = rows
        return Kept(
            mail=row.mail,
            webhook=row.webhook,
            zone=row.zone,
            digest=row.digest,
            confirmed=row.confirmed_ms is not None,
        )

    def forget(self, asker: Digest) -> None:
        """Delete what a key gave."""
        self._store.delete(asker)

    def of_person(self, person: Digest) -> ContactRow | None:
        """Return what counts for a person: the newest that a key of theirs gave which counts."""
        events = self._keys.below(self._size())
        rows = self._store.of(events.lineage(person))
        return next((row for row in rows if not events.has_ended(row.thumbprint)), None)

    def counts(self, thumbprint: Digest) -> bool:
        """Tell whether whoever has a key has neither rotated nor revoked it."""
        return not self._keys.below(self._size()).has_ended(thumbprint)

    def wanting_digests(self, page: int) -> Iterator[ContactRow]:
        """Give who asked for a weekly digest, reading so many at once."""
        after = b""
        while rows := self._store.wanting_digests(after=after, most=page):
            yield from rows
            after = rows[-1].thumbprint.raw

    def to_confirm(self, thumbprint: Digest) -> ContactRow | None:
        """Return what a key gave while its address can be confirmed; None when it no longer can."""
        row = next(iter(self._store.of([thumbprint])), None)
        if row is None or row.mail is None or row.confirmed_ms is not None:
            return None
        return row if (row.confirm_until_ms or 0) >= self._clock.now_ms() else None

    def is_of(self, name: Digest, mail: str) -> bool:
        """Tell whether a mail that asks for a confirmation was asked for this address."""
        return self._store.place_of(name) == self._place(mail)

    def may_send(self, name: Digest) -> bool:
        """Count a mail that asks for a confirmation as sent; False for too many to an address."""
        return self._store.take_place(name, self._clock.now_ms(), most=MOST_SENT)

    def confirm_token(self, row: ContactRow) -> bytes:
        """Return the token of the link that confirms an address."""
        return self._token(b"confirm", row.salt)

    def confirm(self, token: bytes) -> None:
        """Confirm the address that a link stands for, or refuse one that confirms nothing."""
        known = len(token) == TOKEN_BYTES
        if not known or not self._store.confirm(_hashed(token), self._clock.now_ms()):
            raise RefusedError(Reason.NOT_FOUND, "this link confirms nothing any more")

    def expire(self) -> None:
        """Forget the addresses that nobody confirmed in time."""
        self._store.expire(self._clock.now_ms())

    def stop_token(self, row: ContactRow, *, digest: bool) -> bytes:
        """Return the token of the link that stops mails, or the digest alone."""
        return self._token(b"digest" if digest else b"mail", row.salt)

    def stop(self, token: bytes) -> None:
        """Stop what a link stops, or refuse a token of nobody; again changes nothing."""
        if len(token) != TOKEN_BYTES or not self._store.stop(_hashed(token)):
            raise RefusedError(Reason.NOT_FOUND, "this link stops nothing any more")

    def _place(self, mail: str) -> Digest:
        return Digest(hmac.digest(self._secret, _PLACE + _spelled(mail), "sha256"))

    def _token(self, what: bytes, salt: bytes) -> bytes:
        return hmac.digest(self._secret, _TAG + what + salt, "sha256")


def _check_webhook(url: str) -> None:
    problem = ValueError(
        f"webhook: expected https:// and a host in lower case, at most {URL_LETTERS} letters,"
        " without a name, a password or a fragment"
    )
    if len(url) > URL_LETTERS or _WEBHOOK.fullmatch(url) is None or "#" in url:
        raise problem
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise problem from None
    if not parts.hostname or "@" in parts.netloc:
        raise problem


def _spelled(mail: str) -> bytes:
    """Give one name to the spellings of an address that many servers take for one."""
    local, _, host = mail.lower().partition("@")
    return f"{local.partition('+')[0]}@{host}".encode()


def _hashed(token: bytes) -> Digest:
    return Digest.of(_TAG, token)
