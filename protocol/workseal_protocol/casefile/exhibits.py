"""What was handed over beside a case: files that its statements name by a digest, salt and all.

Rules: a file is an exhibit of the case if an `exhibit` or a `show` has its digest; nobody can put
another one in, and in a folder they stand in the order in which they were first named.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from workseal_protocol.casefile.replay import Told
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import Act, DisputeAct, Record, read_record

# At the end of each file, so that nobody guesses from its digest what is in it.
SALT_BYTES: Final = 16


def handed_over(record: Record) -> Digest | None:
    """Return the digest of what went beside a statement, salt and all; None where nothing did."""
    if not isinstance(record, DisputeAct) or record.act not in {Act.SHOW, Act.EXHIBIT}:
        return None
    return None if record.value is None else Digest(record.value)


def named_in(told: Iterable[Told]) -> tuple[Digest, ...]:
    """List what a case names, in its order and once each."""
    found = (handed_over(read_record(one.statement)) for one in told)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def in_order(
    exhibits: Iterable[bytes],
    told: Sequence[Told],
    *,
    taken_back: AbstractSet[Digest] = frozenset(),
) -> tuple[bytes, ...]:
    """Put exhibits into the order of the case.

    Raises `VerificationError` for a file of no case, and for one that a `show` alone handed over
    which was taken back: whoever has it seals it, and reports to nobody what it shows.
    """
    named = named_in(told)
    left = named_in(one for one in told if one.statement.digest not in taken_back)
    given = [(Digest.of(data), data) for data in exhibits]
    for digest, data in given:
        if digest not in named:
            raise VerificationError(
                f"no statement of the case names a file of {len(data)} bytes with the SHA-256"
                f" {digest}; expected what was handed over, with its salt at the end"
            )
        if digest not in left:
            raise VerificationError(
                f"the file with the SHA-256 {digest} was shown by mistake and taken back: it goes"
                " to nobody"
            )
    here = dict(given)
    return tuple(here[digest] for digest in named if digest in here)
