"""Ask a time-stamping authority over HTTP (RFC 3161 section 3.4); read its root certificate."""

from pathlib import Path
from typing import Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from workseal_verifier.errors import ConfigError

_TIMEOUT_S: Final = 15.0
_MAX_ANSWER: Final = 65_536
_HEADERS: Final = {"content-type": "application/timestamp-query"}


class TsaClient:
    """Send requests to one authority."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, request: bytes) -> bytes:
        """Return the answer to a TimeStampReq; raises `OSError` when there is none."""
        try:
            with httpx.stream(
                "POST", self._url, content=request, headers=_HEADERS, timeout=_TIMEOUT_S
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise OSError(f"the authority answered {answer.status_code}")
                data = b""
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > _MAX_ANSWER:
                        raise OSError(f"the authority's answer exceeds {_MAX_ANSWER} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(f"the authority did not answer: {type(error).__name__}") from error
        return data


def load_roots(path: Path) -> tuple[bytes, ...]:
    """Read PEM root certificates as DER."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} holds no certificate in PEM form") from error
    return tuple(one.public_bytes(Encoding.DER) for one in found)
