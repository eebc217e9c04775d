"""Possession: which sealed frames a freelancer holds, and blocks of those that were drawn.

Rules: what stands here of a frame is ciphertext, or a hash over it. Which frames the root covers
and which blocks are drawn follows from the chain and the verifier's value: `possession` folds it.
It stands beside the chain and not in it, so that one that is refused holds up no hour.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VALUE_BYTES,
    VERSION,
    check_octets,
    check_uint,
    read_version,
)
from workseal_protocol.records.rows import row, uint_at
from workseal_protocol.statement import Kind

MAX_DRAWS: Final = 16
BLOCK_BYTES: Final = 256
HOLD_SALT_BYTES: Final = 16
# Frames of one week: more than eight displays give in a round of each ten seconds.
MAX_HELD: Final = 1 << 20
# The path of a block in its object, and of the object among those of its week.
_MAX_PATH: Final = 64


class Held(IntEnum):
    """Say what became of a frame that was drawn."""

    SHOWN = 1
    LOST = 2


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """Answer one draw: a block with its proof, or that there is none."""

    outcome: Held
    salt: bytes = b""
    block: bytes = b""
    path: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome is not Held.SHOWN:
            if self.salt or self.block or self.path:
                raise ValueError("only a frame that is shown has a block")
            return
        check_octets("salt", self.salt, HOLD_SALT_BYTES)
        check_octets("block", self.block, BLOCK_BYTES)
        if len(self.path) > _MAX_PATH or any(len(one) != DIGEST_BYTES for one in self.path):
            raise ValueError(f"a path has at most {_MAX_PATH} hashes of {DIGEST_BYTES} bytes")

    @classmethod
    def read(cls, item: Value) -> Self:
        """Read what `to_value` writes."""
        if isinstance(item, list) and len(item) == 1:
            return cls(Held(uint_at(item, 0)))
        parts = row(item, 4)
        salt, block, path = (part for part in parts[1:])
        if not (isinstance(salt, bytes) and isinstance(block, bytes) and isinstance(path, bytes)):
            raise MalformedError("expected bytes for salt, block and path")
        if len(path) % DIGEST_BYTES:
            raise MalformedError(f"hashes have {DIGEST_BYTES} bytes each")
        if uint_at(parts, 0) != Held.SHOWN:
            raise MalformedError("only a frame that is shown has a block")
        hashes = tuple(path[at : at + DIGEST_BYTES] for at in range(0, len(path), DIGEST_BYTES))
        return cls(Held.SHOWN, salt, block, hashes)

    def to_value(self) -> Value:
        """Return the row."""
        if self.outcome is not Held.SHOWN:
            return [self.outcome]
        return [self.outcome, self.salt, self.block, b"".join(self.path)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Possession:
    """Commit to the frames of the past week, and answer the draw of a round.

    It speaks of the chain up to `head`. `before` is the possession statement before it, and `root`
    stands exactly where there are frames to commit to.
    """

    KIND: ClassVar[Kind] = Kind.POSSESSION

    engagement: bytes
    claimed_at: int
    round: int
    value: bytes
    head: Digest
    count: int
    before: Digest | None = None
    root: Digest | None = None
    answers: tuple[HeldAnswer, ...] = ()

    def __post_init__(self) -> None:
        check_octets("engagement", self.engagement, ID_BYTES)
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        check_uint("round", self.round)
        check_octets("value", self.value, VALUE_BYTES)
        check_uint("count", self.count, maximum=MAX_HELD)
        if (self.root is None) != (self.count == 0):
            raise ValueError("a root stands exactly where there are frames")
        if len(self.answers) > MAX_DRAWS:
            raise ValueError(f"there are at most {MAX_DRAWS} draws")
        if self.answers and self.before is None:
            raise ValueError("the first statement has nothing to draw from")

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "possession")
        read_version(fields)
        rows = fields.array(16, "answers", minimum=0, maximum=MAX_DRAWS)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                round=fields.uint(10, "round"),
                value=fields.octets(11, "value", length=VALUE_BYTES),
                head=fields.digest(12, "head"),
                before=fields.optional_digest(13, "before"),
                count=fields.uint(14, "count"),
                root=fields.optional_digest(15, "root"),
                answers=tuple(HeldAnswer.read(item) for item in rows),
            )
        except ValueError as error:
            raise MalformedError(f"possession: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: self.round,
            11: self.value,
            12: self.head.raw,
            14: self.count,
            16: [one.to_value() for one in self.answers],
        }
        if self.before is not None:
            value[13] = self.before.raw
        return value if self.root is None else value | {15: self.root.raw}
