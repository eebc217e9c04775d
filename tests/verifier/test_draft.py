"""A submission claims time by a short cut; what it lets in is what a look at everything would."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, cast

from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import KeyRotate, sign
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.draft import Draft
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.services.work import PendingWork, Span, WorkBook

SIGNERS = [SeedSigner(bytes([number + 1]) * 32) for number in range(3)]
WORKERS = [one.public_key.thumbprint for one in SIGNERS]
ENGAGEMENTS = [bytes([number]) * 16 for number in range(3)]


@dataclass
class Stored:
    """A store of spans, of the two questions that are asked of it."""

    spans: list[Span] = field(default_factory=list)

    def last_work(self, workers: list[bytes]) -> dict[bytes, int]:
        own = [one for one in self.spans if one.worker.raw in workers]
        return {
            name: max(one.end_ms for one in own if one.engagement == name)
            for name in {one.engagement for one in own}
        }

    def works_elsewhere(self, workers: list[bytes], own: bytes, begin: int, end: int) -> bool:
        return any(
            one.worker.raw in workers and one.engagement != own and meets(one, begin, end)
            for one in self.spans
        )


@dataclass(frozen=True)
class Persons:
    """Which keys are one person's."""

    of: Mapping[Digest, frozenset[Digest]]

    def lineage(self, key: Digest) -> frozenset[Digest]:
        return self.of[key]

    def with_event(self, event: KeyEvent) -> "Persons":
        record = cast("KeyRotate", event.record)
        one = self.of[record.old] | self.of[record.public_key.thumbprint]
        return Persons(dict(self.of) | dict.fromkeys(one, one))


@dataclass
class House:
    """All that a claim asks the house for."""

    work: WorkBook


def meets(one: Span, begin: int, end: int) -> bool:
    return one.begin_ms < end and begin < one.end_ms


def joining(old: SeedSigner, new: SeedSigner) -> KeyEvent:
    record = KeyRotate.make(claimed_at=1, old=old.public_key, new=new)
    return KeyEvent(0, sign(record, old), record)


def drafted(book: WorkBook, waiting: PendingWork, persons: Persons) -> Draft:
    nothing: Any = None
    return Draft(
        house=cast("Any", House(book)),
        lookup=nothing,
        known=nothing,
        waiting_entry=nothing,
        waiting_entries=(),
        lookup_case=nothing,
        waiting_cases=nothing,
        waiting=waiting,
        waiting_parties=(),
        waiting_beacons=(),
        events=cast("Any", persons),
    )


def test_the_short_cut_lets_in_what_a_look_at_every_span_would() -> None:
    drawn = random.Random(1_970)
    events = [joining(*pair) for pair in permutations(SIGNERS, 2)]
    answers: list[bool] = []
    for _ in range(150):
        stored = Stored()
        book, persons = WorkBook(cast("Any", stored)), Persons({w: frozenset({w}) for w in WORKERS})
        for _tick in range(3):
            waiting, told = PendingWork(), list[Span]()
            for _submission in range(2):
                draft = drafted(book, waiting, persons)
                own: list[Span] = []
                for _claim in range(6):
                    if drawn.random() < 0.1:
                        draft.add_event(drawn.choice(events))
                    begin = drawn.randrange(30)
                    # An engagement has one freelancer; one may be claimed for another key in vain.
                    number = drawn.choice((0, 0, 0, 1, 2))
                    worker = WORKERS[number if drawn.random() < 0.8 else drawn.randrange(3)]
                    span = Span(worker, ENGAGEMENTS[number], begin, begin + drawn.randint(1, 5))
                    is_met = any(
                        one.worker in draft.events.lineage(worker)
                        and one.engagement != span.engagement
                        and meets(one, span.begin_ms, span.end_ms)
                        for one in [*stored.spans, *told, *own]
                    )
                    answers.append(is_met)
                    try:
                        draft.claim(span)
                    except RefusedError:
                        assert is_met
                    else:
                        assert not is_met
                        own.append(span)
                waiting.add_all(draft.spans)
                told += own
                persons = cast("Any", draft.events)
            book.settle(waiting)
            stored.spans += told
    assert 0.1 < sum(answers) / len(answers) < 0.9
