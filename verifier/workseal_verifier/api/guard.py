"""The outermost layer of the application: nothing leaves it but an answer.

Rules: an error nobody foresaw becomes a problem and one log line without its text. Reads and
submissions have budgets of their own: when there is too much, submissions are told to come back
before a read is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workseal_verifier.api.problems import mistake, refuse
from workseal_verifier.api.routing import operation_of
from workseal_verifier.api.sender import sender_of
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.limits import Limiter

READ, SUBMISSION = "read", "submission"
# Where a request's scope says that it is counted already: it went a shorter way at first.
ENTERED: Final = "workseal.entered"
# Asks with a body, and changes nothing.
_READING: Final = frozenset({"/v1/log/proof"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Budget:
    """How many requests of each kind are worked on at once, and how often one sender may ask."""

    most: Mapping[str, int]
    senders: Limiter
    sender_header: str = ""


class Gate:
    """What is worked on now, whichever way it came in; for the thread of an event loop."""

    def __init__(self, budget: Budget, answered: Callable[[str, int], None]) -> None:
        # Told each answer's operation and status.
        self.answered = answered
        self._budget = budget
        self._running = dict.fromkeys(budget.most, 0)

    def enter(self, scope: Scope, kind: str) -> None:
        """Count a request as worked on, or refuse it."""
        if self._running[kind] >= self._budget.most[kind]:
            raise RefusedError(Reason.BUSY, "too many requests at once", retry_after=2)
        sender = sender_of(scope, self._budget.sender_header)
        if sender is not None:
            self._budget.senders.require(sender)
        self._running[kind] += 1

    def charge(self, scope: Scope, requests: int) -> None:
        """Count an answer as so many more requests of its sender, who may ask again later."""
        sender = sender_of(scope, self._budget.sender_header)
        if sender is not None:
            self._budget.senders.charge(sender, requests)

    def leave(self, kind: str) -> None:
        """Count it no more."""
        self._running[kind] -= 1


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = kind_of(scope)
        if not scope.get(ENTERED, False):
            try:
                self._gate.enter(scope, kind)
            except RefusedError as refusal:
                await refuse(refusal, scope)(scope, receive, self._counted(scope, send))
                return
        await self._guarded(scope, receive, send, kind)

    def _counted(self, scope: Scope, send: Send) -> Send:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._gate.answered(operation_of(scope), message["status"])
            await send(message)

        return counted

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, kind: str) -> None:
        """Count a request as worked on, until its answer begins: who reads slowly is no load."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                if not started:
                    started = True
                    self._gate.leave(kind)
                self._gate.answered(operation_of(scope), message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the edge of the request
            answer = mistake(error, scope)
            if not started:
                await answer(scope, receive, watched)
        finally:
            if not started:
                self._gate.leave(kind)


def kind_of(scope: Scope) -> str:
    """Tell a read from a submission, before its route is known."""
    reads = scope["method"] in _SAFE or scope["path"] in _READING
    return READ if reads else SUBMISSION
