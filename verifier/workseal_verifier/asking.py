"""Ask a server that is somebody else's over HTTP, and wait for it only so long.

Rules: one deadline over the whole exchange, its name look-up included; a bounded answer, as it was
sent; no redirect is followed. Whatever goes wrong is an `OSError` of one sentence without the
address, which may hold a password.
"""

import asyncio
from collections.abc import Mapping

import httpx


def ask(
    url: str,
    *,
    limit: int,
    timeout_s: float,
    method: str = "GET",
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the body of a 200 of at most `limit` bytes; not for a thread with an event loop."""
    wanted = httpx.Headers({"accept-encoding": "identity", **(headers or {})})
    # Not `asyncio.run`: that waits for the resolver's thread, which has no deadline.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(
            _exchange(httpx.Request(method, url, content=content, headers=wanted), limit, timeout_s)
        )
    except TimeoutError:
        raise OSError(f"it did not answer in {timeout_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise OSError(f"it did not answer: {type(error).__name__}") from error
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _exchange(request: httpx.Request, limit: int, timeout_s: float) -> bytes:
    # Over all: each part of an answer that drips has its own time otherwise.
    async with asyncio.timeout(timeout_s), httpx.AsyncClient(timeout=timeout_s) as client:
        answer = await client.send(request, stream=True)
        try:
            return await _read(answer, limit)
        finally:
            await answer.aclose()


async def _read(answer: httpx.Response, limit: int) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise OSError(f"it answered {answer.status_code}")
    data = b""
    # Raw: a few kilobytes could be unpacked into gigabytes.
    async for part in answer.aiter_raw():
        data += part
        if len(data) > limit:
            raise OSError(f"its answer exceeds {limit} bytes")
    return data
