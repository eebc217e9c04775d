"""What is true of a script of `support.dayscript`, worked out without the product.

Rules: nothing of the agent or the protocol is imported here. Where the moment alone cannot decide
(a look at the clocks comes each second, a waiting sender wakes within 20), both bounds are told.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from support.dayscript import Act, Script, Step

# A round waits this long for the verifier's value, or a quarter of its length.
_VALUE_WAIT_MS = 2_000
# What is proved within a minute after its round is online.
_ONLINE_MS = 60_000
# The longest wait of the sender, and the time of a request.
_SENDER_MS = 21_000
# Between two looks at the clocks.
_LOOK_MS = 1_100
# Less than this is a machine asleep, frozen or wrong by nothing.
_STALL_MS = 15_000
_CORRECT_FROM_MS = 2_000
_TICK_MS = 50


@dataclass(slots=True)
class Between:
    """Bound a length of time in milliseconds."""

    least: float = 0.0
    most: float = 0.0

    def add(self, least: float, most: float) -> None:
        self.least += least
        self.most += most

    def off_by(self, found: float) -> float:
        """Return how far a figure lies outside."""
        return max(0.0, self.least - found, found - self.most)


@dataclass(slots=True)
class Truth:
    """Hold what the totals of a day are to say."""

    worked: Between = field(default_factory=Between)
    # What crashes took: at most a round each.
    lost_ms: float = 0.0
    crashes: int = 0
    grades: dict[str, Between] = field(default_factory=lambda: defaultdict(Between))
    states: dict[str, Between] = field(default_factory=lambda: defaultdict(Between))
    days: dict[date, Between] = field(default_factory=lambda: defaultdict(Between))
    days_known: bool = True


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Hold unbroken work, in true Unix milliseconds; `ahead` is the session's error.

    It is None where the session began with a clock behind that nobody could correct: it is put
    forward later, at a moment that is not told here.
    """

    begin: float
    end: float
    state: str
    session: int
    ahead: float | None


@dataclass(frozen=True, slots=True)
class _Span:
    """Hold a time in which the network, and the process, stay as they are."""

    begin: float
    end: float
    network: int
    runs: bool


def truth_of(script: Script) -> Truth:
    """Work out what is true of a script."""
    story = _Story(script)
    for step in script.steps:
        story.play(step)
    story.end()
    return _Judged(script, story).truth


class _Story:
    """Walk through the steps, and note when there was work and when there was a network."""

    def __init__(self, script: Script) -> None:
        self.round_ms = script.round_ms
        self.now = float(script.start_ms)
        self.stretches: list[_Stretch] = []
        self.spans: list[_Span] = []
        self.lost = Between()
        self.crashes = 0
        self.network = 1
        self.wrong = 0
        self.state = "working"
        self.session = 0
        self.ahead: float | None = 0.0
        # What was told last, by the sessions' clocks.
        self.told = 0.0
        self.begun: float | None = self.now

    def play(self, step: Step) -> None:  # noqa: C901, PLR0912 - one line for each act
        ms = step.seconds * 1000
        match step.act:
            case Act.WORK:
                self._pass(ms)
            case Act.PAUSE:
                self._unworked(ms)
            case Act.LOCK if step.value or self.state == "off-screen":
                self._pass(ms)
            case Act.LOCK:
                self._unworked(ms)
            case Act.WORKING | Act.OFF_SCREEN | Act.SEALED:
                self._finish()
                self.state = str(step.act)
                self.begun = self.now
            case Act.SUSPEND:
                self._unworked(ms, runs=False)
            case Act.FREEZE if ms > _STALL_MS:
                self._unworked(ms, runs=False)
            case Act.FREEZE:
                self._pass(ms, runs=False)
            case Act.CLOCK:
                self.wrong = step.value
            case Act.NETWORK:
                self.network = step.value
            case Act.CRASH:
                self._again(ms, stopped=False)
            case Act.REBOOT:
                self._again(ms, stopped=bool(step.value))
            case Act.STOP:
                self._again(ms, stopped=True)
            case Act.WITHDRAW:
                pass

    def end(self) -> None:
        self._finish()
        # Whatever is left is sent now.
        self.spans.append(_Span(self.now, float("inf"), 1, runs=True))

    def _pass(self, ms: float, *, runs: bool = True) -> None:
        self.spans.append(_Span(self.now, self.now + ms, self.network, runs))
        self.now += ms

    def _unworked(self, ms: float, *, runs: bool = True) -> None:
        self._finish()
        self._pass(ms, runs=runs)
        self.begun = self.now

    def _finish(self) -> None:
        begun, self.begun = self.begun, None
        if begun is not None and self.now > begun:
            self.stretches.append(_Stretch(begun, self.now, self.state, self.session, self.ahead))
            self.told = self.now + (self.ahead or 0.0)

    def _again(self, ms: float, *, stopped: bool) -> None:
        """End the process and start another; a kill takes the part of the round that ran."""
        if not stopped:
            self._lose()
        self._finish()
        self._pass(ms, runs=False)
        self.begun = self.now
        self.state = "working"
        self.session += 1
        corrected = self.network != 0 and abs(self.wrong) > _CORRECT_FROM_MS
        behind = self.network == 0 and self.wrong < -_LOOK_MS
        self.ahead = max(0.0 if corrected else self.wrong, self.told - self.now)
        if behind and self.ahead < -_LOOK_MS:
            self.ahead = None

    def _lose(self) -> None:
        self.crashes += 1
        begun = self.begun
        assert begun is not None
        ran = self.now - begun
        since_round = (self.now + (self.ahead or 0.0)) % self.round_ms
        lost = min(ran, since_round)
        least = most = lost
        near = min(since_round, self.round_ms - since_round) < _TICK_MS and since_round < ran
        if near or self.ahead is None:
            # At the very end of a round: signed just before, or not.
            least, most = 0.0, min(ran, self.round_ms)
        self.lost.add(least, most)
        if self.now - lost > begun:
            self.stretches.append(
                _Stretch(begun, self.now - lost, self.state, self.session, self.ahead)
            )
            self.told = self.now - lost + (self.ahead or 0.0)
        self.begun = None


class _Judged:
    """Cut the work into rounds, and say of each piece how it is known."""

    def __init__(self, script: Script, story: _Story) -> None:
        self.round_ms = script.round_ms
        self.zone = ZoneInfo(script.zone)
        self.spans = story.spans
        self.decided: dict[tuple[int, int], bool | None] = {}
        self.truth = Truth(crashes=story.crashes, lost_ms=story.lost.most)
        self.truth.days_known = all(one.ahead is not None for one in story.stretches)
        slack = story.lost.most - story.lost.least
        for stretch in story.stretches:
            for piece, number in self._rounds(stretch):
                self._add(piece, number)
        truth = self.truth
        for bounds in (
            truth.worked, *truth.grades.values(), *truth.states.values(), *truth.days.values()
        ):  # fmt: skip
            bounds.add(-slack, slack)

    def _rounds(self, stretch: _Stretch) -> Iterator[tuple[_Stretch, int]]:
        begin = stretch.begin
        while begin < stretch.end:
            ahead = stretch.ahead or 0.0
            number = int((begin + ahead) // self.round_ms)
            end = min(stretch.end, (number + 1) * self.round_ms - ahead)
            # A remainder of the arithmetic, and no time.
            if end - begin > 1e-3:
                yield _Stretch(begin, end, stretch.state, stretch.session, stretch.ahead), number
            begin = max(end, begin + 1e-3)

    def _add(self, piece: _Stretch, number: int) -> None:
        length = piece.end - piece.begin
        self.truth.worked.add(length, length)
        self.truth.states[piece.state].add(length, length)
        told = datetime.fromtimestamp((piece.begin + (piece.ahead or 0.0)) / 1000, tz=UTC)
        self.truth.days[told.astimezone(self.zone).date()].add(length, length)
        possible = self._grades(piece, number)
        for grade in ("online", "late", "offline", "declared"):
            surely = length if possible == {grade} else 0.0
            self.truth.grades[grade].add(surely, length if grade in possible else 0.0)

    def _grades(self, piece: _Stretch, number: int) -> set[str]:
        if piece.ahead is None:
            return {"declared"} if piece.state == "off-screen" else {"online", "late", "offline"}
        place = (piece.session, number)
        if place not in self.decided:
            self.decided[place] = self._value_came(piece, number)
        if piece.state == "off-screen":
            return {"declared"}
        came = self.decided[place]
        found: set[str] = set() if came else {"offline"}
        if came is not False:
            found |= self._when_proved(piece, (number + 1) * self.round_ms)
        return found

    def _value_came(self, piece: _Stretch, number: int) -> bool | None:
        """Tell whether the round's value was there in time; None when a moment decides."""
        wait = min(_VALUE_WAIT_MS, self.round_ms // 4)
        begin = max(piece.begin, float(number * self.round_ms))
        end = min(piece.begin + wait, piece.end)
        if begin > end + _TICK_MS:
            return False
        # The verifier may have released it just before, or a look have come just after.
        within = [
            one for one in self.spans if one.begin < end + _LOOK_MS and one.end > begin - _TICK_MS
        ]
        reached = {one.network != 0 for one in within}
        if reached == {False}:
            return False
        return True if reached == {True} and begin <= end - _TICK_MS else None

    def _when_proved(self, piece: _Stretch, round_end: int) -> set[str]:
        deadline = round_end + _ONLINE_MS
        sending = [one for one in self.spans if one.network == 1 and one.runs]
        earliest = min(max(one.begin, piece.end) for one in sending if one.end > piece.end)
        surely = min(
            max(one.begin, piece.end) + _SENDER_MS
            for one in _joined(sending)
            if one.end > max(one.begin, piece.end) + _SENDER_MS
        )
        # A cosignature tells whole seconds.
        found = set()
        if earliest <= deadline + 1_000:
            found.add("online")
        if surely >= deadline - 1_000:
            found.add("late")
        # What the verifier had before its answer was lost may be shown by a checkpoint of then.
        if any(one.network == 2 and one.runs and one.end > piece.end for one in self.spans):
            found.add("online")
        return found


def _joined(spans: list[_Span]) -> list[_Span]:
    joined: list[_Span] = []
    for one in spans:
        if joined and joined[-1].end == one.begin:
            joined[-1] = _Span(joined[-1].begin, one.end, one.network, one.runs)
        else:
            joined.append(one)
    return joined
