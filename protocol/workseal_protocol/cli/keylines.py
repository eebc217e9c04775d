"""The parties' keys in words, the same for everybody who is shown them."""

from collections.abc import Iterable, Iterator

from workseal_protocol.cli.text import instant
from workseal_protocol.partykeys import PartyKey


def key_lines(keys: Iterable[PartyKey], now_ms: int) -> Iterator[str]:
    """Say whose key is whose, since when, and what is still to come."""
    for one in keys:
        yield f"{one.role.name.lower()} {one.key.text()}"
        if one.begun is not None:
            yield f"  replaced another one, index {one.begun.index}, {instant(one.begun.at_ms)}"
            waits = now_ms < one.reads_from_ms and one.ended is None
            verb = "WAITS: reads" if waits else "reads"
            yield f"  {verb} from {instant(one.reads_from_ms)}"
        if one.recovery is not None:
            named, moment = one.recovery
            yield f"  may be revoked by {named}, named at index {moment.index}"
        if one.ended is not None:
            yield f"  ended, index {one.ended.index}, {instant(one.ended.at_ms)}"
