"""Packages on their way: their time, their room, and who makes way for whom."""

from dataclasses import fields
from typing import Any

import pytest

from support.office import FakeClock
from workseal_protocol.digest import Digest
from workseal_verifier.config import Settings
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import mailbox as module
from workseal_verifier.services.mailbox import Mailbox

TTL = 60_000
MINUTE = TTL // 60
# So that hundreds of packages are made in no time: all bounds are in parts of the whole.
UNIT = 1 << 10


def name(word: str) -> Digest:
    return Digest.of(word.encode())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def mailbox(clock: FakeClock) -> Mailbox:
    return Mailbox(clock, count=4, total=1_000, ttl_ms=TTL)


def put(mailbox: Mailbox, word: str, data: bytes = b"x", *, beside: bool = False) -> None:
    """Put a package of a case of its own, or of a request beside any."""
    mailbox.put(name(word), f"engagement of {word}".encode(), data, in_case=not beside)


def taken(mailbox: Mailbox, word: str, data: bytes = b"x", *, beside: bool = False) -> bool:
    try:
        put(mailbox, word, data, beside=beside)
    except RefusedError as refused:
        return (refused.reason, refused.retry_after) != (Reason.BUSY, 60)
    return True


def holds(mailbox: Mailbox, word: str) -> bool:
    try:
        mailbox.get(name(word))
    except RefusedError as gone:
        return gone.reason is not Reason.NOT_FOUND
    return True


def installed(clock: FakeClock) -> Mailbox:
    """Make a mailbox with the bounds of an installation, of a thousandth of its bytes."""
    at: dict[str, Any] = {one.name: one.default for one in fields(Settings)}
    return Mailbox(
        clock,
        count=at["mailbox_count"],
        total=at["mailbox_mib"] * UNIT,
        ttl_ms=at["mailbox_ttl_s"] * 1_000,
    )


def test_gives_back_what_was_put(mailbox: Mailbox) -> None:
    put(mailbox, "a", b"first")
    put(mailbox, "a", b"second")
    assert mailbox.get(name("a")) == b"second"


def test_forgets_after_its_time(mailbox: Mailbox, clock: FakeClock) -> None:
    put(mailbox, "a")
    clock.ms += TTL - 1
    assert mailbox.get(name("a")) == b"x"
    clock.ms += 1
    assert not holds(mailbox, "a")


def test_a_package_that_comes_again_has_its_time_anew(mailbox: Mailbox, clock: FakeClock) -> None:
    put(mailbox, "a")
    clock.ms += TTL - 1
    put(mailbox, "a")
    clock.ms += TTL - 1
    assert holds(mailbox, "a")


def test_lets_go_of_what_is_dropped_and_of_nothing_else(mailbox: Mailbox) -> None:
    for word in ("a", "b"):
        put(mailbox, word)
    mailbox.drop(name("a"))
    mailbox.drop(name("a"))
    assert not holds(mailbox, "a")
    assert holds(mailbox, "b")


def test_holds_only_so_many_and_pushes_out_nobody_in_their_first_hour(
    mailbox: Mailbox, clock: FakeClock
) -> None:
    for word in "abcd":
        put(mailbox, word)
    clock.ms += TTL - 1
    assert not taken(mailbox, "e")
    assert all(holds(mailbox, word) for word in "abcd")
    clock.ms += 1
    put(mailbox, "e")


def test_holds_only_so_much(mailbox: Mailbox) -> None:
    for word in "abc":
        put(mailbox, word, bytes(7))
    assert not taken(mailbox, "d", bytes(980))
    assert not taken(mailbox, "d", bytes(1_001))
    # What is put again counts once, and where it has no room the one before stays.
    put(mailbox, "d", b"one")
    assert not taken(mailbox, "d", bytes(980))
    assert mailbox.get(name("d")) == b"one"


# --- who makes way ---


def test_who_sends_again_and_again_makes_way_for_who_comes(
    mailbox: Mailbox, clock: FakeClock
) -> None:
    for word in "abcd":
        put(mailbox, word)
    clock.ms += TTL - 1
    for word in "abcd":
        put(mailbox, word)
    assert not taken(mailbox, "e")
    clock.ms += 1
    # Nobody needs the room: it lies on.
    assert all(holds(mailbox, word) for word in "abcd")
    put(mailbox, "e")
    assert [holds(mailbox, word) for word in "abcd"].count(False) == 1
    # And whoever made way pushes out nobody who has lain for less.
    lost = next(word for word in "abcd" if not holds(mailbox, word))
    assert not taken(mailbox, lost)
    assert holds(mailbox, "e")


def test_an_hour_is_one_whether_it_was_lain_at_once_or_not(
    mailbox: Mailbox, clock: FakeClock
) -> None:
    put(mailbox, "again")
    clock.ms += TTL
    assert not holds(mailbox, "again")
    for word in ("again", "b", "c", "d"):
        put(mailbox, word)
    put(mailbox, "e")
    assert not holds(mailbox, "again")
    assert holds(mailbox, "b")


def test_who_lay_longest_makes_way_first(mailbox: Mailbox, clock: FakeClock) -> None:
    for _ in range(2):
        put(mailbox, "twice")
        clock.ms += TTL
    put(mailbox, "once")
    clock.ms += TTL
    for word in ("once", "twice", "c", "d"):
        put(mailbox, word)
    put(mailbox, "e")
    assert [holds(mailbox, one) for one in ("once", "twice")] == [True, False]
    put(mailbox, "f")
    assert not holds(mailbox, "once")


def test_nothing_is_lost_for_what_finds_no_room_all_the_same(
    mailbox: Mailbox, clock: FakeClock
) -> None:
    put(mailbox, "old", bytes(100))
    clock.ms += TTL - 1
    put(mailbox, "old", bytes(100))
    clock.ms += 1
    put(mailbox, "new", bytes(400))
    # With the old one gone there are still 100 too many.
    assert not taken(mailbox, "large", bytes(700))
    assert holds(mailbox, "old")


def test_sixteen_agreements_of_a_strangers_keep_nobody_out(clock: FakeClock) -> None:
    """As somebody who renews a package in each before its hour ends, for five days."""
    mailbox = installed(clock)
    large = [(f"own {number}", 8 * UNIT - 1) for number in range(16)]
    for minute in range(5 * 24 * 60):
        clock.ms = minute * 60_000
        if minute % 50 == 0:
            for word, size in large:
                taken(mailbox, word, bytes(size), beside=minute % 100 == 0)
        if minute % 60 == 7 and minute > 60:
            honest = f"honest {minute}"
            assert taken(mailbox, honest, bytes(4 * UNIT)), minute
            assert holds(mailbox, honest)


def test_who_was_put_once_lies_its_hour_whatever_comes(clock: FakeClock) -> None:
    """Seven hundred fresh requests, in cases and beside them, of any size, for an hour."""
    mailbox = installed(clock)
    put(mailbox, "honest", bytes(9 * UNIT))
    sizes = (1, 16, UNIT, 8 * UNIT, 40 * UNIT)
    for number in range(700):
        clock.ms += 3_600_000 // 701
        size = sizes[number % 7 % 5]
        taken(mailbox, f"{number}", bytes(size), beside=number % 2 == 0)
        assert holds(mailbox, "honest")


# --- shares ---


def test_requests_beside_a_case_leave_half_to_those_of_cases(mailbox: Mailbox) -> None:
    put(mailbox, "a", beside=True)
    put(mailbox, "b", beside=True)
    assert not taken(mailbox, "c", beside=True)
    put(mailbox, "c")
    put(mailbox, "d")
    assert not taken(mailbox, "e")
    wide = Mailbox(FakeClock(), count=100, total=1_000, ttl_ms=TTL)
    for word in "abcdefgh":
        put(wide, word, bytes(62), beside=True)
    assert not taken(wide, "i", bytes(5), beside=True)
    put(wide, "i", bytes(4), beside=True)
    put(wide, "j", bytes(5))


def test_an_engagement_has_one_hour_for_all_its_requests_beside_a_case(clock: FakeClock) -> None:
    """Its arbitrator can log any number of them: each would bring an hour of its own."""
    mailbox = Mailbox(clock, count=16, total=1_000, ttl_ms=TTL)
    for number in range(4):
        mailbox.put(name(f"{number}"), b"one", b"x")
    for word in "abcd":
        put(mailbox, word, beside=True)
    clock.ms += TTL // 4 - 1
    assert not taken(mailbox, "e", beside=True)
    clock.ms += 1
    put(mailbox, "e", beside=True)
    assert [holds(mailbox, f"{number}") for number in range(4)].count(False) == 1
    assert all(holds(mailbox, word) for word in "abcde")


def test_large_packages_leave_room_for_smaller_ones(clock: FakeClock) -> None:
    mailbox = installed(clock)
    put(mailbox, "longest", bytes(64 * UNIT + 1))
    assert not taken(mailbox, "large", bytes(8 * UNIT + 1))
    for number in range(3):
        put(mailbox, f"middle {number}", bytes(8 * UNIT))
    assert not taken(mailbox, "middle", bytes(8 * UNIT))
    for number in range(39):
        put(mailbox, f"small {number}", bytes(UNIT))
    assert not taken(mailbox, "small", bytes(UNIT))
    put(mailbox, "smallest", bytes(UNIT - 1))


def test_one_engagement_has_a_share_of_the_mailbox(clock: FakeClock) -> None:
    mailbox = Mailbox(clock, count=8, total=4_000, ttl_ms=TTL)

    def own(word: str, size: int) -> bool:
        try:
            mailbox.put(name(word), b"one", bytes(size), in_case=True)
        except RefusedError:
            return False
        return True

    assert own("a", 1)
    assert own("b", 1)
    assert not own("c", 1)
    assert own("a", 5)
    put(mailbox, "c", bytes(1_000))
    clock.ms += TTL
    assert own("a", 1_500)
    assert not own("b", 501)
    assert own("b", 500)


def test_it_knows_of_so_many_and_nothing_of_a_case_that_is_over(
    mailbox: Mailbox, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KNOWN", 2)
    for word in ("a", "b", "c"):
        put(mailbox, word)
        clock.ms += TTL
        assert not holds(mailbox, word)
    assert set(mailbox._lain) == {name("b").raw, name("c").raw}
    mailbox.drop(name("b"))
    assert set(mailbox._lain) == {name("c").raw}
