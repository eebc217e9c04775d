"""The keys of an engagement's parties, as a verifier shows them to each other. docs/spec/access.md.

Rules: what a verifier says here is a claim, like every answer; a bundle proves which key was valid
where. It is shown so that a change is seen by the other parties before the new key reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import MAX_INTEGER, Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role

# A history holds at most 1,024 keys, each at most 2 KiB.
MAX_KEYS: Final = 1_024
MAX_BYTES: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Moment:
    """Say where in the log something stands, and when a checkpoint first covered it."""

    index: int
    at_ms: int

    def to_value(self) -> list[Value]:
        """Return index and instant."""
        return [self.index, self.at_ms]

    @classmethod
    def read(cls, items: list[Value]) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        match items:
            case [int() as index, int() as at_ms] if index >= 0 and at_ms >= 0:
                return cls(index, at_ms)
        raise MalformedError("a moment is an index and an instant")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyKey:
    """Hold one key of a party; without `begun` it stands in the terms, and reads from the start."""

    role: Role
    key: PublicKey
    begun: Moment | None = None
    ended: Moment | None = None
    recovery: tuple[Digest, Moment] | None = None
    reads_from_ms: int = 0

    def to_value(self) -> dict[int, Value]:
        """Return the map of the specification."""
        value: dict[int, Value] = {1: self.role, 2: self.key.raw}
        if self.begun is not None:
            value[3] = self.begun.to_value()
            value[6] = self.reads_from_ms
        if self.ended is not None:
            value[4] = self.ended.to_value()
        if self.recovery is not None:
            named, moment = self.recovery
            value[5] = [named.raw, *moment.to_value()]
        return value

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "key of a party")
        try:
            role = Role(fields.uint(1, "role"))
        except ValueError as error:
            raise MalformedError(f"key of a party: {error}") from error
        key = PublicKey.of_raw(fields.octets(2, "key"))
        begun = fields.optional_array(3, "begun", minimum=2, maximum=2)
        ended = fields.optional_array(4, "ended", minimum=2, maximum=2)
        recovery = fields.optional_array(5, "recovery", minimum=3, maximum=3)
        # Given with `begun`, and only then.
        reads_from = 0 if begun is None else fields.uint(6, "reads from", maximum=MAX_INTEGER)
        fields.close()
        return cls(
            role=role,
            key=key,
            begun=None if begun is None else Moment.read(begun),
            ended=None if ended is None else Moment.read(ended),
            recovery=None if recovery is None else _read_recovery(recovery),
            reads_from_ms=reads_from,
        )


def encode_keys(keys: Iterable[PartyKey]) -> bytes:
    """Write a list of keys; `parse_keys` is its inverse."""
    return encode([one.to_value() for one in keys])


def parse_keys(data: bytes) -> tuple[PartyKey, ...]:
    """Read a list of keys, or raise `MalformedError`."""
    value = decode(data, max_bytes=MAX_BYTES)
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise MalformedError(f"expected an array of at most {MAX_KEYS} keys")
    return tuple(PartyKey.read(item) for item in value)


def _read_recovery(items: list[Value]) -> tuple[Digest, Moment]:
    named, *moment = items
    if not isinstance(named, bytes) or len(named) != DIGEST_BYTES:
        raise MalformedError("a recovery key is named by its thumbprint")
    return Digest(named), Moment.read(moment)
