"""A verifier, as the commands of client and arbitrator ask it about cases.

Rule: each answer is bounded; nothing in it is believed but its form. What only a party reads is
asked for with a signature by the party's key.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from urllib.parse import SplitResult

from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.server import ask, clock_of, submit
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import MAX_BYTES, decode, split_sequence
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Signer
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms, amount_text

_CASE = re.compile(r"[0-9a-f]{8,64}")
_MARK = re.compile(r"[0-9-]{1,20}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_SUM: Final = 10**15
_PAGE: Final = 512
_INDICES: Final = 16_384
_MOST_PAGES: Final = 4_096
_LIST_BYTES: Final = 1 << 20
# Pages of a list of cases: each of them may have up to a hundred.
_MOST_LISTED: Final = 32
MORE: Final = "more cases than are read here"
_MOST_STATEMENTS: Final = 400
_MOST_WORD: Final = 40
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold the cases of a key as a verifier lists them, and whether it has more than were read."""

    cases: tuple[dict[str, object], ...]
    is_cut: bool = False


class CaseVerifier:
    """Ask one verifier, with one key."""

    def __init__(self, address: SplitResult, signer: Signer) -> None:
        self._address = address._replace(path="", query="", fragment="")
        self._signer = signer

    @property
    def url(self) -> str:
        """Return the address."""
        return self._address.geturl()

    def cases(self) -> Listed:
        """Return the cases that this key may read, as the verifier lists them."""

        def page(before: str | None) -> bytes:
            query = "" if before is None else f"before={before}"
            return self._get("/v1/cases", _LIST_BYTES, query)

        return listed_by(page)

    def told(self, case: Digest) -> tuple[Digest, str]:
        """Return head and state as the verifier says them."""
        return told_in(self._get(f"/v1/cases/{case}", _LIST_BYTES))

    def statements(self, case: Digest) -> bytes:
        """Return the statements of a case, filing first."""
        return self._get(f"/v1/cases/{case}/statements", _MOST_STATEMENTS * MAX_BYTES)

    def listing(self, engagement: bytes, since: int) -> Iterator[tuple[int, bytes]]:
        """Give (index, statement) of an engagement from an index on, page by page."""
        path = f"/v1/engagements/{engagement.hex()}"
        for _ in range(_MOST_PAGES):
            query = f"from={since}&count={_PAGE}"
            listed = self._get(f"{path}/indices", _INDICES, query)
            data = self._get(f"{path}/statements", _PAGE * MAX_BYTES, query)
            page = _page(listed, data, since)
            yield from page
            if len(page) < _PAGE:
                return
            since = page[-1][0] + 1
        raise CommandError("the verifier lists more than an engagement can have", DOES_NOT_HOLD)

    def value(self, terms: Terms, number: int) -> bytes:
        """Return the beacon's value of a round that has begun."""
        place = self._address._replace(path=f"/v1/beacon/{terms.round_ms}/{number}")
        value = ask(place, "GET", None, limit=1_024)
        if len(value) != DIGEST_BYTES:
            raise _no_form()
        return value

    def clock_ms(self) -> int:
        """Return the verifier's time."""
        return clock_of(self._address)

    def submit(self, statement: Statement, terms: Terms) -> None:
        """Have a statement logged, and see the log of the terms prove it.

        `RefusalError` when it is refused for good; after another `CommandError` it may be logged.
        """
        submit(self._address, None, statement, TlogPolicy.parse(terms.log_policy))

    def _get(self, path: str, limit: int, query: str = "") -> bytes:
        return ask(self._address._replace(path=path, query=query), "GET", self._signer, limit=limit)


def listed_by(page: Callable[[str | None], bytes]) -> Listed:
    """Read a list of cases page by page, so many at most, or raise `CommandError`.

    `page` asks for one: the first, or what goes on before a place that the one before it named.
    """
    # One that moves meanwhile may stand on two pages.
    found: dict[object, dict[str, object]] = {}
    before: str | None = None
    for _ in range(_MOST_LISTED):
        cases, before = _page_of(page(before))
        found |= {one["case"]: one for one in cases}
        if before is None:
            break
    return Listed(tuple(found.values()), is_cut=before is not None)


def _page_of(answer: bytes) -> tuple[list[dict[str, object]], str | None]:
    page = _json(answer)
    found = page.get("cases") if isinstance(page, dict) else None
    if not isinstance(page, dict) or not isinstance(found, list) or "before" not in page:
        raise _no_form()
    before = page["before"]
    if before is not None and (not isinstance(before, str) or _MARK.fullmatch(before) is None):
        raise _no_form()
    if not all(map(_is_listed, found)):
        raise _no_form()
    return found, before


def _is_listed(one: object) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("state"), str):
        return False
    case = one.get("case")
    return isinstance(case, str) and len(case) == 64 and _CASE.fullmatch(case) is not None


def told_in(answer: bytes) -> tuple[Digest, str]:
    """Read head and state of what a verifier says of a case, or raise `CommandError`."""
    found = _json(answer)
    try:
        if isinstance(found, dict):
            return Digest(bytes.fromhex(str(found["head"]))), str(found["state"])
    except (KeyError, ValueError) as error:
        raise _no_form() from error
    raise _no_form()


def case_named(name: str, listed: Callable[[], Listed]) -> Digest:
    """Return the case of a name, or of its first digits; the only one without a name.

    Among more cases than are read another one may begin alike, so that digits name none.
    """
    if name and _CASE.fullmatch(name) is None:
        raise CommandError(f"expected a case's number, 8 to 64 hex digits, found {name[:80]}")
    if len(name) == 64:
        return Digest(bytes.fromhex(name))
    read = listed()
    known = read.cases
    found = [str(one["case"]) for one in known if str(one["case"]).startswith(name)]
    if len(found) == 1 and not read.is_cut:
        return Digest(bytes.fromhex(found[0]))
    text = _not_one(name, known, len(found))
    if read.is_cut:
        text = f"type the whole number of the case, for the verifier has {MORE}"
    raise CommandError(text, DOES_NOT_HOLD)


def _not_one(name: str, known: Sequence[dict[str, object]], found: int) -> str:
    """Say that no one case is meant, and which there are."""
    there = [
        f"{str(one['case'])[:12]} ({str(one.get('state', 'seen here before'))[:_MOST_WORD]})"
        for one in known[:_MOST_NAMED]
    ]
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    listed = f"there are {', '.join(there)}{more}" if there else "there is none that you may read"
    if not name:
        return f"name the case: {listed}"
    if found:
        return f"{found} cases begin with {name}: type more of its number"
    return f"no such case: {name}; {listed}"


def list_line(one: dict[str, object]) -> str:
    """Write one case of a list on a line: its state, whose turn until when, and the sum."""
    parts = [f"{one['case']}  {str(one['state'])[:_MOST_WORD]}", _due_part(one)]
    amount, currency = one.get("amount"), str(one.get("currency"))
    if isinstance(amount, int) and 0 <= amount < _MOST_SUM and _CURRENCY.fullmatch(currency):
        parts.append(f"at stake {amount_text(amount, currency)}")
    return "  ".join(parts)


def _due_part(one: dict[str, object]) -> str:
    due = one.get("due")
    if not isinstance(due, dict):
        return "nobody is waited for"
    waiting = due.get("waiting_for")
    names = [str(who)[:_MOST_WORD] for who in waiting[:3]] if isinstance(waiting, list) else []
    turn = ", ".join(f"{who} (you)" if who == one.get("you") else who for who in names)
    return f"{turn or 'nobody'} until {_moment_of(due, one.get('you'))}"


def _moment_of(due: dict[str, object], you: object) -> str:
    """Write a deadline in the zone of whoever reads, as the case has it; else in UTC."""
    local = due.get("local")
    for each in local if isinstance(local, list) else []:
        if isinstance(each, dict) and each.get("who") == you and isinstance(each.get("time"), str):
            return f"{each['time'][:_MOST_WORD]} {str(each.get('zone'))[:_MOST_WORD]}"
    utc = due.get("utc")
    return utc[:_MOST_WORD] if isinstance(utc, str) else "-"


def _json(answer: bytes) -> object:
    try:
        found: object = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise _no_form() from error
    return found


def _page(listed: bytes, data: bytes, since: int) -> list[tuple[int, bytes]]:
    try:
        indices = decode(listed)
        bodies = split_sequence(data, max_items=_PAGE)
    except MalformedError as error:
        raise CommandError(f"the verifier's list is malformed: {error}", DOES_NOT_HOLD) from error
    found = [one for one in indices if isinstance(one, int)] if isinstance(indices, list) else []
    ascending = all(one < two for one, two in pairwise([since - 1, *found]))
    # The log may grow between the two answers: what has no index yet comes with the next page.
    if not isinstance(indices, list) or len(found) != len(indices) or len(bodies) < len(found):
        raise _no_form()
    if not ascending:
        raise _no_form()
    return list(zip(found, bodies, strict=False))


def _no_form() -> CommandError:
    return CommandError("the verifier's answer is not in the right form", DOES_NOT_HOLD)
