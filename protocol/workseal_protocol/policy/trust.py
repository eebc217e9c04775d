"""Everything that a verifier takes from its own user and never from a bundle."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from workseal_protocol.certificate import names_itself, read_certificate
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.policy.lines import MAX_ENTRIES, policy_lines
from workseal_protocol.policy.tlog import TlogPolicy

MAX_PARTIES = 16
MAX_CERTIFICATE_BYTES = 8192

_HEADER = ["workseal-policy", "v1"]


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
        lines = list(policy_lines(text))
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
    try:
        self_signed = names_itself(read_certificate(der))
    except Exception as e:  # names are read late, and raise whatever their types do
        raise ValueError("a time-stamp root is an X.509 certificate in DER") from e
    if not self_signed:
        raise ValueError("a time-stamp root is a self-signed certificate")
