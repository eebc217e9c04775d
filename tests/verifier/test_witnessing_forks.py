"""A log that forks, and witnesses of whom some are in league with it: what a client accepts."""

import random
from collections.abc import Callable, Iterator
from itertools import combinations

import pytest

from support.office import FakeClock
from support.twofaced import Leaves, TwoFacedLog
from support.witnessed import Stand, stands
from workseal_protocol.checkpoint import SignedCheckpoint, cosign
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.merkle import consistency_path, inclusion_path, leaf_hash
from workseal_protocol.policy import Group, TlogPolicy
from workseal_protocol.receipt import Receipt, verify_receipt
from workseal_protocol.witness import AddCheckpoint
from workseal_verifier.services.health import Health
from workseal_verifier.services.witnessing import Witnessing

RUNS = 1_000
NAMES = ["client", "freelancer", "arbitrator"]
CLOCK = FakeClock(1_795_000_000_000)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stand]]:
    folder = tmp_path_factory.mktemp("people")
    with stands(folder, NAMES, TwoFacedLog().key, lambda: CLOCK.ms // 1000) as made:
        yield made


class Operator:
    """Run one log of its own with two histories; witnesses in league cosign whatever they get."""

    def __init__(self, name: str, people: list[Stand], in_league: set[str], k: int) -> None:
        self.log = TwoFacedLog(f"run-{name}.example/log")
        keys = {one.name: one.keys[0] for one in people}
        group = Group("people", k, tuple(keys))
        self.policy = TlogPolicy((self.log.key,), keys, (group,), "people")
        for one in people:
            one.witness.trust([self.log.key])
            one.instead = obliging(one) if one.name in in_league else None
        self.people = people

    def show(self, leaves: Leaves) -> SignedCheckpoint:
        """Get every cosignature for a history that can be had, forgetting what was asked before."""
        witnessing = Witnessing(
            self.log.key,
            [one.outside for one in self.people],
            policies=lambda: [self.policy],
            size=lambda: len(leaves),
            clock=CLOCK,
            health=Health(),
            timeout_s=20,
        )
        shown = witnessing.refresh(
            self.log.signed(leaves), lambda old: consistency_path(leaves, old)
        )
        witnessing.close()
        return shown

    def has_receipt(self, entry: bytes, leaves: Leaves, signed: SignedCheckpoint) -> bool:
        """Tell whether a client accepts that the log's last entry is this one."""
        receipt = Receipt(len(leaves) - 1, inclusion_path(leaves, len(leaves) - 1), signed)
        try:
            verify_receipt(receipt, Digest(entry), self.policy)
        except VerificationError:
            return False
        return True


def obliging(stand: Stand) -> Callable[[str, bytes | None], tuple[int, bytes]]:
    (signer,) = stand.witness._signers

    def answer(_path: str, body: bytes | None) -> tuple[int, bytes]:
        checkpoint = AddCheckpoint.parse(body or b"").signed.checkpoint
        return 200, cosign(checkpoint, stand.keys[0].name, signer, CLOCK.ms // 1000).encode()

    return answer


def accepted(operator: Operator, leaves: Leaves, word: bytes) -> bool:
    """Show a history with one more entry, and see whether a client believes the receipt."""
    entry = Digest.of(word).raw
    grown = (*leaves, leaf_hash(entry))
    return operator.has_receipt(entry, grown, operator.show(grown))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("size", range(1, 33))
def test_a_fork_at_any_size_gets_no_second_receipt(people: list[Stand], size: int, k: int) -> None:
    """One of the three is in league with the operator; any two quorums share an honest one."""
    for liar in NAMES:
        operator = Operator(f"{size}-{k}-{liar}", people, {liar}, k)
        true = operator.log.history(size)
        assert accepted(operator, true, b"true")
        for other in (
            true,
            operator.log.history(size, size - 1),
            operator.log.history(size + 5, 0),
        ):
            assert not accepted(operator, other, b"false")


def test_in_a_thousand_runs_of_a_malicious_log_no_fork_has_a_receipt(people: list[Stand]) -> None:
    chance = random.Random("malicious log")
    both = first = 0
    for run in range(RUNS):
        size = chance.randrange(1, 50)
        operator = Operator(f"random-{run}", people, {chance.choice(NAMES)}, 2)
        histories = [
            (operator.log.history(size), b"true"),
            (operator.log.history(size + chance.randrange(4), chance.randrange(size)), b"false"),
        ]
        chance.shuffle(histories)
        found = [accepted(operator, leaves, word) for leaves, word in histories]
        first += found[0]
        both += all(found)
    assert (first, both) == (RUNS, 0)


def test_with_a_quorum_of_liars_the_simulator_does_find_forks(people: list[Stand]) -> None:
    """Else the tests above would show nothing."""
    for league in combinations(NAMES, 2):
        operator = Operator("-".join(league), people, set(league), 2)
        assert accepted(operator, operator.log.history(7), b"true")
        assert accepted(operator, operator.log.history(7, 3), b"false")
