"""The cache over stored spans: a wrong answer here would let one person work twice at a time."""

from typing import TYPE_CHECKING, cast

from workseal_protocol.digest import Digest
from workseal_verifier.services.work import PendingWork, Span, WorkBook

if TYPE_CHECKING:
    from workseal_verifier.store.records import RecordStore

WORKER = Digest(bytes(32))
ONE, OTHER = bytes(16), b"another engagemt"


def span(begin_ms: int, end_ms: int, engagement: bytes = ONE) -> Span:
    return Span(WORKER, engagement, begin_ms, end_ms)


def pending(*spans: Span) -> PendingWork:
    found = PendingWork()
    for one in spans:
        found.add(one)
    return found


def test_the_latest_end_stays_when_earlier_work_is_told_later() -> None:
    """Late declarations tell of earlier time: the cache must not forget the later work for them."""
    seen: list[object] = []
    book = WorkBook(cast("RecordStore", Asked(seen)))
    assert not book.meets(frozenset({WORKER}), span(0, 1, OTHER))
    book.settle(pending(span(500, 900)))
    book.settle(pending(span(100, 200)))
    assert seen == []
    assert book.meets(frozenset({WORKER}), span(850, 950, OTHER))
    assert len(seen) == 1
    assert not book.meets(frozenset({WORKER}), span(900, 950, OTHER))
    assert len(seen) == 1


class Asked:
    """A store in which every span meets, that notes when it is asked."""

    def __init__(self, seen: list[object]) -> None:
        self._seen = seen

    def last_work(self, _workers: list[bytes]) -> dict[bytes, int]:
        return {}

    def works_elsewhere(self, *question: object) -> bool:
        self._seen.append(question)
        return True
