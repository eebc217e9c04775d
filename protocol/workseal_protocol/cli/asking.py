"""`workseal fetch`, `keys`, `sign-in`, `accept`, `invite`: what client and arbitrator ask for.

Rule: what is fetched is written as it came and believed by nobody; `open` and `verify` check it.
"""

import argparse
import json
import re
import time
from pathlib import Path
from urllib.parse import SplitResult

from workseal_protocol.cli.files import (
    MAX_BUNDLE_BYTES,
    read_bytes,
    require_new,
    write_new_secret,
)
from workseal_protocol.cli.keylines import key_lines
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.server import address_of, ask, members_of, submit
from workseal_protocol.cli.text import count, plain
from workseal_protocol.errors import MalformedError
from workseal_protocol.partykeys import MAX_BYTES, parse_keys
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.records import Offer, read_record
from workseal_protocol.statement import Statement

MAX_OFFER_BYTES = 65_536

# 32 bytes in base64url.
_INVITATION = re.compile(r"invitation=([A-Za-z0-9_-]{43})")
_ENGAGEMENT = re.compile(r"[0-9a-f]{32}")


def fetch(options: argparse.Namespace) -> int:
    """Fetch something that a party may read, and write it to a new file."""
    require_new(options.out)
    address = address_of(options.url)
    if address.fragment:
        raise CommandError("the address of something to fetch has no number sign")
    signer = read_signer(options.key)
    data = ask(address, "GET", signer, limit=MAX_BUNDLE_BYTES)
    write_new_secret(options.out, data)
    print(f"{count(len(data), 'byte')} in {plain(str(options.out))}, not verified")
    return HOLDS


def sign_in(options: argparse.Namespace) -> int:
    """Print a link that signs a browser in, once and soon."""
    address = _server_of(address_of(options.url))
    answer = ask(_at(address, "/v1/signin/links"), "POST", read_signer(options.key))
    told = members_of(answer)
    token, seconds = told.get("token"), told.get("expires_in")
    if not isinstance(token, str) or not isinstance(seconds, int):
        raise CommandError("the verifier's answer is not in the right form", DOES_NOT_HOLD)
    print(plain(f"{address.geturl()}/#signin={token}"))
    print(
        f"works once, within {count(seconds // 60, 'minute')}; whoever has it reads what you read"
    )
    return HOLDS


def accept(options: argparse.Namespace) -> int:
    """Accept an operator's invitation with a key of one's own."""
    link = address_of(options.link)
    found = _INVITATION.fullmatch(link.fragment)
    if found is None:
        raise CommandError("an invitation's link ends with #invitation= and 43 letters or digits")
    signer = read_signer(options.key)
    body = json.dumps({"token": found[1], "key": signer.public_key.text()}).encode()
    answer = ask(_at(_server_of(link), "/v1/invitations/accept"), "POST", signer, body=body)
    print(plain(f"accepted, as {members_of(answer).get('role')}: {signer.public_key.text()}"))
    return HOLDS


def invite(options: argparse.Namespace) -> int:
    """Have an offer logged, and print the link by which the freelancer finds it."""
    address = _server_of(address_of(options.url))
    offer, statement = _own_offer(options.offer)
    policy = TlogPolicy.parse(offer.terms.log_policy)
    submit(address, read_signer(options.key), statement, policy)
    print(plain(f"{address.geturl()}/#offer={offer.engagement.hex()}.{statement.digest}"))
    print("logged; the link is for the freelancer whom the offer names, and opens to nobody else")
    return HOLDS


def keys(options: argparse.Namespace) -> int:
    """Print the parties' keys as a verifier tells them."""
    if _ENGAGEMENT.fullmatch(options.engagement) is None:
        raise CommandError("an engagement's number has 32 lower-case hex digits")
    address = _server_of(address_of(options.url))
    place = _at(address, f"/v1/engagements/{options.engagement}/keys")
    answer = ask(place, "GET", read_signer(options.key), limit=MAX_BYTES)
    try:
        told = parse_keys(answer)
    except MalformedError as error:
        raise CommandError(f"the verifier's answer is malformed: {error}", DOES_NOT_HOLD) from error
    for line in key_lines(told, time.time_ns() // 1_000_000):
        print(plain(line))
    return HOLDS


def _own_offer(path: Path) -> tuple[Offer, Statement]:
    data = read_bytes(path, limit=MAX_OFFER_BYTES, what="offer")
    try:
        statement = Statement.parse(data)
        record = read_record(statement)
    except MalformedError as error:
        raise CommandError(f"{path} is no offer: {error}") from error
    if not isinstance(record, Offer):
        raise CommandError(f"{path} is no offer: expected an offer, found {statement.kind}")
    return record, statement


def _server_of(address: SplitResult) -> SplitResult:
    return address._replace(path="", query="", fragment="")


def _at(address: SplitResult, path: str) -> SplitResult:
    return address._replace(path=path)
