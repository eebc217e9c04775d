from dataclasses import replace

import pytest

from support.office import Office
from workseal_protocol.keys import SeedSigner
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.records import LogPolicy
from workseal_verifier.errors import ConfigError
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.policies import (
    logged_policies,
    policies_in_force,
    require_continued,
)

KEYS = {
    name: VerifierKey(
        f"{name}.example/w", SeedSigner(bytes([number]) * 32).public_key, NoteType.COSIGNATURE
    )
    for number, name in enumerate(("a", "b", "c"), 1)
}


def identity(*names: str, quorum: tuple[str, ...] = ("quorum clock",), seed: int = 9) -> Identity:
    log, operator, clock = (SeedSigner(bytes([n]) * 32) for n in (7, 8, seed))
    witnesses = {name: KEYS[name] for name in names}
    return Identity("log.example", log, operator, clock, None, witnesses, quorum)


def record(of: Identity) -> LogPolicy:
    return LogPolicy(claimed_at=1, origin=of.origin, policy=of.policy.encode(), rules="rules")


TWO_OF_TWO = identity("a", "b", quorum=("group g 2 a b", "quorum g"))
ONE_OF_TWO = identity("a", "b", quorum=("group g 1 a b", "quorum g"))


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        (identity(), identity("a", "b")),
        (identity("a"), identity()),
        (TWO_OF_TWO, identity("a", "b", "c")),
        (ONE_OF_TWO, identity("b", "c")),
        (TWO_OF_TWO, TWO_OF_TWO),
    ],
)
def test_goes_on_where_earlier_policies_can_be_satisfied(earlier: Identity, now: Identity) -> None:
    require_continued([record(earlier), record(now)], now)


@pytest.mark.parametrize(
    ("earlier", "now", "told"),
    [
        (TWO_OF_TWO, identity("a", "c"), r"any more \(b\)"),
        (ONE_OF_TWO, identity("c"), r"any more \(a, b\)"),
        (identity(seed=5), identity(), "other keys"),
        (replace(identity(), log=SeedSigner(b"x" * 32)), identity(), "other keys"),
        (replace(identity(), origin="another.example"), identity(), "another origin"),
    ],
)
def test_refuses_what_would_leave_engagements_without_receipts(
    earlier: Identity, now: Identity, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        require_continued([record(identity()), record(earlier)], now)


def test_every_policy_is_in_force_once() -> None:
    logged = [record(one) for one in (identity(), TWO_OF_TWO, identity())]
    found = policies_in_force(logged, ONE_OF_TWO)
    assert found == [identity().policy, TWO_OF_TWO.policy, ONE_OF_TWO.policy]
    assert policies_in_force([], identity()) == [identity().policy]


def test_reads_the_policies_that_are_logged(office: Office) -> None:
    records = office.verifier.records
    (first,) = logged_policies(records, 99)
    assert first.policy == office.policy.encode()
    assert logged_policies(records, 0) == []
