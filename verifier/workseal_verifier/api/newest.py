"""The newest checkpoint, looked for once for all requests that want it meanwhile.

Rule: whoever asks is answered by a look that began after they did. So nobody is shown less than
what any process had shown before they asked, however many share the look.
"""

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from workseal_verifier.services.publication import Published


class Newest:
    """What is published, for the requests of one event loop."""

    def __init__(self, look: Callable[[], Published], *, alone: bool) -> None:
        """Take what looks; where this process is alone, that asks memory and never waits."""
        self._look = look
        self._alone = alone
        # Who came since the last look began.
        self._come: asyncio.Future[Published] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def shown(self) -> Published:
        """Return what is published now, or raise what looking for it raised."""
        if self._alone:
            return self._look()
        loop = asyncio.get_running_loop()
        if self._come is None:
            self._come = loop.create_future()
        if self._looking is None:
            self._looking = loop.create_task(self._go_on())
        # Who goes away takes it from nobody else.
        return await asyncio.shield(self._come)

    async def _go_on(self) -> None:
        try:
            while (come := self._come) is not None:
                self._come = None
                await self._tell(come)
        finally:
            self._looking = None

    async def _tell(self, come: "asyncio.Future[Published]") -> None:
        try:
            come.set_result(await run_in_threadpool(self._look))
        except Exception as error:  # noqa: BLE001 - whoever asked raises it
            come.set_exception(error)
            # Perhaps all of them have gone.
            come.exception()
        finally:
            # The loop ends.
            come.cancel()
