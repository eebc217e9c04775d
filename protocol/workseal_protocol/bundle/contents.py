"""What a bundle holds besides its manifest, entry by entry.

Rules: statements stand in the order of the log, with their indices in the proof; the earlier
checkpoints are told by ascending size; an optional entry is absent rather than empty.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.commitment import Opening
from workseal_protocol.cose import octets
from workseal_protocol.digest import DIGEST_BYTES
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.encoding import (
    MAX_INTEGER,
    Fields,
    Value,
    decode,
    encode,
    read_octets,
    split_sequence,
)
from workseal_protocol.errors import MalformedError
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.statement import Kind, Statement

MAX_BUNDLE_BYTES = 256 * 1024 * 1024
MAX_STATEMENTS = 65_536
# With the indices of all statements they stay below the items that one CBOR value may have.
MAX_CHECKPOINTS = 65_000
MAX_OPENINGS = 2 * MAX_STATEMENTS
MAX_TOKEN_BYTES = 65_536
MAX_CA_BYTES = 65_536
# Deflated pixels may be a thousand times as long: what all disclosures show is bounded before any
# of it is inflated. 85 whole screens of 1920 by 1080.
MAX_PIXEL_BYTES = 512 * 1024 * 1024

_PROOF_BYTES = 192 * 1024 * 1024
_DISPLAYS = 8
_DISCLOSURE = re.compile(r"disclosures/([0-9]{6})(?:-([0-7]))?\.disclosure")
_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/]{1,64}={0,2}\n)+-----END CERTIFICATE-----\n"
)


@dataclass(frozen=True, slots=True)
class FrameDisclosure:
    """Place a disclosure: the segment's number among the statements, and the frame's among its.

    `display` is None when the segment has one frame.
    """

    number: int
    display: int | None
    disclosure: Disclosure

    @property
    def name(self) -> str:
        """Give the name of its entry."""
        suffix = "" if self.display is None else f"-{self.display}"
        return f"disclosures/{self.number:06d}{suffix}.disclosure"


@dataclass(frozen=True, slots=True)
class Contents:
    """Hold everything that a manifest names; raises `ValueError` where parts disagree."""

    statements: tuple[Statement, ...]
    indices: tuple[int, ...]
    hashes: tuple[bytes, ...]
    checkpoint: SignedCheckpoint
    checkpoints: tuple[SignedCheckpoint, ...]
    policy: TlogPolicy
    token: bytes | None = None
    timestamps: tuple[tuple[int, bytes], ...] = ()
    tsa_ca: bytes | None = None
    receipts: tuple[bytes, ...] = ()
    openings: tuple[Opening, ...] = ()
    disclosures: tuple[FrameDisclosure, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.statements) <= MAX_STATEMENTS:
            raise ValueError(f"a bundle has 1 to {MAX_STATEMENTS} statements")
        if any(statement.kind is Kind.BUNDLE_MANIFEST for statement in self.statements):
            raise ValueError("a manifest does not stand among the statements")
        if len(self.indices) != len(self.statements):
            raise ValueError("the proof has one index for each statement")
        if any(len(item) != DIGEST_BYTES for item in self.hashes):
            raise ValueError("a hash of the proof has 32 bytes")
        if len(self.checkpoints) > MAX_CHECKPOINTS:
            raise ValueError(f"a bundle has at most {MAX_CHECKPOINTS} earlier checkpoints")
        _require_ascending(self.indices, "the indices of the statements")
        sizes = (*self.sizes, self.checkpoint.checkpoint.size)
        _require_ascending(sizes, "the sizes of the checkpoints")
        if sizes[0] == 0:
            raise ValueError("a checkpoint of an empty log covers nothing")
        if max(self.sizes, default=0) > MAX_INTEGER:
            raise ValueError("the proof has no room for the size of an earlier checkpoint")
        if self.receipts and len(self.receipts) != len(self.statements):
            raise ValueError("receipts are one for each statement, or none")
        self._check_time_stamps()
        places = [(item.number, item.display or 0) for item in self.disclosures]
        _require_ascending(places, "the disclosures")
        if sum(item.disclosure.pixel_bytes for item in self.disclosures) > MAX_PIXEL_BYTES:
            raise ValueError(f"all disclosures show at most {MAX_PIXEL_BYTES} bytes of pixels")

    def _check_time_stamps(self) -> None:
        stamped = [size for size, _ in self.timestamps]
        _require_ascending(stamped, "the sizes of the time-stamps")
        if not set(stamped) <= set(self.sizes):
            raise ValueError("a time-stamp is over an earlier checkpoint of the bundle")
        tokens = [token for _, token in self.timestamps]
        if self.token is not None:
            tokens.append(self.token)
        if any(not 1 <= len(token) <= MAX_TOKEN_BYTES for token in tokens):
            raise ValueError(f"a time-stamp has 1 to {MAX_TOKEN_BYTES} bytes")
        if self.tsa_ca is not None and not (
            len(self.tsa_ca) <= MAX_CA_BYTES and _CERTIFICATE.search(self.tsa_ca)
        ):
            raise ValueError("the certificates of the time-stamping authority are not PEM")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Give the sizes of the earlier checkpoints."""
        return tuple(signed.checkpoint.size for signed in self.checkpoints)

    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """Write the entries in their order; `read` is the inverse."""
        proof: dict[int, Value] = {
            1: list(self.indices),
            2: list(self.sizes),
            3: b"".join(self.hashes),
        }
        stamps = b"".join(encode([size, token]) for size, token in self.timestamps)
        fixed: tuple[tuple[str, bytes | None], ...] = (
            ("statements.cbor", b"".join(one.encode() for one in self.statements)),
            ("proof.cbor", encode(proof)),
            ("checkpoint", self.checkpoint.encode()),
            ("checkpoints.cbor", b"".join(octets(one.encode()) for one in self.checkpoints)),
            ("checkpoint.tsr", self.token),
            ("timestamps.cbor", stamps or None),
            ("tsa-ca.pem", self.tsa_ca),
            ("policy", self.policy.encode().encode()),
            ("receipts.cbor", b"".join(map(octets, self.receipts)) or None),
            ("openings.cbor", b"".join(one.encode() for one in self.openings) or None),
        )
        given = tuple((name, data) for name, data in fixed if data is not None)
        return (*given, *((item.name, item.disclosure.encode()) for item in self.disclosures))

    @classmethod
    def read(cls, entries: Mapping[str, bytes]) -> Self:
        """Read the entries, or raise `MalformedError`; the caller compares their order."""
        left = dict(entries)
        indices, hashes = _read_proof(_take(left, "proof.cbor"))
        raw_statements = split_sequence(_take(left, "statements.cbor"), max_items=MAX_STATEMENTS)
        try:
            contents = cls(
                statements=tuple(Statement.parse(item) for item in raw_statements),
                indices=indices,
                hashes=hashes,
                checkpoint=SignedCheckpoint.parse(_take(left, "checkpoint")),
                checkpoints=tuple(
                    SignedCheckpoint.parse(item)
                    for item in _octet_items(_take(left, "checkpoints.cbor"), MAX_CHECKPOINTS)
                ),
                policy=TlogPolicy.parse(_text(_take(left, "policy"))),
                token=left.pop("checkpoint.tsr", None),
                timestamps=_read_timestamps(left.pop("timestamps.cbor", b"")),
                tsa_ca=left.pop("tsa-ca.pem", None),
                receipts=_octet_items(left.pop("receipts.cbor", b""), MAX_STATEMENTS),
                openings=_read_openings(left.pop("openings.cbor", b"")),
                disclosures=_read_disclosures(left),
            )
        except ValueError as error:
            raise MalformedError(f"bundle: {error}") from error
        return contents


def _take(entries: dict[str, bytes], name: str) -> bytes:
    try:
        return entries.pop(name)
    except KeyError:
        raise MalformedError(f"the bundle lacks the entry {name}") from None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("the policy of the bundle is not UTF-8") from error


def _require_ascending(values: Sequence[int] | Sequence[tuple[int, int]], what: str) -> None:
    if any(one >= other for one, other in pairwise(values)):  # type: ignore[operator]
        raise ValueError(f"{what} do not ascend")


def _read_proof(data: bytes) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    fields = Fields(decode(data, max_bytes=_PROOF_BYTES), "proof")
    indices = fields.array(1, "indices", minimum=1, maximum=MAX_STATEMENTS)
    fields.array(2, "sizes", maximum=MAX_CHECKPOINTS)  # compared with those of the checkpoints
    joined = fields.octets(3, "hashes", maximum=_PROOF_BYTES)
    fields.close()
    if not all(isinstance(index, int) and index >= 0 for index in indices):
        raise MalformedError("proof: expected unsigned integers as indices")
    # A last piece that is too short is refused by `Contents`.
    hashes = tuple(joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES))
    return tuple(index for index in indices if isinstance(index, int)), hashes


def _octet_items(data: bytes, maximum: int) -> tuple[bytes, ...]:
    items = []
    for item in split_sequence(data, max_items=maximum, max_item_bytes=MAX_BUNDLE_BYTES):
        quick = read_octets(item, 0)
        if quick is not None:
            items.append(quick[0])
            continue
        value = decode(item, max_bytes=MAX_BUNDLE_BYTES)
        if not isinstance(value, bytes):
            raise MalformedError("expected a sequence of byte strings")
        items.append(value)
    return tuple(items)


def _read_timestamps(data: bytes) -> tuple[tuple[int, bytes], ...]:
    stamps = []
    for item in split_sequence(data, max_items=MAX_CHECKPOINTS, max_item_bytes=2 * MAX_TOKEN_BYTES):
        match decode(item, max_bytes=2 * MAX_TOKEN_BYTES):
            case [int() as size, bytes() as token] if size >= 0:
                stamps.append((size, token))
            case _:
                raise MalformedError("expected a size and a time-stamp in each item")
    return tuple(stamps)


def _read_openings(data: bytes) -> tuple[Opening, ...]:
    return tuple(Opening.parse(item) for item in split_sequence(data, max_items=MAX_OPENINGS))


def _read_disclosures(entries: Mapping[str, bytes]) -> tuple[FrameDisclosure, ...]:
    found: list[FrameDisclosure] = []
    left = MAX_PIXEL_BYTES
    for name, data in entries.items():
        form = _DISCLOSURE.fullmatch(name)
        if form is None:
            raise MalformedError("the bundle has an entry of an unknown name")
        number, display = form.groups()
        # Refused before it is inflated, where those before it leave no room for its pixels.
        disclosure = Disclosure.parse(data, max_pixel_bytes=left)
        left -= disclosure.pixel_bytes
        found.append(
            FrameDisclosure(int(number), None if display is None else int(display), disclosure)
        )
    return tuple(found)
