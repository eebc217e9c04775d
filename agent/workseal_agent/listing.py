"""All that the verifier lists of an engagement, page by page.

Rules: what is held at once is a page, however long the engagement was. A listing ends: its pages go
up in the log, below a size that the agreed log signed, and they hold no more statements than the
engagement can have by this machine's own clock. Nothing else in it is believed here.
"""

from collections.abc import Iterator

from workseal_agent.connection import PAGE, UnreachableError, VerifierClient
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement
from workseal_agent.submission import Log
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.policy import verify_checkpoint

# Keys, beacons, disputes, timesheets, and whatever a clock that is behind makes of the rest.
MOST_BESIDE_ROUNDS = 65_536
# A round that is worked in one piece is one statement; who pauses makes two or three of it.
MOST_OF_A_ROUND = 4


def listed(
    client: VerifierClient, engagement: Engagement, *, since: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Yield (index, statement) of all that verifying an engagement needs, in log order.

    With `since`, only what stands at that index or after it.

    Raises `UnreachableError` or `RefusedError` when the next page does not come, or is too much.
    """
    try:
        signed = SignedCheckpoint.parse(client.checkpoint())
        newest = verify_checkpoint(signed, Log.of(engagement).policy)
    except (MalformedError, VerificationError) as error:
        raise UnreachableError(
            phrase("the newest checkpoint is not the log's: {error}", error=error)
        ) from error
    most = most_of(engagement, client.now_ms())
    size = newest.checkpoint.size
    yield from pages(client, engagement.id, size=size, most=most, since=since)


def most_of(engagement: Engagement, now_ms: int) -> int:
    """Return how many statements an engagement can have, if it was worked at every hour."""
    rounds = max(0, now_ms - engagement.agreed_at) // engagement.terms.round_ms
    return MOST_BESIDE_ROUNDS + MOST_OF_A_ROUND * rounds


def pages(
    client: VerifierClient,
    engagement: bytes,
    *,
    size: int,
    most: int = MOST_BESIDE_ROUNDS,
    since: int = 0,
) -> Iterator[tuple[int, bytes]]:
    """Yield the listing of a log of `size`; `UnreachableError` beyond `most` statements."""
    count = 0
    while True:
        page = client.statements(engagement, size=size, since=since)
        count += len(page)
        if count > most:
            raise UnreachableError(
                phrase(
                    "the verifier lists more than the {most} statements that there can be by now",
                    most=most,
                )
            )
        yield from page
        if len(page) < PAGE:
            return
        since = page[-1][0] + 1
