"""Records that open and close a session of the work chain."""

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import ID_BYTES, check_octets, check_text, check_uint
from workseal_protocol.records.links import Link, check_link, link_value, read_link
from workseal_protocol.statement import Kind

MAX_ROUNDS: Final = 65_536
MAX_AGENT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpen(Link):
    """Begin a session, and commit to the agent's chain of values for its rounds."""

    KIND: ClassVar[Kind] = Kind.SESSION_OPEN

    session: bytes
    head: Digest
    first_round: int
    rounds: int
    agent: str
    environment: Digest

    def __post_init__(self) -> None:
        check_link(self)
        check_octets("session", self.session, ID_BYTES)
        check_uint("first_round", self.first_round)
        check_uint("rounds", self.rounds, minimum=1, maximum=MAX_ROUNDS)
        check_text("agent", self.agent, maximum=MAX_AGENT)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "session.open")
        try:
            record = cls(
                **read_link(fields),
                session=fields.octets(7, "session", length=ID_BYTES),
                head=fields.digest(10, "head"),
                first_round=fields.uint(11, "first_round"),
                rounds=fields.uint(12, "rounds"),
                agent=fields.text(13, "agent", maximum=MAX_AGENT),
                environment=fields.digest(14, "environment"),
            )
        except ValueError as error:
            raise MalformedError(f"session.open: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return link_value(self) | {
            7: self.session,
            10: self.head.raw,
            11: self.first_round,
            12: self.rounds,
            13: self.agent,
            14: self.environment.raw,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClose(Link):
    """End a session, and repeat its sums so that a missing segment shows."""

    KIND: ClassVar[Kind] = Kind.SESSION_CLOSE

    session: bytes
    segments: int
    worked: int
    captured: int
    missed: int

    def __post_init__(self) -> None:
        check_link(self)
        check_octets("session", self.session, ID_BYTES)
        for name in ("segments", "worked", "captured", "missed"):
            check_uint(name, getattr(self, name))

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "session.close")
        try:
            record = cls(
                **read_link(fields),
                session=fields.octets(7, "session", length=ID_BYTES),
                segments=fields.uint(10, "segments"),
                worked=fields.uint(11, "worked"),
                captured=fields.uint(12, "captured"),
                missed=fields.uint(13, "missed"),
            )
        except ValueError as error:
            raise MalformedError(f"session.close: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return link_value(self) | {
            7: self.session,
            10: self.segments,
            11: self.worked,
            12: self.captured,
            13: self.missed,
        }
