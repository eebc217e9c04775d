"""Acts of the user on the chain while a recording runs, in their place among the segments."""

from collections.abc import Callable
from typing import Any

from workseal_agent.chain import OwnChain
from workseal_agent.clock import Clock
from workseal_agent.daemon.service import Act
from workseal_agent.errors import AgentError
from workseal_agent.evidence import (
    Destroyer,
    LateWork,
    declare_late,
    find_frame,
    prove,
    withdraw,
)
from workseal_agent.ledger import Ledger
from workseal_agent.recorder import Recorder
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import EvidenceItem, WithdrawalReason, parse_item


class Acts:
    """Withdraw frames, declare late time, put items of evidence into the chain."""

    def __init__(
        self,
        chain: OwnChain,
        ledger: Ledger,
        vault: Destroyer,
        clock: Clock,
        recorder: Recorder,
        on_statement: Callable[[], None],
    ) -> None:
        self._chain = chain
        self._ledger = ledger
        self._vault = vault
        self._clock = clock
        self._recorder = recorder
        self._on_statement = on_statement

    def table(self) -> dict[str, Act]:
        """Return the acts by the name of their request."""
        return {"withdraw": self.withdraw, "declare": self.declare, "prove": self.prove}

    def withdraw(self, request: dict[str, Any]) -> dict[str, Any]:
        """Withdraw one frame."""
        match request:
            case {"frame": str(name), "reason": int(number)}:
                frame = find_frame(self._ledger, self._chain.state.engagement, name)
                reason = WithdrawalReason(number)
            case _:
                raise AgentError("a withdrawal names a frame and a reason")
        withdraw(
            self._chain, self._ledger, self._vault, frame, reason, now_ms=self._clock.wall_ms()
        )
        self._on_statement()
        return {"frame": str(frame.commitment)}

    def declare(self, request: dict[str, Any]) -> dict[str, Any]:
        """Declare late time."""
        match request:
            case {
                "begin_ms": int(begin),
                "end_ms": int(end),
                "worked_ms": int(worked),
                "memo": str(memo),
                **more,
            }:
                told = more.get("artefact")
                artefact = bytes.fromhex(told) if isinstance(told, str) else None
                work = LateWork(begin, end, worked, memo, artefact)
            case _:
                raise AgentError("a declaration has a begin, an end, worked time and a memo")
        statement = declare_late(
            self._chain,
            work,
            now_ms=self._clock.wall_ms(),
            recorded_from_ms=self._recorder.recorded_from_ms(),
        )
        self._on_statement()
        return {"statement": str(statement.digest)}

    def prove(self, request: dict[str, Any]) -> dict[str, Any]:
        """Put one item of evidence into the chain."""
        match request:
            case {"item": str(text)}:
                item = _item(text)
            case _:
                raise AgentError("evidence is one item")
        statement = prove(self._chain, item, now_ms=self._clock.wall_ms())
        self._on_statement()
        return {"statement": str(statement.digest)}


def _item(text: str) -> EvidenceItem:
    try:
        return parse_item(bytes.fromhex(text))
    except (ValueError, MalformedError) as error:
        raise AgentError("evidence is one item") from error
