"""One request to a desktop portal: its name, its answer, and its end.

Rules: nobody else can guess the name or give the answer, for the answer counts only when the
portal's own connection sent it. Who gives up on a request closes it.
"""

import asyncio
import secrets
from contextlib import suppress
from typing import Any

from workseal_agent import bus

PORTAL = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
_REQUEST = "org.freedesktop.portal.Request"


class PortalRequest:
    """Be one request; the portal must run by then."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._token = f"workseal{secrets.token_hex(16)}"
        caller = str(connection.unique_name).removeprefix(":").replace(".", "_")
        self._path = f"{PATH}/request/{caller}/{self._token}"
        self._answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._owner = bus.Owner(PORTAL, self._lost)

    async def prepare(self) -> None:
        """Listen for the answer, before there can be one."""
        await self._owner.find(self._connection)
        self._connection.add_message_handler(self._see)
        await bus.listen(
            self._connection,
            f"type='signal',sender='{PORTAL}',interface='{_REQUEST}',member='Response'",
        )

    async def send(self, member: str, signature: str, *arguments: Any, **options: Any) -> None:
        """Call a method whose arguments are followed by options; these are variants."""
        from dbus_fast import Variant  # noqa: PLC0415 - only where a portal is used

        options["handle_token"] = Variant("s", self._token)
        await bus.call(
            self._connection, PORTAL, PATH, member, *arguments, options,
            signature=f"{signature}a{{sv}}",
        )  # fmt: skip

    async def answered(self, seconds: float) -> list[Any]:
        """Return the answer's code and results, or raise `BusError` when none comes in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._answer), seconds)
        except TimeoutError as late:
            raise bus.BusError("the portal does not answer") from late

    async def close(self) -> None:
        """Tell the portal that nothing is wanted any more."""
        with suppress(bus.BusError):
            await bus.call(self._connection, PORTAL, self._path, f"{_REQUEST}.Close")

    def _see(self, message: Any) -> None:
        mine = message.interface == _REQUEST and message.member == "Response"
        if (
            mine
            and message.path.endswith(f"/{self._token}")
            and self._owner.sent(message)
            and not self._answer.done()
        ):
            self._answer.set_result(message.body)

    def _lost(self) -> None:
        if not self._answer.done():
            self._answer.set_exception(bus.BusError("the portal went away"))
