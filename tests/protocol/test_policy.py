import base64
import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.tsa import Authority
from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
)
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, PublicKey, Role, SeedSigner
from workseal_protocol.note import NoteLine, NoteType, VerifierKey
from workseal_protocol.policy import Group, TlogPolicy, TrustPolicy, verify_checkpoint

ORIGIN = "log.example/1"
LOG, OTHER_LOG = SeedSigner(b"\x01" * 32), SeedSigner(b"\x02" * 32)
LOG_KEY = VerifierKey(ORIGIN, LOG.public_key, NoteType.LOG_ED25519)
NAMES = ("a", "b", "c", "d")
SIGNERS = {name: SeedSigner(bytes([10 + n]) * 32) for n, name in enumerate(NAMES)}
ML_DSA = SeedSigner(b"\x03" * 32, Algorithm.ML_DSA_44)
WITNESSES = {
    name: VerifierKey(f"{name}.example", SIGNERS[name].public_key, NoteType.COSIGNATURE)
    for name in NAMES
}
CHECKPOINT = Checkpoint(ORIGIN, 7, Digest(bytes(32)))
SIGNED = sign_checkpoint(CHECKPOINT, LOG)
ROOTS = [Authority.root(f"Root {n}").der for n in range(2)]
PARTIES = [SeedSigner(bytes([20 + n]) * 32).public_key for n in range(6)]

A_AND_ONE = (Group("two", 1, ("b", "c")), Group("all", 2, ("a", "two")))
POLICY = TlogPolicy((LOG_KEY,), WITNESSES, A_AND_ONE, "all")
TEXT = POLICY.encode()
TRUST = TrustPolicy(
    POLICY,
    {Role.CLIENT: (PARTIES[0],), Role.ARBITRATOR: tuple(PARTIES[1:3])},
    tuple(ROOTS),
    frozenset({"a", "c"}),
)


def cosigned(times: dict[str, int]) -> SignedCheckpoint:
    signed = SIGNED
    for name, timestamp in times.items():
        line = cosign(CHECKPOINT, WITNESSES[name].name, SIGNERS[name], timestamp)
        signed = add_cosignature(signed, line)
    return signed


@st.composite
def policies(draw: st.DrawFn) -> TlogPolicy:
    logs = tuple(
        VerifierKey(f"log{n}", PARTIES[n], NoteType.LOG_ED25519)
        for n in range(draw(st.integers(1, 3)))
    )
    count = draw(st.integers(0, 4))
    names = draw(st.permutations(NAMES))[:count]
    free, groups = list(names), []
    for number in range(draw(st.integers(0, 3))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if not members:
            break
        threshold = draw(st.integers(1, len(members)))
        groups.append(Group(f"g{number}", threshold, tuple(members)))
        free = [name for name in free if name not in members] + [f"g{number}"]
    defined = [*names, *(group.name for group in groups)]
    quorum = draw(st.none() | st.sampled_from(defined)) if defined else None
    return TlogPolicy(logs, {name: WITNESSES[name] for name in names}, tuple(groups), quorum)


@given(policies())
def test_parse_is_the_inverse_of_encode(policy: TlogPolicy) -> None:
    assert TlogPolicy.parse(policy.encode()) == policy
    assert TlogPolicy.read(policy.encode()) == policy


@given(policies(), st.permutations(NAMES))
def test_equal_policies_have_one_text(policy: TlogPolicy, order: Sequence[str]) -> None:
    turned = {name: policy.witnesses[name] for name in order if name in policy.witnesses}
    again = replace(policy, witnesses=turned)
    assert again == policy
    assert again.encode() == policy.encode()


WORDS = st.sampled_from([*TEXT.split(), "any", "none", "0", "1", "99", "#", "\t", "\n", "\r", "é"])


@given(st.text(st.characters()) | st.lists(WORDS).map(" ".join) | st.lists(WORDS).map("\n".join))
def test_parse_raises_only_malformed(text: str) -> None:
    with suppress(MalformedError):
        assert TlogPolicy.parse(text).encode() == text
    with suppress(MalformedError):
        policy = TlogPolicy.read(text)
        assert TlogPolicy.parse(policy.encode()) == policy
    with suppress(MalformedError):
        TrustPolicy.parse(text)


@given(st.integers(0, len(TEXT) - 1), st.characters())
def test_a_changed_character_raises_only_malformed(at: int, character: str) -> None:
    text = TEXT[:at] + character + TEXT[at + 1 :]
    with suppress(MalformedError):
        assert TlogPolicy.parse(text).encode() == text
    with suppress(MalformedError):
        TrustPolicy.parse("workseal-policy v1\n" + text)


def test_read_takes_everything_that_c2sp_allows() -> None:
    log, keys = LOG_KEY.encode(), {name: key.encode() for name, key in WITNESSES.items()}
    text = (
        f"# a comment\n\n \t \n  # another\nwitness d {keys['d']}\n\tlog\t{log}  https://log.example/\n"
        f"witness b {keys['b']}\nwitness a {keys['a']} https://a.example/submit\n"
        f"witness c {keys['c']} \ngroup two any b c\ngroup all all a two\nquorum all\n"
    )
    assert TlogPolicy.read(text) == POLICY
    with pytest.raises(MalformedError, match="canonical"):
        TlogPolicy.parse(text)


def test_names_may_be_any_visible_text() -> None:
    policy = TlogPolicy((LOG_KEY,), {"Zürich-1/é#": WITNESSES["a"]}, (), "Zürich-1/é#")
    assert TlogPolicy.parse(policy.encode()) == policy


def _lines(*changed: str) -> str:
    return "".join(f"{line}\n" for line in changed)


LOG_LINE = f"log {LOG_KEY.encode()}"
WITNESS_LINES = [f"witness {name} {WITNESSES[name].encode()}" for name in NAMES]
SAME_KEY = replace(WITNESSES["a"], name="elsewhere.example").encode()
WITNESS_AS_LOG = VerifierKey(ORIGIN, SIGNERS["a"].public_key, NoteType.LOG_ED25519).encode()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("", id="empty"),
        pytest.param(_lines(LOG_LINE), id="no quorum"),
        pytest.param(_lines("quorum none"), id="no log"),
        pytest.param(_lines(LOG_LINE, "quorum none")[:-1], id="no last newline"),
        pytest.param(_lines(LOG_LINE, "quorum none", "quorum none"), id="two quorums"),
        pytest.param(
            _lines(LOG_LINE, "quorum a", WITNESS_LINES[0]), id="quorum before its witness"
        ),
        pytest.param(_lines(LOG_LINE, "quorum a"), id="unknown quorum"),
        pytest.param(_lines(LOG_LINE, LOG_LINE, "quorum none"), id="one log twice"),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], f"witness e {SAME_KEY}", "quorum a"),
            id="one witness key under two names",
        ),
        pytest.param(
            _lines(f"log {WITNESS_AS_LOG}", WITNESS_LINES[0], "quorum a"),
            id="log is its own witness",
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], WITNESS_LINES[1].replace(" b ", " a "), "quorum a"),
            id="one name for two witnesses",
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], "group a 1 a", "quorum a"),
            id="group with a witness's name",
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0].replace(" a ", " none "), "quorum none"),
            id="witness called none",
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], "group g 1 none", "quorum g"), id="none as a member"
        ),
        pytest.param(
            _lines(LOG_LINE, "group g 1 a", WITNESS_LINES[0], "quorum g"), id="member defined later"
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], "group g 1 g", "quorum g"), id="own member"
        ),
        pytest.param(
            _lines(LOG_LINE, *WITNESS_LINES[:2], "group g 2 a a", "quorum g"), id="member twice"
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], "group g 1 a", "group h 1 a", "quorum h"),
            id="member of two groups",
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], "group g 0 a", "quorum g"), id="threshold 0"
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], "group g 2 a", "quorum g"), id="threshold 2/1"
        ),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0], f"group g {'9' * 5000} a", "quorum g"),
            id="threshold beyond int's own limit",
        ),
        pytest.param(_lines(LOG_LINE, WITNESS_LINES[0], "group g 1", "quorum a"), id="no members"),
        pytest.param(_lines(LOG_LINE, WITNESS_LINES[0], "group g", "quorum a"), id="short group"),
        pytest.param(_lines(LOG_LINE, "witness a", "quorum none"), id="short witness"),
        pytest.param(_lines(LOG_LINE, "log", "quorum none"), id="short log"),
        pytest.param(_lines(LOG_LINE, "quorum none more"), id="long quorum"),
        pytest.param(
            _lines(LOG_LINE, WITNESS_LINES[0] + " url more", "quorum a"), id="long witness"
        ),
        pytest.param(_lines(LOG_LINE, "unknown x", "quorum none"), id="unknown keyword"),
        pytest.param(
            _lines(f"log {WITNESSES['a'].encode()}", "quorum none"), id="cosigner's key as log"
        ),
        pytest.param(
            _lines(LOG_LINE, f"witness a {LOG_KEY.encode()}", "quorum a"), id="log's key as witness"
        ),
        pytest.param(_lines(LOG_LINE, "# \x00", "quorum none"), id="control character"),
        pytest.param(_lines(LOG_LINE + "\r", "quorum none\r"), id="carriage returns"),
        pytest.param(_lines(LOG_LINE, "# \ud800", "quorum none"), id="lone surrogate"),
        pytest.param("#" * 300_000 + "\n" + _lines(LOG_LINE, "quorum none"), id="too long"),
    ],
)
def test_refuses(bad: str) -> None:
    for parse in (TlogPolicy.parse, TlogPolicy.read):
        with pytest.raises(MalformedError):
            parse(bad)


def test_refuses_more_than_32_of_a_kind() -> None:
    def witness(n: int) -> str:
        key = SeedSigner(bytes([n, 200] * 16)).public_key
        return f"witness w{n:02} {VerifierKey(f'w{n}', key, NoteType.COSIGNATURE).encode()}"

    many = [witness(n) for n in range(33)]
    assert len(TlogPolicy.parse(_lines(LOG_LINE, *many[:32], "quorum none")).witnesses) == 32
    with pytest.raises(MalformedError, match="32"):
        TlogPolicy.read(_lines(LOG_LINE, *many, "quorum none"))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(TEXT.replace("log ", "log  ", 1), id="two spaces"),
        pytest.param("# comment\n" + TEXT, id="comment"),
        pytest.param(TEXT.replace("group two 1", "group two any"), id="any for 1"),
        pytest.param(TEXT.replace("group all 2", "group all all"), id="all for 2"),
        pytest.param(TEXT.replace("\nquorum", " \nquorum"), id="space at the end"),
        pytest.param(_lines(*reversed(TEXT.splitlines()[:5]), *TEXT.splitlines()[5:]), id="order"),
        pytest.param(TEXT.replace(LOG_LINE, f"{LOG_LINE} https://log.example"), id="URL"),
    ],
)
def test_parse_accepts_one_spelling_where_read_accepts_many(bad: str) -> None:
    assert TlogPolicy.read(bad) == POLICY
    with pytest.raises(MalformedError, match="canonical"):
        TlogPolicy.parse(bad)


# --- the quorum ---


def test_quorum_of_nested_groups_is_the_rule_in_words() -> None:
    for count in range(len(NAMES) + 1):
        for names in itertools.combinations(NAMES, count):
            expected = "a" in names and ("b" in names or "c" in names)
            assert POLICY.is_satisfied_by(names) is expected


def test_quorum_none_and_a_single_witness() -> None:
    none = TlogPolicy((LOG_KEY,), WITNESSES)
    assert none.is_satisfied_by(())
    single = replace(none, quorum="b")
    assert single.is_satisfied_by(("b", "stranger"))
    assert not single.is_satisfied_by(("a", "stranger"))


def test_a_threshold_counts_members_not_names_of_strangers() -> None:
    policy = TlogPolicy((LOG_KEY,), WITNESSES, (Group("g", 3, NAMES),), "g")
    assert policy.is_satisfied_by(NAMES[:3])
    assert not policy.is_satisfied_by((*NAMES[:2], "x", "g"))


def test_verify_checkpoint_needs_the_quorum() -> None:
    with pytest.raises(VerificationError, match=r"quorum is not reached: 2 of 4"):
        verify_checkpoint(cosigned({"b": 100, "c": 101}), POLICY)
    verified = verify_checkpoint(cosigned({"a": 100, "d": 50, "c": 101}), POLICY)
    assert verified.checkpoint == CHECKPOINT
    assert verified.log == LOG_KEY
    assert [(one.name, one.timestamp) for one in verified.cosignatures] == [
        ("a", 100),
        ("c", 101),
        ("d", 50),
    ]


def test_verify_checkpoint_needs_a_log_of_the_policy() -> None:
    open_policy = TlogPolicy((LOG_KEY,))
    assert verify_checkpoint(SIGNED, open_policy).checkpoint == CHECKPOINT
    elsewhere = sign_checkpoint(replace(CHECKPOINT, origin="other.example"), LOG)
    with pytest.raises(VerificationError, match="origin"):
        verify_checkpoint(elsewhere, open_policy)
    with pytest.raises(VerificationError, match="no line"):
        verify_checkpoint(sign_checkpoint(CHECKPOINT, OTHER_LOG), open_policy)
    forged = NoteLine(ORIGIN, LOG_KEY.key_id, SIGNED.lines[0].signature[:-1] + b"\x00")
    with pytest.raises(VerificationError, match="does not verify"):
        verify_checkpoint(SignedCheckpoint(CHECKPOINT, (forged,)), open_policy)


def test_two_keys_of_one_log_are_each_accepted_and_each_checked() -> None:
    new = VerifierKey(ORIGIN, OTHER_LOG.public_key, NoteType.LOG_ED25519)
    both = TlogPolicy((LOG_KEY, new))
    assert verify_checkpoint(SIGNED, both).log == LOG_KEY
    assert verify_checkpoint(sign_checkpoint(CHECKPOINT, OTHER_LOG), both).log == new
    forged = add_cosignature(SIGNED, NoteLine(ORIGIN, new.key_id, bytes(64)))
    with pytest.raises(VerificationError, match="does not verify"):
        verify_checkpoint(forged, both)


def test_a_bad_cosignature_of_a_known_witness_rejects() -> None:
    bad = NoteLine(WITNESSES["d"].name, WITNESSES["d"].key_id, bytes(72))
    signed = add_cosignature(cosigned({"a": 1, "b": 2}), bad)
    with pytest.raises(VerificationError, match="does not verify"):
        verify_checkpoint(signed, POLICY)


# --- times ---


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 20)), policies())
def test_times_are_the_definition(times: dict[str, int], policy: TlogPolicy) -> None:
    policy = replace(policy, logs=(LOG_KEY,))
    known = {name: t for name, t in times.items() if name in policy.witnesses}
    signed = cosigned(times)
    if not policy.is_satisfied_by(known):
        with pytest.raises(VerificationError, match="quorum"):
            verify_checkpoint(signed, policy)
        return
    verified = verify_checkpoint(signed, policy)
    if policy.quorum is None:
        assert (verified.existed_by, verified.not_before) == (None, None)
        return
    every = range(22)
    first = min(t for t in every if policy.is_satisfied_by({n for n in known if known[n] <= t}))
    last = max(t for t in every if policy.is_satisfied_by({n for n in known if known[n] >= t}))
    assert (verified.existed_by, verified.not_before) == (first * 1000 + 999, last * 1000)


def test_one_lying_witness_moves_neither_bound_of_two_of_three() -> None:
    policy = TlogPolicy((LOG_KEY,), WITNESSES, (Group("g", 2, ("a", "b", "c")),), "g")
    for lie in (1, 10**9):
        verified = verify_checkpoint(cosigned({"a": 1000, "b": 1010, "c": lie}), policy)
        assert verified.existed_by in (1000 * 1000 + 999, 1010 * 1000 + 999)
        assert verified.not_before in (1000 * 1000, 1010 * 1000)


def test_times_are_exact_to_the_second() -> None:
    policy = TlogPolicy((LOG_KEY,), WITNESSES, (Group("g", 2, ("a", "b", "c")),), "g")
    verified = verify_checkpoint(cosigned({"a": 1000, "b": 1001}), policy)
    assert (verified.existed_by, verified.not_before) == (1_001_999, 1_000_000)
    verified = verify_checkpoint(cosigned({"a": 1000, "b": 1001, "c": 1002}), policy)
    assert (verified.existed_by, verified.not_before) == (1_001_999, 1_001_000)


@pytest.mark.parametrize(
    ("groups", "quorum", "reason"),
    [
        ((Group("g", 1, ("x",)),), "g", "not defined above"),
        ((Group("g", 1, ("h",)), Group("h", 1, ("a",))), "g", "not defined above"),
        ((Group("a", 1, ("b",)),), "a", "defined twice"),
        ((Group("g", 1, ()),), "g", "threshold"),
        ((Group("g h", 1, ("a",)),), None, "no space"),
        ((), "x", "quorum names no"),
    ],
)
def test_refuses_to_make(groups: tuple[Group, ...], quorum: str | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TlogPolicy((LOG_KEY,), WITNESSES, groups, quorum)


def test_a_cosignature_without_time_counts_for_the_quorum_and_not_for_time() -> None:
    key = VerifierKey("pq.example", ML_DSA.public_key, NoteType.MLDSA_COSIGNATURE)
    witnesses = {"a": WITNESSES["a"], "pq": key}
    timeless = cosign(CHECKPOINT, key.name, ML_DSA, 0)
    either = TlogPolicy((LOG_KEY,), witnesses, (Group("g", 1, ("a", "pq")),), "g")
    verified = verify_checkpoint(add_cosignature(SIGNED, timeless), either)
    assert (verified.existed_by, verified.not_before) == (None, None)
    with_time = add_cosignature(cosigned({"a": 50}), timeless)
    verified = verify_checkpoint(with_time, either)
    assert (verified.existed_by, verified.not_before) == (50_999, 50_000)
    # The one that tells a time is not enough to be believed.
    both = TlogPolicy((LOG_KEY,), witnesses, (Group("g", 2, ("a", "pq")),), "g")
    verified = verify_checkpoint(with_time, both)
    assert (verified.existed_by, verified.not_before) == (None, None)


# --- the caller's policy file ---


@given(
    policies(),
    st.dictionaries(st.sampled_from(Role), st.sampled_from(PARTIES).map(lambda key: (key,))),
    st.lists(st.sampled_from(ROOTS), unique=True),
)
def test_trust_parse_is_the_inverse_of_encode(
    tlog: TlogPolicy, parties: dict[Role, tuple[PublicKey, ...]], tsa: list[bytes]
) -> None:
    if len(set(parties.values())) != len(parties):
        with pytest.raises(ValueError, match="two parties"):
            TrustPolicy(tlog, parties)
        return
    trust = TrustPolicy(tlog, parties, tuple(tsa), frozenset(list(tlog.witnesses)[:2]))
    assert TrustPolicy.parse(trust.encode()) == trust


def test_trust_policy_is_written_by_people() -> None:
    lines = TRUST.encode().splitlines()
    spread = "\n\n# comment\n".join(line.replace(" ", " \t ", 1) for line in lines[1:])
    assert TrustPolicy.parse(f"# mine\n{lines[0]}\n{spread}\n") == TRUST


def test_trust_policy_reads_all_parties_in_order() -> None:
    keys = TrustPolicy.parse(TRUST.encode()).parties
    assert keys == {Role.CLIENT: (PARTIES[0],), Role.ARBITRATOR: (PARTIES[1], PARTIES[2])}


TRUST_TEXT = TRUST.encode()
LEAF = base64.b64encode(Authority.root().issue("leaf").der).decode()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(TRUST_TEXT.partition("\n")[2], id="no header"),
        pytest.param(TRUST_TEXT.replace(" v1", " v2"), id="other version"),
        pytest.param(TRUST_TEXT + f"party client {PARTIES[4].text()}\n", id="two clients"),
        pytest.param(TRUST_TEXT + f"party operator {PARTIES[0].text()}\n", id="one key, two roles"),
        pytest.param(TRUST_TEXT + f"party boss {PARTIES[4].text()}\n", id="unknown role"),
        pytest.param(TRUST_TEXT + "party operator ed25519:AAAA\n", id="short key"),
        pytest.param(TRUST_TEXT + "party operator\n", id="party without key"),
        pytest.param(TRUST_TEXT + f"tsa {base64.b64encode(ROOTS[0]).decode()}\n", id="root twice"),
        pytest.param(TRUST_TEXT + "tsa AAAA\n", id="root is no certificate"),
        pytest.param(TRUST_TEXT + f"tsa {LEAF}\n", id="root is not self-signed"),
        pytest.param(TRUST_TEXT + "tsa ====\n", id="root is no base64"),
        pytest.param(TRUST_TEXT + f"tsa {'A' * 12_000}\n", id="root is too long"),
        pytest.param(TRUST_TEXT + "independent x\n", id="independent stranger"),
        pytest.param(TRUST_TEXT + "independent a\n", id="independent twice"),
        pytest.param(TRUST_TEXT + "independent\n", id="independent nobody"),
        pytest.param("workseal-policy v1\n", id="no log policy"),
    ],
)
def test_trust_refuses(bad: str) -> None:
    with pytest.raises(MalformedError):
        TrustPolicy.parse(bad)


def test_trust_has_at_most_16_arbitrators() -> None:
    keys = tuple(SeedSigner(bytes([n, 201] * 16)).public_key for n in range(17))
    TrustPolicy(POLICY, {Role.ARBITRATOR: keys[:16]})
    with pytest.raises(ValueError, match="at most 16"):
        TrustPolicy(POLICY, {Role.ARBITRATOR: keys})


@pytest.mark.filterwarnings("ignore")  # the library warns of what it then accepts
def test_a_changed_root_certificate_raises_only_malformed() -> None:
    root = ROOTS[0]
    for at in range(len(root)):
        changed = root[:at] + bytes([root[at] ^ 1]) + root[at + 1 :]
        text = f"{TRUST_TEXT}tsa {base64.b64encode(changed).decode()}\n"
        with suppress(MalformedError):
            assert changed in TrustPolicy.parse(text).tsa


def test_the_example_of_the_specification_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs/spec/policy.md").read_text()
    example = page.split("```\n")[1].replace("tsa MIIBkzCCATqgAwIB…\n", "")
    trust = TrustPolicy.parse(example)
    assert trust.independent == {"arbitrator"}
    assert [role.name for role in trust.parties] == ["FREELANCER", "CLIENT", "OPERATOR"]
    assert trust.tlog.is_satisfied_by({"arbitrator", "client"})


@pytest.mark.parametrize(
    "space",
    ["\u0085", "\u009f", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000", "\x7f"],
)
def test_a_name_has_no_white_space_and_no_control_of_any_script(space: str) -> None:
    """Two names that look the same, or a terminal's command, would pass as a witness."""
    witness = WITNESSES["a"]
    assert TlogPolicy((LOG_KEY,), {"witneß-無": witness}, (), "witneß-無").quorum
    with pytest.raises(ValueError, match="no space"):
        TlogPolicy((LOG_KEY,), {f"wit{space}ness": witness}, (), f"wit{space}ness")
