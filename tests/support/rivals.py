"""Ask one witness from many threads or processes for as many forks of a log."""

import os
import signal
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from support.twofaced import Leaves, TwoFacedLog
from workseal_protocol.merkle import leaf_hash
from workseal_witness.home import Home, opened, witness_of
from workseal_witness.witness import Witness

NOW = 1_795_000_000


def forked(history: Leaves, seed: int) -> Leaves:
    """Give a history with one more leaf, which is this racer's own."""
    return (*history, leaf_hash(b"racer %d" % seed))


def race(witness: Witness, history: Leaves, seed: int) -> int:
    """Ask for the racer's own fork; return the status."""
    body = TwoFacedLog().request(len(history), forked(history, seed))
    return witness.add_checkpoint(body).status


def race_alone(folder: Path, history: Leaves, seed: int) -> int:
    """Race in a process of one's own."""
    return race(_witness(folder), history, seed)


@cache
def _witness(folder: Path) -> Witness:
    # Open until the process ends: a pool's processes have no other end.
    context = opened(Home(folder))
    state = context.__enter__()
    _open.append(context)
    return witness_of(Home(folder), state, lambda: NOW)


_open: list[object] = []


def die_at(step: str, folder: Path, body: bytes) -> None:
    """Ask, in a process that is killed on the way: before the commit, or before it signs."""
    target = {"commit": "store.Transaction.put_seen", "signature": "witness.cosign"}[step]
    with patch(f"workseal_witness.{target}", lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
        _witness(folder).add_checkpoint(body)


def require_one_history(cosigned: Iterable[Leaves]) -> None:
    """Require that of everything cosigned each is a prefix of the next."""
    for before, after in pairwise(sorted(set(cosigned), key=len)):
        assert after[: len(before)] == before
