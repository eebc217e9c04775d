"""`workseal contact`: where a party is told of its cases, and whether a digest comes each week.

Rules: the party's own key signs each question. What is not named stays as it was; another mail
address gets one mail with a link, and nothing else before that link was opened.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult

from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.server import address_of, ask, members_of
from workseal_protocol.cli.text import plain

CONTACT_PATH = "/v1/contact"


@dataclass(frozen=True, slots=True)
class Contact:
    """Hold what a verifier keeps for a key: null where nothing was given."""

    mail: str | None
    webhook: str | None
    zone: str | None
    digest: bool
    confirmed: bool
    sends: tuple[str, ...]

    @classmethod
    def read(cls, answer: bytes) -> "Contact":
        """Read a verifier's answer; `CommandError` for another form."""
        told = members_of(answer)
        texts = [told.get(name) for name in ("mail", "webhook", "zone")]
        flags = [told.get(name) for name in ("digest", "confirmed")]
        sends = told.get("sends")
        if (
            not all(one is None or isinstance(one, str) for one in texts)
            or not all(isinstance(one, bool) for one in flags)
            or not isinstance(sends, list)
        ):
            raise CommandError("the verifier's answer is not in the right form", DOES_NOT_HOLD)
        mail, webhook, zone = (None if one is None else str(one) for one in texts)
        digest, confirmed = (one is True for one in flags)
        return cls(mail, webhook, zone, digest, confirmed, tuple(map(str, sends)))

    def changed(self, given: Mapping[str, str | bool | None]) -> bytes:
        """Write what is to be kept: what was given, and the rest as it is.

        An empty text takes an address away, and a digest goes with the mail address.
        """
        kept: dict[str, str | bool | None] = {
            "mail": self.mail,
            "webhook": self.webhook,
            "zone": self.zone,
            "digest": self.digest,
        }
        kept |= {name: value or None for name, value in given.items() if isinstance(value, str)}
        if kept["mail"] is None:
            kept["digest"] = False
        if given.get("digest") is not None:
            kept["digest"] = given["digest"]
        return json.dumps(kept).encode()

    def lines(self) -> Iterator[str]:
        """Say where a party is told."""
        waiting = "" if self.confirmed else ", not confirmed: open the link in the mail to it"
        yield "mail      none" if self.mail is None else plain(f"mail      {self.mail}{waiting}")
        yield plain(f"webhook   {self.webhook or 'none'}")
        yield plain(f"zone      {self.zone or 'that of the terms'}")
        yield f"digest    {'each week, by mail' if self.digest else 'none'}"
        missing = [name for name in ("mail", "webhook") if name not in self.sends]
        if missing:
            yield f"this verifier sends no {' and no '.join(missing)}; its pages tell you always"


def contact(options: argparse.Namespace) -> int:
    """Show where a key's person is told, after changing what is named."""
    address = place_of(options.url)
    signer = read_signer(options.key)
    if options.forget:
        ask(address, "DELETE", signer)
        print("forgotten: notices stand on the verifier's pages alone")
        return HOLDS
    given = {name: getattr(options, name) for name in ("mail", "webhook", "zone", "digest")}
    known = Contact.read(ask(address, "GET", signer))
    if any(value is not None for value in given.values()):
        ask(address, "PUT", signer, body=known.changed(given))
        known = Contact.read(ask(address, "GET", signer))
    for line in known.lines():
        print(line)
    return HOLDS


def place_of(url: str) -> SplitResult:
    """Return where a verifier keeps what a party gave."""
    return address_of(url)._replace(path=CONTACT_PATH, query="", fragment="")
