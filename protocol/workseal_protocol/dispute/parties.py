"""Whose key speaks for whom in a case: the keys of the terms, and those that replaced them.

Rule: a person is named by the thumbprint of the key that stands in the terms, whatever key they
sign with later, so that nobody is drawn or strikes twice under two keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.terms import Terms


@dataclass(frozen=True, slots=True)
class Parties:
    """Map each key's thumbprint to its role and its person."""

    roles: Mapping[Digest, Role]
    persons: Mapping[Digest, Digest]

    @classmethod
    def of(cls, terms: Terms) -> Self:
        """Take the keys that the terms name."""
        keys = {
            terms.client.thumbprint: Role.CLIENT,
            terms.freelancer.thumbprint: Role.FREELANCER,
            terms.operator.thumbprint: Role.OPERATOR,
        } | {key.thumbprint: Role.ARBITRATOR for key in terms.arbitrators}
        return cls(keys, {key: key for key in keys})

    def succeeded(self, old: Digest, new: Digest) -> Self:
        """Let a new key speak for the person of an old one; the caller has checked the rotation."""
        return replace(
            self,
            roles={**self.roles, new: self.roles[old]},
            persons={**self.persons, new: self.persons[old]},
        )
