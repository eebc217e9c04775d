"""Cases of a key, on lines: as the verifier lists them, with the sums that they ended with.

Rule: at what sum a case ended is read from its statements, once: what was seen of a case is kept,
and read again only where the verifier names another head. What cannot be read is said, and hides no
other case.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.reading import Live, split_case
from workseal_protocol.cli.acting.verifier import list_line
from workseal_protocol.cli.casesums import ending_of
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.records import DisputeFiling, read_record

# The others end with no sum.
_OF_SUMS: Final = frozenset(
    one.value for one in (State.SETTLED, State.FINAL, State.SEALED, State.PURGED)
)


def list_lines(
    listed: Iterable[dict[str, object]], folder: CaseFolder, live: Callable[[Digest], Live]
) -> Iterator[str]:
    """Write each case of a list; `live` reads one, and keeps what it read in the folder."""
    for one in listed:
        parts = [list_line(one)]
        if one["state"] in _OF_SUMS:
            parts.append(_ended(one, folder, live))
        yield "  ".join(filter(None, parts))


def _ended(one: dict[str, object], folder: CaseFolder, live: Callable[[Digest], Live]) -> str:
    case = Digest(bytes.fromhex(str(one["case"])))
    try:
        statements = split_case(folder.told(case))
        if not statements or str(statements[-1].digest) != one.get("head"):
            statements = [step.statement for step in live(case).steps]
        told = [(each.digest, read_record(each)) for each in statements]
        found = ending_of(told)
        if found is None or not isinstance(told[0][1], DisputeFiling):
            return ""
        return found.words(folder.known(told[0][1].engagement).terms.currency)
    except CommandError as error:
        return f"at what sum it ended is not known: {error}"
