"""Whom the caller trusts: the log and its witnesses (c2sp.org/tlog-policy), parties, TSA roots.

Rules: a public key counts once, whatever its name; a name belongs to at most one group; a group
names only what stands above it. `TlogPolicy.parse` accepts the one canonical spelling (terms are
compared as text), `TlogPolicy.read` everything that C2SP allows, into the same value.
"""

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from workseal_protocol.checkpoint import (
    Checkpoint,
    Cosignature,
    SignedCheckpoint,
    verified_cosignatures,
    verify_log,
)
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Check, PublicKey, Role, check_at_once
from workseal_protocol.note import NoteType, VerifierKey

MAX_POLICY_CHARACTERS = 262_144  # 64 ML-DSA keys with their names
MAX_ENTRIES = 32  # logs, witnesses, groups: C2SP asks for 32 of each at least
MAX_PARTIES = 16
MAX_CERTIFICATE_BYTES = 8192

# C2SP: no spaces and no controls, of any script; text here, so no lone surrogates.
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"[1-9][0-9]?")
_HEADER = ["workseal-policy", "v1"]


@dataclass(frozen=True, slots=True)
class Group:
    """Require at least `threshold` of the members, each a witness or an earlier group."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TlogPolicy:
    """Say which logs are accepted, and which witnesses must have cosigned.

    `quorum` names a witness or a group; None is `quorum none`: no cosignature is asked for.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    quorum: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "witnesses", MappingProxyType(dict(self.witnesses)))
        if not 1 <= len(self.logs) <= MAX_ENTRIES:
            raise ValueError(f"a policy has 1 to {MAX_ENTRIES} logs")
        if max(len(self.witnesses), len(self.groups)) > MAX_ENTRIES:
            raise ValueError(f"a policy has at most {MAX_ENTRIES} witnesses and as many groups")
        if any(log.type is not NoteType.LOG_ED25519 for log in self.logs):
            raise ValueError("a log's key has type 0x01")
        if any(key.type is NoteType.LOG_ED25519 for key in self.witnesses.values()):
            raise ValueError("a witness's key has type 0x04 or 0x06")
        raw_keys = [one.key.raw for one in (*self.logs, *self.witnesses.values())]
        if len(set(raw_keys)) != len(raw_keys):
            raise ValueError("a public key stands twice in the policy")
        _require_groups(self.witnesses, self.groups, self.quorum)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the canonical text, or raise `MalformedError`."""
        parsed = cls.read(text)
        if parsed.encode() != text:
            raise MalformedError("the log policy is not in canonical form")
        return parsed

    @classmethod
    def read(cls, text: str) -> Self:
        """Read any C2SP tlog-policy text: comments, blanks, `all`, `any`; URLs are dropped."""
        reader = _TlogReader()
        for line in _lines(text):
            reader.take(line)
        if reader.quorum is None:
            raise MalformedError("a log policy has one quorum line")
        quorum = None if reader.quorum == "none" else reader.quorum
        try:
            return cls(tuple(reader.logs), reader.witnesses, tuple(reader.groups), quorum)
        except ValueError as e:
            raise MalformedError(f"log policy: {e}") from e

    def encode(self) -> str:
        """Write the canonical text: logs, witnesses by name, groups, quorum; numeric thresholds."""
        lines = [f"log {log.encode()}" for log in self.logs]
        lines += [f"witness {name} {key.encode()}" for name, key in sorted(self.witnesses.items())]
        lines += [
            f"group {group.name} {group.threshold} {' '.join(group.members)}"
            for group in self.groups
        ]
        lines.append(f"quorum {self.quorum or 'none'}")
        return "".join(f"{line}\n" for line in lines)

    def is_satisfied_by(self, names: Collection[str]) -> bool:
        """Tell whether cosignatures of these witnesses (by policy name) make the quorum."""
        if self.quorum is None:
            return True
        good = {name for name in names if name in self.witnesses}
        for group in self.groups:
            if sum(member in good for member in group.members) >= group.threshold:
                good.add(group.name)
        return self.quorum in good


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """Hold a checkpoint that satisfied a policy; only `verify_checkpoint` makes one.

    `existed_by` and `not_before` (Unix milliseconds) bound when the quorum cosigned it; None when
    the policy asks for no quorum. A cosignature names a whole second: its last millisecond counts
    for `existed_by`, its first for `not_before`.
    """

    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    log: VerifierKey
    signed: SignedCheckpoint
    existed_by: int | None
    not_before: int | None


def verify_checkpoint(
    signed: SignedCheckpoint, policy: TlogPolicy, check: Check = check_at_once
) -> VerifiedCheckpoint:
    """Check the log's line and the witness quorum, or raise `VerificationError`."""
    log = _verified_log(signed, policy, check)
    # What is found has the very keys that were asked for.
    names = {id(key): name for name, key in policy.witnesses.items()}
    cosignatures = tuple(
        Cosignature(names[id(one.key)], one.timestamp, one.key)
        for one in verified_cosignatures(signed, policy.witnesses.values(), check)
    )
    if not policy.is_satisfied_by({one.name for one in cosignatures}):
        raise VerificationError(
            f"the witness quorum is not reached: {len(cosignatures)} of"
            f" {len(policy.witnesses)} known witnesses cosigned"
        )
    existed_by, not_before = _quorum_times(cosignatures, policy)
    return VerifiedCheckpoint(signed.checkpoint, cosignatures, log, signed, existed_by, not_before)


def _verified_log(signed: SignedCheckpoint, policy: TlogPolicy, check: Check) -> VerifierKey:
    named = [log for log in policy.logs if log.name == signed.checkpoint.origin]
    if not named:
        raise VerificationError("the checkpoint's origin is not a log of the policy")
    present = [log for log in named if signed.line_of(log) is not None]
    if not present:
        raise VerificationError("the checkpoint has no line of a log of the policy")
    for log in present:
        verify_log(signed, log, check)
    return present[0]


def _quorum_times(
    cosignatures: tuple[Cosignature, ...], policy: TlogPolicy
) -> tuple[int | None, int | None]:
    """Bound when the quorum cosigned; all of them together are one."""
    if policy.quorum is None:
        return None, None
    # An ML-DSA cosignature may carry time 0: it vouches for the tree and says no time.
    timed = [one for one in cosignatures if one.timestamp > 0]
    times = sorted({one.timestamp for one in timed})
    if len(times) == 1 and len(timed) == len(cosignatures):
        # All at one time, and together they are the quorum: nearly always.
        return times[0] * 1000 + 999, times[0] * 1000

    def enough(chosen: Iterable[Cosignature]) -> bool:
        return policy.is_satisfied_by({one.name for one in chosen})

    early = (t for t in times if enough(one for one in timed if one.timestamp <= t))
    late = (t for t in reversed(times) if enough(one for one in timed if one.timestamp >= t))
    first, last = next(early, None), next(late, None)
    return (
        None if first is None else first * 1000 + 999,
        None if last is None else last * 1000,
    )


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Hold everything that a verifier takes from its own user and never from a bundle.

    `tsa` are DER root certificates; `independent` names the witnesses that the caller holds to be
    independent of the operator.
    """

    tlog: TlogPolicy
    parties: Mapping[Role, tuple[PublicKey, ...]] = field(default_factory=dict)
    tsa: tuple[bytes, ...] = ()
    independent: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        parties = {role: self.parties[role] for role in Role if self.parties.get(role)}
        object.__setattr__(self, "parties", MappingProxyType(parties))
        for role, keys in parties.items():
            allowed = MAX_PARTIES if role is Role.ARBITRATOR else 1
            if len(keys) > allowed:
                raise ValueError(f"a policy has at most {allowed} keys of the {_word(role)}")
        raw_keys = [key.raw for keys in parties.values() for key in keys]
        if len(set(raw_keys)) != len(raw_keys):
            raise ValueError("one key stands for two parties")
        if len(self.tsa) > MAX_ENTRIES or len(set(self.tsa)) != len(self.tsa):
            raise ValueError(f"a policy has at most {MAX_ENTRIES} time-stamp roots, each once")
        for root in self.tsa:
            _require_certificate(root)
        if not self.independent <= self.tlog.witnesses.keys():
            raise ValueError("an independent witness is a witness of the policy")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy file, or raise `MalformedError`; comments and blank lines are allowed."""
        lines = list(_lines(text))
        if not lines or lines[0] != _HEADER:
            raise MalformedError("a policy file begins with: workseal-policy v1")
        ours: dict[str, list[list[str]]] = {"party": [], "tsa": [], "independent": []}
        theirs: list[list[str]] = []
        for line in lines[1:]:
            ours.get(line[0], theirs).append(line)
        tlog = TlogPolicy.read("".join(f"{' '.join(line)}\n" for line in theirs))
        parties: dict[Role, tuple[PublicKey, ...]] = {}
        for _, role_name, key in _words(ours["party"], 3):
            role = _role(role_name)
            parties[role] = (*parties.get(role, ()), PublicKey.parse_text(key))
        roots = tuple(_base64(root) for _, root in _words(ours["tsa"], 2))
        names = [name for _, name in _words(ours["independent"], 2)]
        if len(set(names)) != len(names):
            raise MalformedError("an independent witness is named twice")
        try:
            return cls(tlog, parties, roots, frozenset(names))
        except ValueError as e:
            raise MalformedError(f"policy file: {e}") from e

    def encode(self) -> str:
        """Write the policy file; `parse` is its inverse."""
        lines = [" ".join(_HEADER)]
        for role, keys in self.parties.items():
            lines += [f"party {_word(role)} {key.text()}" for key in keys]
        lines += [f"tsa {base64.b64encode(root).decode()}" for root in self.tsa]
        lines += [f"independent {name}" for name in sorted(self.independent)]
        return "".join(f"{line}\n" for line in lines) + self.tlog.encode()


class _TlogReader:
    """Collect the lines of a tlog-policy; the value checks what they mean together."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: list[Group] = []
        self.quorum: str | None = None

    def take(self, line: list[str]) -> None:
        match line:
            case ["log", key] | ["log", key, _]:
                self.logs.append(VerifierKey.parse(key))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._require_new(name)
                self.witnesses[name] = VerifierKey.parse(key)
            case ["group", name, threshold, *members] if members:
                self._require_new(name)
                self._require_defined(members)
                self.groups.append(Group(name, _threshold(threshold, members), tuple(members)))
            case ["quorum", name] if self.quorum is None:
                if name != "none":
                    self._require_defined([name])
                self.quorum = name
            case _:
                raise MalformedError("a policy line has an unknown or repeated keyword or form")
        if max(map(len, (self.logs, self.witnesses, self.groups))) > MAX_ENTRIES:
            raise MalformedError(f"a policy has at most {MAX_ENTRIES} lines of one kind")

    def _names(self) -> set[str]:
        return {*self.witnesses, *(group.name for group in self.groups)}

    def _require_new(self, name: str) -> None:
        if name in self._names():
            raise MalformedError("a name is defined twice in the policy")

    def _require_defined(self, names: Iterable[str]) -> None:
        if not self._names().issuperset(names):
            raise MalformedError("a policy line names what no line above it defines")


def _threshold(text: str, members: list[str]) -> int:
    words = {"all": len(members), "any": 1}
    if text in words:
        return words[text]
    if _NUMBER.fullmatch(text) is None:
        raise MalformedError("a group's threshold is all, any or a number")
    return int(text)


def _require_groups(
    witnesses: Mapping[str, VerifierKey], groups: tuple[Group, ...], quorum: str | None
) -> None:
    defined = set(witnesses)
    used: set[str] = set()
    for name in (*witnesses, *(group.name for group in groups)):
        if name == "none" or _NAME.fullmatch(name) is None:
            raise ValueError("a name in a policy is not empty, has no space and is not none")
    for group in groups:
        if not 1 <= group.threshold <= len(group.members):
            raise ValueError("a group's threshold lies between 1 and the number of its members")
        if not defined.issuperset(group.members):
            raise ValueError("a group's member is not defined above it")
        if len(set(group.members)) != len(group.members) or not used.isdisjoint(group.members):
            raise ValueError("a name is a member of a group twice")
        if group.name in defined:
            raise ValueError("a name is defined twice in the policy")
        used.update(group.members)
        defined.add(group.name)
    if quorum is not None and quorum not in defined:
        raise ValueError("the quorum names no witness or group")


def _lines(text: str) -> Iterator[list[str]]:
    """Split a policy file into its lines' words; comments and empty lines are left out."""
    if len(text) > MAX_POLICY_CHARACTERS:
        raise MalformedError(f"a policy file has at most {MAX_POLICY_CHARACTERS} characters")
    if not text.endswith("\n"):
        raise MalformedError("a policy file ends with a newline")
    if _FORBIDDEN.search(text):
        raise MalformedError("a policy file has no control characters but tab and newline")
    for line in text[:-1].split("\n"):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            yield words


def _words(lines: Iterable[list[str]], count: int) -> Iterator[list[str]]:
    for line in lines:
        if len(line) != count:
            raise MalformedError(f"a {line[0]} line has {count} words")
        yield line


def _word(role: Role) -> str:
    return role.name.lower()


def _role(word: str) -> Role:
    for role in Role:
        if _word(role) == word:
            return role
    raise MalformedError("a party is a client, freelancer, arbitrator or operator")


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as e:
        raise MalformedError("a time-stamp root is base64 of DER") from e
    if base64.b64encode(data).decode() != text:
        raise MalformedError("base64 is not in canonical form")
    return data


def _require_certificate(der: bytes) -> None:
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise ValueError(f"a root certificate has at most {MAX_CERTIFICATE_BYTES} bytes")
    # Loaded where there is a root: a process that is there all day seldom reads one.
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    try:
        certificate = load_der_x509_certificate(der)
        self_signed = certificate.issuer == certificate.subject
    except Exception as e:  # names are read late, and raise whatever their types do
        raise ValueError("a time-stamp root is an X.509 certificate in DER") from e
    if not self_signed:
        raise ValueError("a time-stamp root is a self-signed certificate")
