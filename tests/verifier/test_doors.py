"""Large bodies on their way: nobody is sent away for one that is slow, and the slow give way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from workseal_verifier.api.arrivals import Arrival
from workseal_verifier.api.doors import FIRST_SECONDS, ORDINARY_RATE, Doors
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.errors import Reason, RefusedError

MIB = 1 << 20


class Hall:
    """Doors, by a clock that the test sets, and bodies by name."""

    def __init__(self, most: int = 3, most_bytes: int = 100 * MIB) -> None:
        self.now = 0.0
        self.doors = Doors(most=most, most_bytes=most_bytes, now=lambda: self.now)
        self.bodies: dict[str, Arrival] = {}

    def come(self, name: str, most: int = MIB, *, in_case: bool = True) -> None:
        body = Arrival(NotWaited(), self.now, most)
        self.bodies[name] = body
        self.doors.enter(body, name.encode(), in_case=in_case)

    def is_busy(self, call: Callable[[], None]) -> bool:
        try:
            call()
        except RefusedError as refused:
            return refused.reason is Reason.BUSY
        return False

    def send(self, name: str, size: int) -> None:
        self.doors.grow(self.bodies[name], size)

    def given_way(self) -> list[str]:
        return [name for name, one in self.bodies.items() if one.gave_way]


class NotWaited:
    """A deadline that nobody waits for."""

    def __init__(self) -> None:
        self.moved = False

    def expired(self) -> bool:
        return False

    def reschedule(self, when: float | None) -> None:
        self.moved = when is not None


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_loop
async def test_three_slow_bodies_hold_no_door() -> None:
    """As sent with one byte each minute: whoever comes has a place, and the latest is sent away."""
    hall = Hall()
    for name in "abc":
        hall.come(name, 64 * MIB)
        hall.now += 1
    hall.now += FIRST_SECONDS
    hall.send("a", 5 * ORDINARY_RATE)
    hall.come("honest")
    assert hall.given_way() == ["b"]
    deadline = hall.bodies["b"].deadline
    assert isinstance(deadline, NotWaited)
    assert deadline.moved
    hall.come("another")
    assert hall.given_way() == ["b", "c"]


@in_loop
async def test_slow_bodies_have_all_their_time_while_there_is_room() -> None:
    hall = Hall()
    hall.come("slow", 64 * MIB)
    hall.now += 1_000
    hall.come("a")
    hall.come("b")
    assert hall.given_way() == []
    assert hall.doors.count == 3


@in_loop
async def test_an_ordinary_line_keeps_its_door() -> None:
    hall = Hall()
    for name in "abc":
        hall.come(name, 64 * MIB)
    for _ in range(60):
        hall.now += 1
        for name in "abc":
            hall.send(name, ORDINARY_RATE)
        assert hall.is_busy(lambda: hall.come("one more"))
    assert hall.given_way() == []
    # Who came and found no door has none.
    hall.doors.leave(hall.bodies["a"])
    hall.come("one more")
    assert hall.doors.count == 3


@in_loop
async def test_what_is_of_no_running_case_gives_way_to_what_is_and_never_pushes_it_out() -> None:
    hall = Hall()
    hall.come("slow, in a case")
    for name in "ab":
        hall.come(name, in_case=False)
    hall.now = 1_000
    assert not hall.is_busy(lambda: hall.come("honest"))
    assert hall.given_way() == ["a"]
    hall.come("second")
    assert hall.given_way() == ["a", "b"]
    assert hall.is_busy(lambda: hall.come("beside", in_case=False))
    assert not hall.bodies["slow, in a case"].gave_way


@in_loop
async def test_much_larger_bodies_give_way_to_smaller_ones_when_there_is_no_room() -> None:
    hall = Hall(most=9)
    hall.come("large", 64 * MIB)
    hall.send("large", 60 * MIB)
    hall.come("other", 16 * MIB + 1)
    hall.send("other", 16 * MIB)
    hall.come("honest", 16 * MIB)
    hall.send("honest", 16 * MIB)
    assert hall.given_way() == []
    hall.come("small", 16 * MIB)
    hall.send("small", 16 * MIB)
    assert hall.given_way() == ["large"]


@in_loop
async def test_large_bodies_that_come_together_do_not_push_each_other_out() -> None:
    hall = Hall(most=9)
    for name in "ab":
        hall.come(name, 64 * MIB)
        hall.send(name, 40 * MIB)
    hall.come("c", 64 * MIB)
    assert hall.is_busy(lambda: hall.send("c", 40 * MIB))
    assert hall.given_way() == []
    assert hall.doors.count == 2


@in_loop
async def test_of_two_slow_ones_the_later_gives_way_also_where_it_is_the_one_that_grows() -> None:
    hall = Hall(most=9, most_bytes=10 * MIB)
    hall.come("later", 64 * MIB)
    hall.now += 30
    hall.come("less late", 64 * MIB)
    hall.now += 60
    hall.send("less late", 6 * MIB)
    assert hall.is_busy(lambda: hall.send("later", 4 * MIB + 1))
    assert hall.given_way() == []
    hall.come("not late", 64 * MIB)
    hall.send("not late", 4 * MIB + 1)
    assert hall.given_way() == ["less late"]


@in_loop
async def test_a_whole_body_is_pushed_out_by_nobody() -> None:
    hall = Hall(most=1)
    hall.come("whole", in_case=False)
    hall.bodies["whole"].whole = True
    hall.now += 1_000
    assert hall.is_busy(lambda: hall.come("honest"))
    assert hall.given_way() == []


@in_loop
async def test_one_body_of_a_name_at_once() -> None:
    hall = Hall()
    with hall.doors.visit() as visit:
        visit.enter(Arrival(NotWaited()), b"name", in_case=True)
        assert hall.is_busy(lambda: hall.come("name"))
    assert hall.doors.count == 0
    hall.come("name")


@in_loop
async def test_checks_are_made_in_the_order_in_which_they_were_asked_for() -> None:
    lanes, done = Lanes(), list[int]()
    await asyncio.gather(*(run_in(lanes.checking, done.append, number) for number in range(9)))
    assert done == list(range(9))
    assert lanes.checking.total_tokens == 1


def test_who_is_to_give_way_as_their_time_is_over_is_told_that() -> None:
    """Their deadline has passed already, and cannot be moved any more."""
    wrong: list[dict[str, Any]] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: wrong.append(context))
        async with asyncio.timeout(None) as deadline:
            arrival = Arrival(deadline)
            deadline.reschedule(0)
            # Between the end of the time and the turn of whoever is told of it.
            loop.call_soon(arrival.give_way)
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        asyncio.run(work())
    assert wrong == []
