"""Threads for the work of requests, in lanes: what is heavy never stands before what is light.

Light reads keep the framework's own threads. Verifying submissions and making proofs have few of
their own, so that any number of them leaves the others alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

P = ParamSpec("P")
T = TypeVar("T")


def _few() -> CapacityLimiter:
    return CapacityLimiter(4)


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of one application."""

    # Two: one reads while the signatures of the other's are checked elsewhere. More would only
    # take the interpreter from whoever sequences.
    submitting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    disclosing: CapacityLimiter = field(default_factory=_few)
    # One: a check holds all the tiles. Whoever waits is let in by turns.
    checking: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    proving: CapacityLimiter = field(default_factory=_few)
    # One at a time, and whoever waits for it holds no thread: a long chain takes long to read.
    preparing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))


async def run_in(
    lane: CapacityLimiter, work: Callable[P, T], *args: P.args, **options: P.kwargs
) -> T:
    """Do some work in a thread of a lane."""
    return await anyio.to_thread.run_sync(lambda: work(*args, **options), limiter=lane)
