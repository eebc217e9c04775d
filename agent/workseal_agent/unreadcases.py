"""The cases of one engagement that run, as a verifier tells whoever shows the freelancer's key.

Rules: it is the verifier's word, and believed for keeping frames alone. That a case has ended it
may say of one that this home does not know, of which it could have said nothing at all; what this
home knows of, it holds until it has read the end itself.
"""

import json
import re
from typing import Any

from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement
from workseal_protocol.digest import Digest

# What a verifier lists later is of no agreement that one signed: these come first
# (docs/spec/cases.md), and nobody can keep an answer from its end by naming somebody in thousands.
_MOST_PAGES = 32
_CASE = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(r"[0-9-]{1,20}")
# As docs/spec/dispute.md names them; in every other state, also one not heard of yet, a case runs.
ENDED = frozenset({"settled", "withdrawn", "undecided", "final", "sealed", "purged"})


def running_cases(client: VerifierClient, engagement: Engagement) -> frozenset[Digest]:
    """Return those that the verifier says run; raises `UnreachableError` or `RefusedError`."""
    number, before = engagement.id.hex(), None
    for _ in range(_MOST_PAGES):
        page, before = _page(client.cases(before))
        own = [one for one in page if one["engagement"] == number]
        # All cases of an agreement stand on one page.
        if own or before is None:
            return frozenset(
                Digest(bytes.fromhex(one["case"])) for one in own if one["state"] not in ENDED
            )
    return frozenset()


def _page(answer: bytes) -> tuple[list[dict[str, Any]], str | None]:
    """Read a page: its cases, and what the next one is asked for with."""
    try:
        page: object = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise _no_form() from error
    match page:
        case {"cases": list(found), "before": None | str() as before} if all(map(_is_case, found)):
            if before is None or _MARK.fullmatch(before):
                return found, before
    raise _no_form()


def _is_case(one: object) -> bool:
    match one:
        case {"case": str(name), "engagement": str(), "state": str()}:
            return _CASE.fullmatch(name) is not None
    return False


def _no_form() -> UnreachableError:
    return UnreachableError(phrase("the verifier's list of cases is not in the right form"))
