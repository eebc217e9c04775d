"""A case file: which files it has, and what each of them holds.

Rules: everything but the given bytes follows from them, so whoever has the same statements, bundle
and openings makes the same folder, bit by bit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from workseal_protocol.casefile.bag import payload_of, write_bag
from workseal_protocol.casefile.custody import Beside, custody_csv, custody_of
from workseal_protocol.casefile.ontology import custody_jsonld
from workseal_protocol.casefile.readme import README
from workseal_protocol.casefile.replay import Replayed
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import DisputeAct, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import amount_text
from workseal_protocol.visible import plain
from workseal_protocol.window import Entry

MAX_STATEMENTS: Final = 1_000
MAX_SEALED: Final = 64
# Of each party eight exhibits, and what was shown below the level of frames.
MAX_EXHIBITS: Final = 48
CASE, BEACON, BUNDLE = "data/case.cbor", "data/beacon.cbor", "data/bundle.zip"
OPENINGS, SEALED, EXHIBITS = "data/openings.cbor", "data/sealed", "data/exhibits"
DECISION = "data/decision.cose"
DERIVED: Final = frozenset(
    {DECISION, "data/decision.txt", "data/custody.csv", "data/custody.jsonld", "data/readme.txt"}
)


@dataclass(frozen=True, slots=True)
class CaseParts:
    """Hold what a case file is made from; statements and exhibits in the order of the case."""

    statements: tuple[Statement, ...]
    beacon: tuple[Statement, ...]
    bundle: bytes
    openings: bytes | None = None
    sealed: tuple[bytes, ...] = ()
    exhibits: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.statements) + len(self.beacon) <= MAX_STATEMENTS:
            raise ValueError(f"a case file has 1 to {MAX_STATEMENTS} statements")
        if len(self.sealed) > MAX_SEALED:
            raise ValueError(f"a case file has at most {MAX_SEALED} sealed packages")
        if len(self.exhibits) > MAX_EXHIBITS:
            raise ValueError(f"a case file has at most {MAX_EXHIBITS} exhibits")

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> Self:
        """Read the parts of a folder, or raise `MalformedError`; nothing of them is verified."""
        left = check_names(files)
        try:
            return cls(
                _statements(left[CASE], CASE),
                _statements(left.get(BEACON, b""), BEACON),
                left[BUNDLE],
                left.get(OPENINGS),
                tuple(left[name] for name in _numbered(left, SEALED)),
                tuple(left[name] for name in _numbered(left, EXHIBITS)),
            )
        except ValueError as error:
            raise MalformedError(f"case file: {error}") from error


def check_names(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give the payload, or raise `MalformedError` for a strange folder."""
    payload = payload_of(files)
    for name in (CASE, BUNDLE):
        if name not in payload:
            raise MalformedError(f"the folder lacks {name}")
    sealed, exhibits = _numbered(payload, SEALED), _numbered(payload, EXHIBITS)
    if sealed != [_sealed_name(number) for number in range(len(sealed))]:
        raise MalformedError("the sealed packages are not numbered from 0000 on")
    if exhibits != [exhibit_name(number) for number in range(len(exhibits))]:
        raise MalformedError("the exhibits are not numbered from 0000 on")
    known = {CASE, BEACON, BUNDLE, OPENINGS, *sealed, *exhibits} | DERIVED
    if strange := sorted(payload.keys() - known):
        raise MalformedError(f"the folder has {strange[0]}, which no case file has")
    return payload


def make_case_file(
    parts: CaseParts, replayed: Replayed, entries: Mapping[Digest, Entry]
) -> dict[str, bytes]:
    """Return every file of the folder; `entries` are the statements in the bundle's log."""
    exhibits = {exhibit_name(number): data for number, data in enumerate(parts.exhibits)}
    beside = {Digest.of(data): Beside(name, len(data)) for name, data in exhibits.items()}
    rows = custody_of(replayed.told, entries, beside)
    payload: dict[str, bytes] = {
        CASE: _joined(parts.statements),
        BUNDLE: parts.bundle,
        "data/custody.csv": custody_csv(rows),
        "data/custody.jsonld": custody_jsonld(replayed.case.case, rows),
        "data/readme.txt": README.encode(),
    }
    if parts.beacon:
        payload[BEACON] = _joined(parts.beacon)
    if parts.openings is not None:
        payload[OPENINGS] = parts.openings
    decision = decision_in(parts.statements, replayed)
    if decision is not None:
        payload[DECISION] = decision.encode()
        text = _decision_text(decision, replayed.case)
        payload["data/decision.txt"] = text.encode()
    payload |= {_sealed_name(number): data for number, data in enumerate(parts.sealed)} | exhibits
    return write_bag(payload, replayed.case.case, replayed.told[-1].at)


def decision_in(statements: Sequence[Statement], replayed: Replayed) -> Statement | None:
    """Find the decision that stands; None while there is none."""
    wanted = replayed.case.decision
    return next((one for one in statements if one.digest == wanted), None)


def exhibit_name(number: int) -> str:
    """Name the file of an exhibit."""
    return f"{EXHIBITS}/{number:04d}.salted"


def standing_of(case: Case) -> str:
    """Say whether the decision of a case is final, as far as the case goes."""
    if not case.open:
        return "final"
    if case.appealed:
        return "not final: it was appealed against, and another person decides anew"
    return "not final: it can be appealed against"


def _decision_text(statement: Statement, case: Case) -> str:
    record = read_record(statement)
    if not isinstance(record, DisputeAct) or record.code is None or record.amount is None:
        raise ValueError("a decision is an act with a verdict and a sum")
    verdict = record.code.name.lower().replace("_", " ")
    cited = "\n".join(f"cites {one}" for one in record.cites or ())
    amount = amount_text(record.amount, case.terms.currency)
    head = (
        f"decision {statement.digest}\n{standing_of(case)}\n{verdict}\namount {amount}\n{cited}\n"
    )
    # As every command shows it: what turns text round could let a line read as another sum.
    reasons = "\n".join(map(plain, (record.text or "").split("\n")))
    return f"{head}\n{reasons}\n"


def _joined(statements: Sequence[Statement]) -> bytes:
    return b"".join(one.encode() for one in statements)


def _statements(data: bytes, name: str) -> tuple[Statement, ...]:
    try:
        items = split_sequence(data, max_items=MAX_STATEMENTS)
        return tuple(Statement.parse(item) for item in items)
    except MalformedError as error:
        raise MalformedError(f"{name}: {error}") from error


def _numbered(names: Iterable[str], folder: str) -> list[str]:
    return sorted(name for name in names if name.startswith(f"{folder}/"))


def _sealed_name(number: int) -> str:
    return f"{SEALED}/{number:04d}.sealed"
