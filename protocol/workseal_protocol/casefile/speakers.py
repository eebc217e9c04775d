"""Whose key may speak in a case: those of the terms, and those that replaced them.

Rules: a key came by a rotation that both keys signed. Where a log is at hand, a key speaks at the
places at which it was valid; what the log does not show is judged by its end. Without a log nobody
sees when a key ended, but a case is a chain: once a successor has spoken in it, the key before
speaks no more.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, Parties
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import MAKERS, KeyHistory
from workseal_protocol.keys import Role
from workseal_protocol.merkle import MAX_SIZE
from workseal_protocol.records import KeyRotate, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms


@dataclass(frozen=True, slots=True)
class Speakers:
    """Hold the parties of a case with all their keys; `ranks` counts rotations up to each key."""

    history: KeyHistory
    parties: Parties
    ranks: Mapping[Digest, int]
    # Whether the history has the places of a log.
    placed: bool

    @classmethod
    def of_log(cls, terms: Terms, history: KeyHistory, rotations: Iterable[KeyRotate]) -> Self:
        """Follow the rotations of a verified log, in its order."""
        parties, ranks = _followed(terms, rotations)
        return cls(history, parties, ranks, placed=True)

    @classmethod
    def of_files(cls, terms: Terms, rotations: Iterable[Statement]) -> Self:
        """Follow rotations that come in any order, or raise `VerificationError`."""
        history = KeyHistory.start(
            {
                Role.CLIENT: (terms.client,),
                Role.FREELANCER: (terms.freelancer,),
                Role.OPERATOR: (terms.operator,),
                Role.ARBITRATOR: terms.arbitrators,
            }
        )
        read = ((one, read_record(one)) for one in rotations)
        read = ((one, read_record(one)) for one in rotations)
        left = [(one, record) for one, record in read if isinstance(record, KeyRotate)]
        ordered: list[KeyRotate] = []
        while left:
            number = len(ordered)
            ready = next((one for one in left if history.roles_of(one[1].old, number)), None)
            if ready is None:
                break
            left.remove(ready)
            history = history.advance(number, *ready)
            ordered.append(ready[1])
        # What is left is about other people, or a second successor of one key.
        if any(record.old in history.lives for _, record in left):
            raise VerificationError("two of the key.rotate statements replace one key")
        parties, ranks = _followed(terms, ordered)
        return cls(history, parties, ranks, placed=False)

    def check(self, statement: Statement, index: int | None) -> None:
        """Check who signed a statement, at its place in the log, or raise `VerificationError`."""
        if statement.issuer not in self.parties.roles:
            raise VerificationError(f"the terms do not name the key that signed a {statement.kind}")
        try:
            if self.placed:
                self.history.check_signature(statement, MAX_SIZE if index is None else index)
            else:
                self._check_signed(statement)
        except VerificationError as error:
            raise VerificationError(f"a {statement.kind}: {error}") from error

    def check_order(self, statements: Iterable[Statement]) -> None:
        """Check that no key speaks after one that replaced it, or raise `VerificationError`."""
        newest: dict[Digest, int] = {}
        for number, statement in enumerate(statements):
            person, rank = self.parties.persons[statement.issuer], self.ranks[statement.issuer]
            if rank < newest.get(person, 0):
                raise VerificationError(
                    f"statement {number}: its key was replaced by one that spoke before"
                )
            newest[person] = rank

    def _check_signed(self, statement: Statement) -> None:
        life = self.history.lives[statement.issuer]
        statement.verify_signature(life.key)
        if not life.roles & MAKERS[statement.kind]:
            raise VerificationError(f"its signer may not make a {statement.kind}")


def keyless_in(
    case: Case, history: KeyHistory, person_of: Callable[[Digest], Digest]
) -> frozenset[Role]:
    """Return who of a case ended their key, with no other in its place, by a log's history.

    A person is named by the key that the terms have; an arbitrator counts once there is one.
    """
    people = {
        Role.CLIENT: case.terms.client.thumbprint,
        Role.FREELANCER: case.terms.freelancer.thumbprint,
    }
    if case.arbitrator is not None:
        people[Role.ARBITRATOR] = case.arbitrator
    left = {person_of(key) for key, life in history.lives.items() if life.until is None}
    return frozenset(role for role, person in people.items() if person not in left)


def _followed(terms: Terms, rotations: Iterable[KeyRotate]) -> tuple[Parties, Mapping[Digest, int]]:
    parties = Parties.of(terms)
    ranks = dict.fromkeys(parties.roles, 0)
    for record in rotations:
        new = record.public_key.thumbprint
        if record.old in parties.roles and new not in parties.roles:
            parties = parties.succeeded(record.old, new)
            ranks[new] = ranks[record.old] + 1
    return parties, ranks
