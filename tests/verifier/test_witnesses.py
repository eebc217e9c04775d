"""A whole server whose log is cosigned by witnesses of others, over HTTP."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from support.office import (
    ORIGIN,
    FakeClock,
    LiveServer,
    Office,
    cbor_map,
    check_home,
    new_home,
    stranger_offer,
)
from support.simulator import START
from support.twofaced import TwoFacedLog
from support.witnessed import Stand, serving, stands
from workseal_protocol.checkpoint import SignedCheckpoint, verified_cosignatures
from workseal_protocol.merkle import leaf_hash
from workseal_protocol.policy import TlogPolicy, verify_checkpoint
from workseal_verifier.config import Settings, WitnessSettings
from workseal_verifier.errors import (
    ConfigError,
    Reason,
    RefusedError,
    SettingsError,
    StoreCorruptError,
)
from workseal_verifier.homekeys import load_identity
from workseal_verifier.services.health import WITNESSING
from workseal_verifier.services.policies import logged_policies

NAMES = ["client", "freelancer", "arbitrator"]
BOTH = ("group outside 2 client freelancer", "group all 2 clock outside", "quorum all")


class Town:
    """A verifier's home, and three witnesses that can be reached."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.clock = FakeClock(START - 3_600_000)
        self.folder = folder
        plain = new_home(folder)
        key = load_identity(plain).log_key
        found = stands(folder, NAMES, key, lambda: self.clock.ms // 1000)
        self.stands: dict[str, Stand] = {one.name: one for one in closing.enter_context(found)}
        self.urls = {
            name: closing.enter_context(serving(one.witness)) for name, one in self.stands.items()
        }
        self.settings = plain
        self._closing = closing

    def with_(self, *names: str, quorum: tuple[str, ...]) -> Settings:
        tables = tuple(
            WitnessSettings(name, self.stands[name].keys[0], self.urls[name]) for name in names
        )
        return replace(self.settings, witness=tables, quorum=quorum)

    def office(self, settings: Settings) -> Office:
        office = Office(settings, clock=self.clock)
        self._closing.callback(office.close)
        return office


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as closing:
        yield Town(tmp_path, closing)


def opened(town: Town, settings: Settings) -> Office:
    office = town.office(settings).open()
    town.clock.ms = max(town.clock.ms, START)
    return office


def cosigners(town: Town, signed: SignedCheckpoint) -> set[str]:
    keys = {one.keys[0]: name for name, one in town.stands.items()}
    return {keys[one.key] for one in verified_cosignatures(signed, keys)}


def test_a_receipt_has_the_quorum_that_the_terms_name(town: Town) -> None:
    office = opened(town, town.with_("client", "freelancer", quorum=BOTH))
    for word in range(5):
        # The office verifies each answer under the log's policy.
        answer = office.post([stranger_offer(office, word)], office._old())
        assert cosigners(town, answer.signed) == {"client", "freelancer"}
    assert check_home(office.verifier.settings, office) == []


def test_without_the_quorum_nothing_is_published_and_nothing_is_lost(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(town.with_("client", "freelancer", quorum=BOTH), witness_timeout_s=0.3)
    office = opened(town, settings)
    before = office.checkpoint()
    statement = stranger_offer(office, "waits")
    with monkeypatch.context() as patch:
        patch.setattr(town.stands["client"].witness, "add_checkpoint", lambda _: None)
        with pytest.raises(RefusedError) as refused:
            office.post([statement])
    assert refused.value.reason is Reason.BUSY
    assert office.checkpoint() == before
    (index,) = office.post([statement], 0).indices
    assert index == before.checkpoint.size


def test_other_witnesses_are_another_policy_in_the_log(town: Town) -> None:
    first = opened(town, town.with_("client", "freelancer", quorum=BOTH))
    offer = stranger_offer(first, "old terms")
    first.post([offer])
    old_policy = first.policy
    first.close()
    three = ("group outside 2 client freelancer arbitrator", "quorum outside")
    second = opened(town, town.with_(*NAMES, quorum=three))
    size = second.checkpoint().checkpoint.size
    logged = [one.policy for one in logged_policies(second.verifier.records, size)]
    assert logged == [old_policy.encode(), second.policy.encode()]
    # What is published satisfies both, and new terms name the newer one.
    signed = second.post([stranger_offer(second, "new terms")]).signed
    for policy in (old_policy, second.policy):
        verify_checkpoint(signed, policy)
    second.policy = old_policy
    with pytest.raises(RefusedError, match="another log policy"):
        second.post([stranger_offer(second, "too late")])
    second.policy = second.verifier.identity.policy
    assert check_home(second.verifier.settings, second) == []
    # At the next start it is known.
    second.close()
    third = opened(town, town.with_(*NAMES, quorum=three))
    size = third.checkpoint().checkpoint.size
    assert len(logged_policies(third.verifier.records, size)) == 2


def test_a_log_may_get_witnesses_after_it_was_begun(town: Town) -> None:
    first = opened(town, town.settings)
    first.post([stranger_offer(first, 1)])
    first.close()
    second = opened(town, town.with_("client", "freelancer", quorum=BOTH))
    signed = second.post([stranger_offer(second, 2)]).signed
    assert cosigners(town, signed) == {"client", "freelancer"}
    verify_checkpoint(signed, first.policy)
    assert check_home(second.verifier.settings, second) == []


def test_a_witness_that_earlier_terms_need_may_not_go(town: Town) -> None:
    first = opened(town, town.with_("client", "freelancer", quorum=BOTH))
    first.close()
    for names, quorum in (
        (("client", "arbitrator"), ("group outside 2 client arbitrator", "quorum outside")),
        ((), ()),
    ):
        office = town.office(town.with_(*names, quorum=quorum))
        with pytest.raises(ConfigError, match=r"not configured any more \(.*freelancer.*\)"):
            office.open()
        office.close()


def test_a_witness_may_have_another_name(town: Town) -> None:
    first = opened(town, town.with_("client", "freelancer", quorum=BOTH))
    first.close()
    settings = town.with_("client", "freelancer", quorum=BOTH)
    renamed = tuple(replace(one, name=f"the-{one.name}") for one in settings.witness)
    quorum = ("group outside 2 the-client the-freelancer", "quorum outside")
    second = opened(town, replace(settings, witness=renamed, quorum=quorum))
    second.post([stranger_offer(second, 1)])
    assert check_home(second.verifier.settings, second) == []


def test_a_backup_is_refused_although_the_lock_is_lost_too(town: Town, tmp_path: Path) -> None:
    settings = town.with_("client", "freelancer", quorum=BOTH)
    first = opened(town, settings)
    first.close()
    backup = tmp_path / "backup"
    shutil.copytree(settings.home, backup, ignore=shutil.ignore_patterns("lock"))
    second = opened(town, settings)
    second.post([stranger_offer(second, 1)])
    second.close()
    shutil.rmtree(settings.home)
    shutil.copytree(backup, settings.home)
    (settings.home / "lock").mkdir(mode=0o700)
    with pytest.raises(StoreCorruptError, match=r"cosigned size .* a backup was restored"):
        town.office(settings).open()


def test_an_empty_home_with_the_keys_of_a_witnessed_log_is_refused(town: Town) -> None:
    settings = town.with_("client", "freelancer", quorum=BOTH)
    opened(town, settings).close()
    for path in settings.home.glob("verifier.db*"):
        path.unlink()
    (settings.home / "lock" / "server.lock").unlink()
    with pytest.raises(StoreCorruptError, match="now ends at 0"):
        town.office(settings).open()


def test_an_unchanged_log_is_shown_to_its_witnesses_now_and_then(town: Town) -> None:
    office = opened(town, town.with_(*NAMES, quorum=("quorum client",)))
    town.clock.ms += 3_600_000
    before = office.checkpoint()
    assert office.verifier._refresh() == office.verifier.settings.witness_interval_s
    # The published bytes stay: anchors name them.
    assert office.checkpoint() == before
    sizes = {size for _, _, size in office.verifier.witnesses.witnessing.standings()}
    assert sizes == {before.checkpoint.size}
    assert office.verifier.health.failing() == ()


def test_a_fork_that_a_witness_has_seen_is_told_by_healthz(town: Town) -> None:
    """Somebody with a copy of the log's key has shown this witness another history."""
    office = opened(town, town.with_(*NAMES, quorum=("quorum client",)))
    office.verifier._refresh()
    thief = TwoFacedLog(ORIGIN)
    thief.signer = office.verifier.identity.log
    tree = office.verifier.services.sequencer.current.tree
    leaves = tuple(tree.node(number, number + 1) for number in range(tree.size))
    forged = thief.request(tree.size, (*leaves, leaf_hash(b"forged")))
    assert town.stands["arbitrator"].witness.add_checkpoint(forged).status == 200
    for word in range(2):
        office.post([stranger_offer(office, word)])
    office.verifier._refresh()
    assert office.verifier.health.failing() == (WITNESSING,)
    with LiveServer(office) as live:
        answer = httpx.get(f"{live.url}/healthz", trust_env=False)
        told = cbor_map(httpx.get(f"{live.url}/v1/operator", trust_env=False).content)
    assert (answer.status_code, answer.text) == (200, "ok\nfailing: witnessing")
    assert told[6] == 3


@pytest.mark.parametrize(
    ("names", "quorum", "told"),
    [
        (("client",), ("quorum nobody",), "names what no line above it defines"),
        (("client",), ("group g 2 client", "quorum g"), "threshold"),
        (("client",), ("witness x y", "quorum client"), "verifier key"),
        (("client",), ("quorum client", "quorum clock"), "unknown or repeated"),
        (("client", "client"), ("quorum client",), "one name"),
    ],
)
def test_what_makes_no_policy_is_one_sentence(
    town: Town, names: tuple[str, ...], quorum: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        load_identity(town.with_(*names, quorum=quorum))


def test_the_log_s_own_names_are_not_free(town: Town) -> None:
    (client,) = town.with_("client", quorum=("quorum client",)).witness
    settings = replace(
        town.settings, witness=(replace(client, name="clock"),), quorum=("quorum clock",)
    )
    with pytest.raises(SettingsError, match="the log's own cosigners"):
        load_identity(settings)


def test_the_policy_of_a_log_without_witnesses_is_what_it_was(town: Town) -> None:
    identity = load_identity(town.settings)
    assert identity.policy == TlogPolicy(
        (identity.log_key,), {"clock": identity.policy.witnesses["clock"]}, quorum="clock"
    )
