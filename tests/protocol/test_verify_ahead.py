import dataclasses
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import pytest

from support.examined import story
from workseal_protocol.bundle import Contents
from workseal_protocol.keys import Algorithm, PublicKey, SeedSigner
from workseal_protocol.verify import PARTS, Foreseen, Report, ahead, examine_bundle
from workseal_protocol.verify.ahead import Ahead, name_of


@pytest.fixture(autouse=True)
def ask_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "FEW", 0)


class Elsewhere:
    """Check what was foreseen when it is asked for, or have lost it."""

    def __init__(self, contents: Contents, *, lost: bool = False) -> None:
        data = story().bundle(contents).encode()
        foreseen = Foreseen(data, story().policy)
        names = b"".join(foreseen.held(part) for part in range(0 if lost else PARTS))
        self.names = {names[at : at + 32] for at in range(0, len(names), 32)}
        self.asked = 0

    def held(self) -> AbstractSet[bytes]:
        self.asked += 1
        return self.names


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[PublicKey]:
    """Collect the keys of all checks."""
    made: list[PublicKey] = []
    real = PublicKey.verify

    def verify(self: PublicKey, signature: bytes, message: bytes) -> None:
        made.append(self)
        real(self, signature, message)

    monkeypatch.setattr(PublicKey, "verify", verify)
    return made


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
    checker = Elsewhere(story().contents)
    here, elsewhere = both(story().contents, checker)
    assert here.holds
    assert elsewhere == here
    assert checker.asked == 1


def test_only_what_nobody_foresaw_is_checked_here(checks: list[PublicKey]) -> None:
    checker = Elsewhere(story().contents)
    data = story().bundle(story().contents).encode()
    checks.clear()
    assert examine_bundle(data, story().policy, checker=checker).holds
    # A receipt of either subject, by the log.
    assert checks == [story().policy.tlog.logs[0].key] * 2


@pytest.mark.parametrize("spoil", [bad_statement, bad_line(0), bad_line(1), bad_receipt])
def test_a_signature_that_does_not_hold_elsewhere_is_told_as_here(
    spoil: Callable[[Contents], Contents],
) -> None:
    contents = spoil(story().contents)
    here, elsewhere = both(contents, Elsewhere(contents))
    assert not here.holds
    assert "does not" in str(here.first_problem) or "not a" in str(here.first_problem)
    assert elsewhere == here


@pytest.mark.parametrize("spoil", [bad_statement, bad_line(0), bad_line(1), bad_receipt])
def test_what_held_in_another_bundle_vouches_for_nothing_here(
    spoil: Callable[[Contents], Contents],
) -> None:
    here, elsewhere = both(spoil(story().contents), Elsewhere(story().contents))
    assert not here.holds
    assert elsewhere == here


def test_what_nobody_can_tell_is_checked_here() -> None:
    here, elsewhere = both(story().contents, Elsewhere(story().contents, lost=True))
    assert elsewhere == here
    assert elsewhere.holds


def test_what_is_no_bundle_is_told_as_here_and_waits_for_nobody() -> None:
    checker = Elsewhere(story().contents)
    here = examine_bundle(b"PK", story().policy)
    assert examine_bundle(b"PK", story().policy, checker=checker) == here
    assert checker.asked == 0


def test_few_are_checked_sooner_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "FEW", 2)
    checker = Elsewhere(story().contents)
    key, message = SeedSigner(bytes(32)), b"said"
    for asked in (0, 0, 1):
        put_off = Ahead(checker)
        for _ in range(2 + asked):
            put_off.check(key.public_key, key.sign(message), message)
        assert put_off.all_held()
        assert checker.asked == asked


def test_no_two_checks_have_one_name() -> None:
    one, other = SeedSigner(bytes(32)).public_key, SeedSigner(b"\x01" * 32).public_key
    third = SeedSigner(bytes(32), Algorithm.ML_DSA_44).public_key
    checks = [
        (one, b"ab", b"cd"),
        (one, b"abc", b"d"),
        (one, b"ab", b"ce"),
        (one, b"bb", b"cd"),
        (other, b"ab", b"cd"),
        (third, b"ab", b"cd"),
    ]
    assert len(set(map(name_of, checks))) == len(checks)
