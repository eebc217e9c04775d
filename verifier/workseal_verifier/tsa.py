"""Ask a time-stamping authority over HTTP (RFC 3161 section 3.4); read certificates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from workseal_verifier.errors import ConfigError

TIMEOUT_S: Final = 15.0
_MAX_ANSWER: Final = 65_536
_HEADERS: Final = {"content-type": "application/timestamp-query"}


class TsaClient:
    """Send requests to one authority."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        # With the first client, at the start: a server that asks nobody does without.
        from workseal_verifier.asking import ask  # noqa: PLC0415

        self._ask = ask
        self._url = url
        self._timeout_s = timeout_s

    def send(self, request: bytes) -> bytes:
        """Return the answer to a TimeStampReq; raises `OSError` when there is none in time."""
        return self._ask(
            self._url,
            limit=_MAX_ANSWER,
            timeout_s=self._timeout_s,
            method="POST",
            content=request,
            headers=_HEADERS,
        )


def load_roots(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """Read PEM root certificates as DER."""
    found = []
    for path in paths:
        certificates = _read(path)
        if any(one.issuer != one.subject for one in certificates):
            raise ConfigError(
                f"{path} holds a certificate that is not self-signed: no root, but an intermediate"
            )
        found += certificates
    return tuple(dict.fromkeys(one.public_bytes(Encoding.DER) for one in found))


def load_intermediates(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """Read PEM certificates between a token's own and a root, as DER."""
    found = [one.public_bytes(Encoding.DER) for path in paths for one in _read(path)]
    return tuple(dict.fromkeys(found))


def _read(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} holds no certificate in PEM form") from error
