"""Was this person at work somewhere else at the time? Yes or no, and nothing more.

Spans are half-open. Memory holds, for each worker, when the latest work of each engagement ended:
work that begins later than that needs no look into the store.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from workseal_protocol.digest import Digest
from workseal_verifier.store.records import RecordStore

_CACHED_WORKERS = 1_024
_NONE: Mapping[bytes, list["Span"]] = {}


@dataclass(frozen=True, slots=True)
class Span:
    """Time that a statement claims as worked: whose, for which engagement, [begin, end)."""

    worker: Digest
    engagement: bytes
    begin_ms: int
    end_ms: int


@dataclass(slots=True)
class PendingWork:
    """Spans that are admitted and not yet stored."""

    spans: dict[Digest, dict[bytes, list[Span]]] = field(default_factory=dict)

    def add(self, span: Span) -> None:
        """Add one span."""
        self.spans.setdefault(span.worker, {}).setdefault(span.engagement, []).append(span)

    def add_all(self, other: "PendingWork") -> None:
        """Add another one's spans."""
        for worker, engagements in other.spans.items():
            own = self.spans.setdefault(worker, {})
            for engagement, spans in engagements.items():
                own.setdefault(engagement, []).extend(spans)

    def ends(self) -> Iterator[tuple[Digest, bytes, int]]:
        """Tell for each worker and engagement when the latest span ends."""
        for worker, engagements in self.spans.items():
            for engagement, spans in engagements.items():
                yield worker, engagement, max(one.end_ms for one in spans)

    def ended_elsewhere(self, workers: frozenset[Digest], engagement: bytes) -> int:
        """Return when the latest span of the workers ends beside an engagement's; 0 for none."""
        latest = 0
        # Nearly always there is only the span's own engagement; asked for each submission.
        for worker in workers:
            for other, spans in self.spans.get(worker, _NONE).items():
                if other != engagement:
                    latest = max(latest, *[one.end_ms for one in spans])
        return latest

    def meets(self, workers: frozenset[Digest], span: Span) -> bool:
        """Tell whether one of the workers has a span elsewhere that shares time with this one."""
        # Nearly always there is only the span's own engagement, and nothing to compare with.
        for worker in workers:
            for engagement, spans in self.spans.get(worker, {}).items():
                if engagement != span.engagement and any(
                    one.begin_ms < span.end_ms and span.begin_ms < one.end_ms for one in spans
                ):
                    return True
        return False


class WorkBook:
    """The stored spans, with a bounded cache."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._last: OrderedDict[Digest, dict[bytes, int]] = OrderedDict()

    def forget(self) -> None:
        """Drop the cache."""
        self._last.clear()

    def meets(self, workers: frozenset[Digest], span: Span) -> bool:
        """Tell whether one of the workers has a stored span elsewhere that shares time."""
        if self.ended_elsewhere(workers, span.engagement) <= span.begin_ms:
            return False
        return bool(
            self._records.works_elsewhere(
                sorted(worker.raw for worker in workers),
                span.engagement,
                span.begin_ms,
                span.end_ms,
            )
        )

    def settle(self, spans: PendingWork) -> None:
        """Take over spans that are now stored."""
        for worker, engagement, end_ms in spans.ends():
            self.ended(worker, engagement, end_ms)

    def ended(self, worker: Digest, engagement: bytes, end_ms: int) -> None:
        """Take over when stored work ended."""
        last = self._last.get(worker)
        if last is not None:
            last[engagement] = max(last.get(engagement, 0), end_ms)

    def ended_elsewhere(self, workers: frozenset[Digest], engagement: bytes) -> int:
        """Return when the latest work of the workers ended beside an engagement's; 0 for none."""
        latest = 0
        for worker in workers:
            for other, end_ms in self._last_of(worker).items():
                if other != engagement and end_ms > latest:
                    latest = end_ms
        return latest

    def _last_of(self, worker: Digest) -> dict[bytes, int]:
        last = self._last.get(worker)
        if last is None:
            last = self._records.last_work([worker.raw])
            if len(self._last) >= _CACHED_WORKERS:
                self._last.popitem(last=False)
            self._last[worker] = last
        self._last.move_to_end(worker)
        return last
