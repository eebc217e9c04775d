import dataclasses
from collections.abc import Callable, Sequence

import pytest

from support.examined import story
from workseal_protocol.bundle import Contents
from workseal_protocol.errors import VerificationError
from workseal_protocol.verify import PutOff, Report, examine_bundle
from workseal_protocol.verify.ahead import BATCH, Ahead


class Elsewhere:
    """Check when it is asked whether all held, or say no without a look."""

    def __init__(self, *, lost: bool = False) -> None:
        self.lost = lost
        self.batches: list[Sequence[PutOff]] = []

    def begin(self, batch: Sequence[PutOff]) -> None:
        self.batches.append(batch)

    def all_held(self) -> bool:
        try:
            for key, signature, message in self.asked:
                key.verify(signature, message)
        except VerificationError:
            return False
        return not self.lost

    @property
    def asked(self) -> list[PutOff]:
        return [one for batch in self.batches for one in batch]


def both(contents: Contents, checker: Elsewhere) -> tuple[Report, Report]:
    data = story().bundle(contents).encode()
    return (
        examine_bundle(data, story().policy),
        examine_bundle(data, story().policy, checker=checker),
    )


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def bad_statement(contents: Contents) -> Contents:
    place = len(contents.statements) // 2
    one = contents.statements[place]
    spoiled = dataclasses.replace(one, signature=flipped(one.signature))
    statements = (*contents.statements[:place], spoiled, *contents.statements[place + 1 :])
    return dataclasses.replace(contents, statements=statements, receipts=())


def bad_line(number: int) -> Callable[[Contents], Contents]:
    def change(contents: Contents) -> Contents:
        first, *others = contents.checkpoints
        lines = list(first.lines)
        lines[number] = dataclasses.replace(
            lines[number], signature=flipped(lines[number].signature)
        )
        spoiled = dataclasses.replace(first, lines=tuple(lines))
        return dataclasses.replace(contents, checkpoints=(spoiled, *others))

    return change


def bad_receipt(contents: Contents) -> Contents:
    return dataclasses.replace(
        contents, receipts=(flipped(contents.receipts[0]), *contents.receipts[1:])
    )


def test_signatures_that_are_checked_elsewhere_give_the_same_report() -> None:
    checker = Elsewhere()
    here, elsewhere = both(story().contents, checker)
    assert here.holds
    assert elsewhere == here
    contents = story().contents
    # Manifest and statements, two lines under each checkpoint, a receipt of either subject.
    least = 1 + len(contents.statements) + 2 * (1 + len(contents.checkpoints)) + 2
    assert len(checker.asked) == least
    assert all(len(batch) <= BATCH for batch in checker.batches)


def test_signatures_are_handed_over_while_the_examination_goes_on() -> None:
    checker = Elsewhere()
    ahead = Ahead(checker)
    key = story().verifier.people.client.public_key
    for number in range(2 * BATCH + 1):
        ahead.check(key, b"", str(number).encode())
    assert [len(batch) for batch in checker.batches] == [BATCH, BATCH]
    assert not ahead.all_held()
    assert [message for _, _, message in checker.asked] == [
        str(number).encode() for number in range(2 * BATCH + 1)
    ]


@pytest.mark.parametrize("spoil", [bad_statement, bad_line(0), bad_line(1), bad_receipt])
def test_a_signature_that_does_not_hold_elsewhere_is_told_as_here(
    spoil: Callable[[Contents], Contents],
) -> None:
    here, elsewhere = both(spoil(story().contents), Elsewhere())
    assert not here.holds
    assert "does not" in str(here.first_problem) or "not a" in str(here.first_problem)
    assert elsewhere == here


def test_what_nobody_can_tell_is_checked_here() -> None:
    here, elsewhere = both(story().contents, Elsewhere(lost=True))
    assert elsewhere == here
    assert elsewhere.holds


def test_what_is_no_bundle_is_told_as_here() -> None:
    here = examine_bundle(b"PK", story().policy)
    assert examine_bundle(b"PK", story().policy, checker=Elsewhere()) == here
