"""An invitation's link as it comes out of a mail: in brackets, in a sentence, over two lines.

Rule: only what can be nothing else is mended. The numbers that name the offer never are: a link
that was cut says how much of it is there.
"""

import re

from workseal_agent.engagement import OfferLink
from workseal_agent.errors import UsageProblem
from workseal_agent.language import phrase
from workseal_protocol.errors import MalformedError

_SIGN = "#offer="
_LINK = re.compile(rf"https?://[^\s<>\"'#]*{_SIGN}[0-9a-f]{{32}}\.[0-9a-f]{{64}}", re.IGNORECASE)
_DIGITS = (32, 64)


def link_in(text: str) -> OfferLink | None:
    """Return the link in a text; None where there is none, `UsageProblem` for a part of one."""
    # No part of a link has a space: one that stands there was put in by a line's end.
    whole = "".join(text.split())
    found = _LINK.search(whole)
    if found is not None:
        scheme, rest = found[0].split("://", 1)
        try:
            return OfferLink.parse(f"{scheme.lower()}://{rest}")
        except MalformedError as error:
            raise UsageProblem(str(error)) from error
    if _SIGN not in whole:
        if whole.lower().startswith(("http://", "https://")):
            raise UsageProblem(
                phrase("this link is no invitation: {sign} and two numbers are missing", sign=_SIGN)
            )
        return None
    if "://" not in whole:
        raise UsageProblem("the beginning of the link is missing: it is https://HOST/#offer=…")
    engagement, _, digest = whole.partition(_SIGN)[2].partition(".")
    there = [len(re.match("[0-9a-fA-F]*", part)[0]) for part in (engagement, digest)]  # type: ignore[index]
    raise UsageProblem(
        phrase(
            "the link is cut or changed: its two numbers have {first} and {second} digits, expected"
            " {of_first} and {of_second}; copy all of it, and put it between quotes",
            first=there[0],
            second=there[1],
            of_first=_DIGITS[0],
            of_second=_DIGITS[1],
        )
    )
