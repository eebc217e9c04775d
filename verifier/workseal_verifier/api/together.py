"""Small submissions that arrived whole: read and checked together, without a task for each.

Rules: what is answered is what `statements.post_statements` answers. Whatever is unusual, or needs
to wait for more than the log's next tick, is handed back to the application, which begins anew with
it; how much is worked on at once is counted with the application's own requests. Where a process
checks signatures, those of all that came meanwhile go to it as one batch, and nobody waits.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from starlette.types import Scope

from workseal_protocol.encoding import MAX_INTEGER
from workseal_verifier.api.answers import Answers
from workseal_verifier.api.guard import ENTERED, SUBMISSION, Gate
from workseal_verifier.api.problems import answer_to
from workseal_verifier.api.services import Services
from workseal_verifier.api.statements import SMALL
from workseal_verifier.api.values import CBOR, CBOR_SEQUENCE, PRIVATE
from workseal_verifier.api.whole import WholeRequest
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.access import TABLE, Shown
from workseal_verifier.services.candidate import Opened, is_decided
from workseal_verifier.signaturechecks import SignatureChecks
from workseal_verifier.signatureline import SignatureLine, connect
from workseal_verifier.signatureprocess import Question

if TYPE_CHECKING:
    from concurrent.futures import Future

    from workseal_protocol.receipt import SubmissionAnswer

_PATH: Final = b"/v1/statements"
_OPERATION: Final = "POST /v1/statements"
# What is read in one turn of the event loop; others have theirs between.
_MOST: Final = 64
_OLD: Final = re.compile(rb"old=(0|[1-9][0-9]{0,15})")
_MEDIA: Final = CBOR_SEQUENCE.encode()
_HEADERS: Final = tuple((name.encode(), value.encode()) for name, value in PRIVATE.items())
_TYPE: Final = (b"content-type", CBOR.encode())


@dataclass(frozen=True, slots=True)
class _Read:
    """A submission that was read, and the questions that its signatures are."""

    whole: WholeRequest
    opened: Opened
    asked: Sequence[Question]


class Together:
    """The submissions of one event loop that take this way."""

    def __init__(
        self, services: Services, gate: Gate, answers: Answers, checks: SignatureChecks
    ) -> None:
        self._services = services
        self._gate = gate
        self._answers = answers
        self._checks = checks
        self._come: list[WholeRequest] = []
        self._is_called = False
        self._line: SignatureLine | None = None
        self._connecting: asyncio.Task[None] | None = None

    def takes(self, scope: Scope) -> bool:
        """Tell by its header whether a request takes this way, if all of it comes at once."""
        if scope["raw_path"] != _PATH or scope["method"] != "POST":
            return False
        if _old(scope["query_string"]) is None:
            return False
        # The door stands here too; it looks at nothing but what a request carries.
        return TABLE[_OPERATION].shown is Shown.CONTENT and _is_small(scope["headers"])

    def take(self, whole: WholeRequest) -> None:
        """Answer a request that `takes` has let in, or hand it back."""
        self._come.append(whole)
        self._call()

    def close(self) -> None:
        """End the connection to the process that checks signatures."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._line is not None:
            self._line.close()

    def _call(self) -> None:
        if self._come and not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        """Read what has come, and see to it that its signatures are checked."""
        self._is_called = False
        line = self._open_line()
        if line is not None and line.is_busy:
            # Its next answer calls: what comes until then goes as one batch.
            return
        now, self._come = self._come[:_MOST], self._come[_MOST:]
        read = [one for whole in now if (one := self._read(whole, ask=line is not None))]
        asked = [question for one in read for question in one.asked]
        self._checks.note(sum(one.opened.unsigned for one in read))
        if line is not None and asked:
            line.ask(asked, partial(self._go_on, read))
        else:
            self._go_on(read, None)
        self._call()

    def _read(self, whole: WholeRequest, *, ask: bool) -> _Read | None:
        try:
            self._gate.enter(whole.scope, SUBMISSION)
        except RefusedError as refusal:
            self._answer_problem(whole, refusal)
            return None
        try:
            opened = self._services.intake.open(whole.body)
            return _Read(whole, opened, opened.questions() if ask else ())
        except Exception as error:  # noqa: BLE001 - the edge of the request
            self._fail(whole, error)
            return None

    def _go_on(self, read: Sequence[_Read], answers: Sequence[bool] | None) -> None:
        """Go on with what was read, as its signatures hold; None where they are checked here."""
        rest = iter(answers or ())
        for one in read:
            told = None if answers is None else list(islice(rest, len(one.asked)))
            try:
                self._log(one, told)
            except Exception as error:  # noqa: BLE001 - the edge of the request
                self._fail(one.whole, error)
        self._call()

    def _log(self, one: _Read, answers: Sequence[bool] | None) -> None:
        found = one.opened.checked_here() if answers is None else one.opened.told(answers)
        services = self._services
        if not is_decided(found):
            self._hand_back(one.whole)
            return
        services.require_rate(found)
        if not services.sequencer.is_prepared(found):
            self._hand_back(one.whole)
            return
        old = _old(one.whole.scope["query_string"]) or 0
        promise = services.sequencer.submit(found, old=old, charge=services.charge)
        self._answers.tell(promise, partial(self._answer, one.whole, promise))

    def _answer(self, whole: WholeRequest, promise: "Future[SubmissionAnswer]") -> None:
        try:
            body = promise.result().encode()
            length = (b"content-length", b"%d" % len(body))
            self._gate.leave(SUBMISSION)
            self._gate.answered(_OPERATION, 200)
            whole.answer(200, (*_HEADERS, length, _TYPE), body)
        except Exception as error:  # noqa: BLE001 - the edge of the request
            self._fail(whole, error)

    def _hand_back(self, whole: WholeRequest) -> None:
        whole.scope[ENTERED] = True
        whole.hand_back()

    def _fail(self, whole: WholeRequest, error: Exception) -> None:
        self._gate.leave(SUBMISSION)
        self._answer_problem(whole, error)

    def _answer_problem(self, whole: WholeRequest, error: Exception) -> None:
        problem = answer_to(error, whole.scope)
        self._gate.answered(_OPERATION, problem.status_code)
        whole.answer(problem.status_code, problem.raw_headers, bytes(problem.body))

    def _open_line(self) -> SignatureLine | None:
        if self._line is not None and self._line.is_open:
            return self._line
        self._line = None
        if self._connecting is None and (lent := self._checks.lend()) is not None:
            loop = asyncio.get_running_loop()
            self._connecting = loop.create_task(self._connect(*lent))
        return None

    async def _connect(self, connection: socket.socket, lost: Callable[[], None]) -> None:
        try:
            self._line = await connect(connection, lost)
        except OSError:
            lost()
        finally:
            self._connecting = None
            if self._line is None:
                connection.close()


def _old(query: bytes) -> int | None:
    """Read the size of the log that a sender has seen; None for a query of another form."""
    if not query:
        return 0
    form = _OLD.fullmatch(query)
    size = None if form is None else int(form[1])
    return size if size is not None and size <= MAX_INTEGER else None


def _is_small(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Tell whether a body is short, of the usual type, and sent without being asked for."""
    length, types = None, 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value)
        elif name == b"content-type":
            types += 1
            if types > 1 or value != _MEDIA:
                return False
        elif name in {b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"}:
            return False
    return length is not None and length <= SMALL
