"""Which logs are accepted, and which witnesses must have cosigned (c2sp.org/tlog-policy)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from workseal_protocol.errors import MalformedError
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy.lines import MAX_ENTRIES, policy_lines

# C2SP: no spaces and no controls, of any script; text here, so no lone surrogates.
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")
_NUMBER = re.compile(r"[1-9][0-9]?")


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
        for line in policy_lines(text):
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
