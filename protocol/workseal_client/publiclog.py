"""What anybody may ask a verifier: its log, its time-stamps, its beacon, itself.

Rule: bytes and forms, not verified; what each proves is for `workseal_protocol` to say.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from workseal_client.errors import RefusedError, UnreachableError
from workseal_client.exchange import MIB, Exchange, each, form
from workseal_client.transport import Transport
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Fields, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Signer

_TILE_BYTES = 8_192
_TILE = re.compile(
    r"(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"
)


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """Hold what the verifier says about itself; compared with the signed terms, never trusted."""

    key: bytes
    policy: str
    tsa_roots: tuple[bytes, ...]
    periods: tuple[int, ...]
    time_ms: int


@dataclass(frozen=True, slots=True)
class BeaconChain:
    """Hold the operator's commitment that is in force for one period."""

    first_round: int
    count: int
    head: Digest
    commitment: Digest


class PublicLog:
    """Read one verifier's log. Methods raise `UnreachableError` or `RefusedError`."""

    def __init__(
        self,
        url: str,
        transport: Transport | None = None,
        *,
        seconds: float | None = None,
        signer: Signer | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._exchange = Exchange(url, transport, seconds=seconds, signer=signer, now_ms=now_ms)

    @property
    def url(self) -> str:
        """Return the verifier's address."""
        return self._exchange.url

    def now_ms(self) -> int:
        """Return this machine's time, whatever the verifier says of it."""
        return self._exchange.now_ms()

    def close(self) -> None:
        """Close all connections."""
        self._exchange.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self.close()

    def operator(self) -> OperatorFacts:
        """Ask who the verifier says it is, and for its clock."""
        fields = Fields(self._exchange.value("/v1/operator"), "operator")
        with form("operator"):
            return OperatorFacts(
                fields.octets(1, "key"),
                fields.text(2, "policy"),
                tuple(each(fields.array(3, "roots", maximum=16), bytes)),
                tuple(each(fields.array(4, "periods", maximum=64), int)),
                fields.uint(5, "time"),
            )

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint, not yet verified."""
        return self._exchange.send("GET", "/v1/log/checkpoint", limit=MIB)

    def checkpoint_at(self, size: int) -> bytes:
        """Return the signed checkpoint of one size, not yet verified."""
        return self._exchange.send("GET", f"/v1/log/checkpoints/{size}", limit=MIB)

    def tile(self, path: str) -> bytes:
        """Return one tile of the log (c2sp.org/tlog-tiles) by its path, `0/000` say.

        Raises `ValueError` for what is no tile's path.
        """
        if _TILE.fullmatch(path) is None:
            raise ValueError("expected a tile's path, like 0/000 or entries/x001/002.p/7")
        return self._exchange.send("GET", f"/v1/log/tile/{path}", limit=_TILE_BYTES)

    def timestamps(self, first: int, last: int) -> tuple[tuple[int, bytes], ...]:
        """Return (checkpoint size, token) for the stamped sizes in [first, last], ascending."""
        path = f"/v1/log/timestamps?from={first}&to={last}"
        value = self._exchange.value(path, limit=64 * MIB)
        with form("timestamps"):
            rows = []
            for row in each(value, list):
                match row:
                    case [int() as size, bytes() as token] if first <= size <= last:
                        rows.append((size, token))
                    case _:
                        raise MalformedError("a time-stamp has a size and a token")
            return tuple(sorted(rows))

    def authority(self) -> bytes:
        """Return the certificates of the time-stamping authorities in PEM; helpers, not trusted."""
        return self._exchange.send("GET", "/v1/log/tsa-ca.pem", limit=MIB)

    def proof(self, size: int, indices: Sequence[int], sizes: Sequence[int]) -> tuple[bytes, ...]:
        """Return the hashes of a sparse proof, not yet verified."""
        body = encode({1: size, 2: list(indices), 3: list(sizes)})
        answer = self._exchange.send("POST", "/v1/log/proof", body, limit=64 * MIB)
        with form("proof"):
            fields = Fields(decode(answer, max_bytes=64 * MIB), "proof")
            joined = fields.octets(1, "hashes", maximum=64 * MIB)
            if len(joined) % DIGEST_BYTES:
                raise MalformedError("hashes have 32 bytes each")
            return tuple(
                joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES)
            )

    def statement_proof(self, statement: Digest) -> bytes:
        """Return the `.tlog-proof` of a statement, not yet verified; it holds a checkpoint."""
        return self._exchange.send("GET", f"/v1/statements/{statement}", limit=MIB)

    def has_statement(self, statement: Digest) -> bool:
        """Tell whether the verifier says that it has logged a statement."""
        try:
            self.statement_proof(statement)
        except RefusedError as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def beacon(self, period_ms: int, round_: int | None = None) -> BeaconChain:
        """Return the commitment in force, or that of a round, not yet verified."""
        asked = "" if round_ is None else f"?round={round_}"
        fields = Fields(self._exchange.value(f"/v1/beacon/{period_ms}{asked}"), "beacon")
        with form("beacon"):
            return BeaconChain(
                fields.uint(1, "first round"),
                fields.uint(2, "count"),
                fields.digest(3, "head"),
                fields.digest(4, "commitment"),
            )

    def beacon_value(self, period_ms: int, round_: int) -> bytes:
        """Return the value of a round, not yet verified; a refusal says that it is too early."""
        value = self._exchange.send("GET", f"/v1/beacon/{period_ms}/{round_}", limit=1024)
        if len(value) != DIGEST_BYTES:
            raise UnreachableError("the verifier's beacon value does not have 32 bytes")
        return value
