"""An agent whose segments and declarations a test shapes itself, honest or not."""

from typing import Any

from support.acting import ScriptedAgent
from support.simulator import START, Simulator, seeded
from workseal_protocol.chain import owed_instant
from workseal_protocol.digest import Digest
from workseal_protocol.lottery import draw
from workseal_protocol.records import (
    Capture,
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
)


class ShapedAgent(ScriptedAgent):
    """Sign segments as they are asked for; nothing is captured, what is owed is told as missed."""

    def part(self, number: int, begin: int, end: int, **changes: Any) -> Segment:
        """Sign [begin, end) milliseconds after the start of a round."""
        start = number * self.terms.round_ms
        self.verifier.now = max(self.verifier.now, start + end)
        state = changes.get("state", SegmentState.WORKING)
        fields: dict[str, Any] = {
            "session": self._session().session,
            "round": number,
            "begin": start + begin,
            "end": start + end,
            "worked": end - begin,
            "state": state,
            "agent_value": self._values[number - self._first],
            "verifier_value": self.verifier.value(number),
            "activity": None if state is SegmentState.SEALED else Digest(bytes(32)),
            "notes": Digest(bytes(32)),
            "capture": Capture.NONE,
        }
        segment = Segment(**self._link(), **(fields | changes))
        instant = owed_instant(self.terms, self.engagement, segment)
        if "capture" not in changes and state is SegmentState.WORKING and instant is not None:
            missed = segment.begin <= instant < segment.end
            fields["capture"] = Capture.MISSED if missed else Capture.NONE
            segment = Segment(**self._link(), **(fields | changes))
        self._chain(segment)
        return segment

    def due_in(self, number: int, *, online: bool = True) -> int | None:
        """Give how many milliseconds after a round's start its capture is due, if one is."""
        self.verifier.now = max(self.verifier.now, number * self.terms.round_ms)
        drawn = draw(
            agent_value=self._values[number - self._first],
            verifier_value=self.verifier.value(number) if online else None,
            engagement=self.engagement,
            round=number,
            rate=self.terms.capture_rate,
            round_ms=self.terms.round_ms,
        )
        return drawn.offset_ms if drawn.due else None

    def told(self, form: DeclarationForm, begin: int, end: int, worked: int) -> None:
        """Sign a declaration."""
        memo = Digest(seeded(b"memo", self.state.next_seq))
        self._chain(
            Declaration(**self._link(), begin=begin, end=end, worked=worked, form=form, memo=memo)
        )


def shaped(*, careless: bool = False, **terms: Any) -> ShapedAgent:
    """Join an engagement; the verifier's time is the start of a round, `first_round(agent)`."""
    verifier = Simulator(careless=careless)
    verifier.publish_rules()
    verifier.start_beacon(START // verifier.round_ms - 360, 12_000)
    agent = ShapedAgent(verifier, terms=verifier.terms(**terms))
    verifier.now = START
    return agent


def first_round(agent: ShapedAgent) -> int:
    """Give the round that begins at the start of the work."""
    return START // agent.terms.round_ms
