"""One request to a desktop portal: its name, its answer, and its end.

Rules: nobody else can guess the name or give the answer, for the answer counts only when the
portal's own connection sent it. Who gives up on a request closes it.
"""

import secrets
from contextlib import suppress
from typing import Any

from workseal_agent import bus

PORTAL = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
_REQUEST = "org.freedesktop.portal.Request"


class UnansweredError(bus.BusError):
    """Say that neither the portal nor the person before it answered in time."""


class PortalRequest:
    """Be one request; the portal must run by then."""

    def __init__(self, connection: bus.Connection) -> None:
        self._connection = connection
        self._token = f"workseal{secrets.token_hex(16)}"
        caller = connection.unique_name.removeprefix(":").replace(".", "_")
        self._path = f"{PATH}/request/{caller}/{self._token}"
        self._answer: tuple[Any, ...] | None = None
        self._owner = bus.Owner(PORTAL)

    def prepare(self) -> None:
        """Listen for the answer, before there can be one."""
        self._owner.find(self._connection)
        self._connection.hear(self._see)
        self._connection.listen(
            f"type='signal',sender='{PORTAL}',interface='{_REQUEST}',member='Response'",
        )

    def send(self, member: str, signature: str, *arguments: Any, **options: Any) -> None:
        """Call a method whose arguments are followed by options; these are variants."""
        options["handle_token"] = "s", self._token
        self._connection.call(
            PORTAL, PATH, member, *arguments, options,
            signature=f"{signature}a{{sv}}",
        )  # fmt: skip

    def answered(self, seconds: float) -> tuple[Any, ...]:
        """Return the answer's code and results.

        Raises `UnansweredError` when none comes in time, `BusError` when the portal is gone.
        """
        self._connection.wait(lambda: self._answer is not None or self._owner.lost, seconds)
        if self._answer is not None:
            return self._answer
        if self._owner.lost:
            raise bus.BusError("the portal went away")
        raise UnansweredError("the portal does not answer")

    def close(self) -> None:
        """Tell the portal that nothing is wanted any more."""
        with suppress(bus.BusError):
            self._connection.call(PORTAL, self._path, f"{_REQUEST}.Close")

    def _see(self, message: bus.Message) -> None:
        mine = message.interface == _REQUEST and message.member == "Response"
        if (
            mine
            and (message.path or "").endswith(f"/{self._token}")
            and self._owner.sent(message)
            and self._answer is None
        ):
            self._answer = message.body
