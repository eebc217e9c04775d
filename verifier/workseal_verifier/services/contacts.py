"""Where a party wants to be told: given by itself, for itself, shown to nobody else.

Rules: an address is written in one strict form, so that nothing of it can become a header or
another request. What a key gave counts while that key does: who rotated theirs gives it anew, so
that nobody is told at the place of whoever had the old key. Each mail has a link that stops mails;
its token is made from a random salt and a secret of this server, and only its hash is stored.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.signin import TOKEN_BYTES, Random
from workseal_verifier.store.contacts import ContactRow, ContactStore
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
        """Write what a key gives in the place of what it gave; links that were sent end."""
        salt = self._random(_SALT_BYTES)
        self._store.put(
            ContactRow(
                thumbprint=asker,
                mail=contact.mail,
                webhook=contact.webhook,
                zone=contact.zone,
                digest=contact.digest,
                salt=salt,
                stop_mail=_hashed(self._token(b"mail", salt)),
                stop_digest=_hashed(self._token(b"digest", salt)),
                changed_ms=self._clock.now_ms(),
            )
        )

    def own(self, asker: Digest) -> Contact:
        """Return what a key gave."""
        rows = self._store.of([asker])
        if not rows:
            return Contact()
        (row,) = rows
        return Contact(mail=row.mail, webhook=row.webhook, zone=row.zone, digest=row.digest)

    def forget(self, asker: Digest) -> None:
        """Delete what a key gave."""
        self._store.delete(asker)

    def of_person(self, person: Digest) -> ContactRow | None:
        """Return what counts for a person: the newest that a key of theirs gave which counts."""
        events = self._keys.below(self._size())
        rows = self._store.of(events.lineage(person))
        return next((row for row in rows if not events.has_ended(row.thumbprint)), None)

    def counts(self, thumbprint: Digest) -> bool:
        """Tell whether a key has not been rotated away or revoked."""
        return not self._keys.below(self._size()).has_ended(thumbprint)

    def wanting_digests(self, page: int) -> Iterator[ContactRow]:
        """Give who asked for a weekly digest, reading so many at once."""
        after = b""
        while rows := self._store.wanting_digests(after=after, most=page):
            yield from rows
            after = rows[-1].thumbprint.raw

    def stop_token(self, row: ContactRow, *, digest: bool) -> bytes:
        """Return the token of the link that stops mails, or the digest alone."""
        return self._token(b"digest" if digest else b"mail", row.salt)

    def stop(self, token: bytes) -> None:
        """Stop what a link stops, or refuse a token of nobody; again changes nothing."""
        if len(token) != TOKEN_BYTES or not self._store.stop(_hashed(token)):
            raise RefusedError(Reason.NOT_FOUND, "this link stops nothing any more")

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


def _hashed(token: bytes) -> Digest:
    return Digest.of(_TAG, token)
