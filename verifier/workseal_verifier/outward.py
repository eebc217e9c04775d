"""Ask witnesses over HTTP; the answers are bounded, and each whole exchange has one deadline.

Rules: connections are kept between requests, for a log asks its witnesses at every checkpoint. The
requests of several threads run side by side on one loop of this module's own thread. Redirects are
not followed: what is trusted is the witness's key, and where it is reached is the operator's word.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Final

import httpx

# The newest checkpoint with all its lines is the longest answer that a witness has.
_MAX_ANSWER: Final = 262_144
_HEADERS: Final = {"user-agent": "workseal-verifier", "accept-encoding": "identity"}


class Outward:
    """A way out, with `timeout_s` for each whole exchange."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.new_event_loop()
        # Over all: each part of an answer that drips has its own time otherwise.
        self._client = httpx.AsyncClient(timeout=None, headers=_HEADERS)  # noqa: S113
        self._thread = threading.Thread(target=self._loop.run_forever, name="outward", daemon=True)
        self._thread.start()

    def to(self, url: str) -> Callable[[str, bytes | None], tuple[int, bytes]]:
        """Return what sends a body to a path below an address, or asks for it without a body.

        It returns the status and the body of the answer, and raises `OSError` when there is no
        whole answer in time.
        """
        return lambda path, body: self._ask(url + path, body)

    def close(self) -> None:
        """End what is under way, and close all connections."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _ask(self, url: str, body: bytes | None) -> tuple[int, bytes]:
        if self._loop.is_closed():
            raise OSError("nothing is asked any more")
        asked = asyncio.run_coroutine_threadsafe(self._exchange(url, body), self._loop)
        try:
            return asked.result()
        except TimeoutError:
            raise OSError(f"no whole answer in {self._timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(f"no answer: {type(error).__name__}") from error
        except CancelledError:
            raise OSError("nothing is asked any more") from None

    async def _exchange(self, url: str, body: bytes | None) -> tuple[int, bytes]:
        method = "GET" if body is None else "POST"
        async with (
            asyncio.timeout(self._timeout_s),
            self._client.stream(method, url, content=body) as answer,
        ):
            data = b""
            # Raw: two kilobytes, packed twice, could be unpacked into gigabytes at once.
            async for part in answer.aiter_raw():
                data += part
                if len(data) > _MAX_ANSWER:
                    raise httpx.DecodingError(f"an answer of more than {_MAX_ANSWER} bytes")
            return answer.status_code, data

    async def _end(self) -> None:
        current = asyncio.current_task()
        running = [task for task in asyncio.all_tasks() if task is not current]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._client.aclose()
