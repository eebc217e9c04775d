"""The outermost layer of the application: nothing leaves it but an answer.

Rules: an error nobody foresaw becomes a problem and one log line without its text; no more requests
are worked on at once than the server can hold in memory.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workseal_verifier.api.problems import mistake, refuse
from workseal_verifier.errors import Reason, RefusedError


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            busy = RefusedError(Reason.BUSY, "too many requests at once", retry_after=2)
            await refuse(busy, scope)(scope, receive, send)
            return
        self._running += 1
        try:
            await self._guarded(scope, receive, send)
        finally:
            self._running -= 1

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the edge of the request
            answer = mistake(error, scope)
            if not started:
                await answer(scope, receive, send)
