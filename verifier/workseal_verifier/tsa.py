"""Ask a time-stamping authority over HTTP (RFC 3161 section 3.4); read its root certificate."""

import asyncio
from pathlib import Path
from typing import Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from workseal_verifier.errors import ConfigError

TIMEOUT_S: Final = 15.0
_MAX_ANSWER: Final = 65_536
_HEADERS: Final = {"content-type": "application/timestamp-query"}


class TsaClient:
    """Send requests to one authority."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, request: bytes) -> bytes:
        """Return the answer to a TimeStampReq; raises `OSError` when there is none in time."""
        return asyncio.run(self._send(request))

    async def _send(self, request: bytes) -> bytes:
        try:
            # Over all: each part of an answer that drips has its own time otherwise.
            async with (
                asyncio.timeout(TIMEOUT_S),
                httpx.AsyncClient(timeout=TIMEOUT_S) as client,
                client.stream("POST", self._url, content=request, headers=_HEADERS) as answer,
            ):
                return await _read(answer)
        except TimeoutError:
            raise OSError(f"the authority did not answer in {TIMEOUT_S:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(f"the authority did not answer: {type(error).__name__}") from error


async def _read(answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise OSError(f"the authority answered {answer.status_code}")
    data = b""
    async for part in answer.aiter_bytes():
        data += part
        if len(data) > _MAX_ANSWER:
            raise OSError(f"the authority's answer exceeds {_MAX_ANSWER} bytes")
    return data


def load_roots(path: Path) -> tuple[bytes, ...]:
    """Read PEM root certificates as DER."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} holds no certificate in PEM form") from error
    return tuple(one.public_bytes(Encoding.DER) for one in found)
