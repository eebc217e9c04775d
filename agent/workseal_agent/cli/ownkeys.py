"""`recovery-key` and `revoke-key`: what can end this agent's key, and its end.

Rules: both are said at every verifier of this home, or at that of the engagement that was named.
What was signed lies in the home until it is in the log; a recovery key never does. No key takes the
place of an agent's own: what is encrypted under it stays so (docs/agent.md).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.language import Phrase, phrase, phrases, told_of
from workseal_agent.ledger import Engagement
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_protocol.cli.ownkeys import (
    ENDED,
    REASONS,
    Logged,
    OtherKey,
    Outgoing,
    Unanswered,
    after_logging,
    after_naming,
    announcements,
    before_naming,
    before_revoking,
    has_ended,
    keep_policy,
    named_before,
    revocation,
    says_the_same,
)
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.statement import Statement
from workseal_protocol.worded import Worded

# The same bytes would be refused again.
_FOR_GOOD = frozenset({400, 403, 409, 413, 422})
_CONFLICT = 409
_SEND_STEPS = 64

Yes = Annotated[bool, typer.Option("--yes", help="Sign and send without being asked.")]
Made = tuple[Statement, ...]


class Reason(StrEnum):
    """Name why one ends a key that one has; with a recovery key, `workseal` knows "lost", too."""

    COMPROMISED = "compromised"
    RETIRED = "retired"


@app.command("recovery-key")
def recovery_key(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="The recovery key's file, made if there is none; not in this home."),
    ],
    *,
    yes: Yes = False,
) -> None:
    """Name the key that can end yours when this machine is lost or stolen."""
    home = home_of(context)
    _require_elsewhere(home, file)
    other = OtherKey(file)
    own, named = home.public_key.thumbprint, other.signer.public_key.thumbprint

    def make(now_ms: int) -> Made:
        return announcements(home.signer, other.signer, Role.FREELANCER, now_ms=now_ms)

    with ExitStack() as stack:
        places = _places(home, stack)
        left = _unsettled(places, make)
        for place in left:
            _say_all(before_naming(own, named, place.url))
        if left:
            _require_yes(yes=yes)
            other.write()
        try:
            _send(left, make, named_before(own))
        except _RefusedEverywhereError:
            if len(left) == len(places):
                other.take_back()
            raise
        policies = {one.url: keep_policy(file, Log.of(one.engagements[0]).policy) for one in places}
        _say_all(after_naming(own, file, policies))


@app.command("revoke-key")
def revoke_key(
    context: typer.Context,
    *,
    reason: Annotated[Reason, typer.Option(help="Why it ends.")],
    yes: Yes = False,
) -> None:
    """End your own key, as the last thing; where it is lost, `workseal revoke-key` does it."""
    home = home_of(context)
    if home.recorded() is not None:
        raise AgentError(
            "recording runs, and work by a key that ended is taken by no log: `workseal-agent stop`"
            " first"
        )
    own = home.public_key.thumbprint

    def make(now_ms: int) -> Made:
        return (revocation(home.signer, own, REASONS[reason.value], now_ms=now_ms),)

    with ExitStack() as stack:
        places = _places(home, stack)
        left = _unsettled(places, make)
        for place in left:
            _say_all(before_revoking(own, place.url))
            for line in _unlogged(home, place):
                say(line)
        if left:
            _require_yes(yes=yes)
        _send(left, make, has_ended(own))


class _ForGoodError(AgentError):
    """Say what a verifier refused, and will refuse again."""

    def __init__(self, refused: RefusedError) -> None:
        super().__init__(told_of(refused))
        self.refused = refused


class _RefusedEverywhereError(AgentError):
    """Say that no verifier took it, or will."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Hold one verifier of the home, its engagements here, and what goes there."""

    url: str
    engagements: tuple[Engagement, ...]
    client: VerifierClient
    out: Outgoing

    def now_ms(self) -> int:
        """Return the time, and no later one than the verifier's: that it would refuse."""
        return min(self.client.now_ms(), self.client.operator().time_ms)


def _places(home: Home, stack: ExitStack) -> list[_Place]:
    chosen = home.engagement()
    known = [chosen] if home.named is not None else [*home.ledger.engagements()]
    places = []
    for url in dict.fromkeys(one.url for one in known):
        here = tuple(one for one in known if one.url == url)
        client = home.client(url)
        stack.callback(client.close)
        kept = Unanswered(home.files.keys_file, url)
        out = Outgoing(kept, _submitting(client, here[0]), _ForGoodError)
        places.append(_Place(url, here, client, out))
    return places


def _submitting(client: VerifierClient, engagement: Engagement) -> Callable[[Made], Logged]:
    policy = Log.of(engagement).policy

    def submit(statements: Made) -> Logged:
        try:
            indices, verified = client.submit_verified(statements, policy)
        except RefusedError as error:
            if error.status in _FOR_GOOD:
                raise _ForGoodError(error) from error
            raise _not_finished(error) from error
        except (UnreachableError, VerificationError) as error:
            raise _not_finished(error) from error
        return Logged(statements, indices[0], verified.existed_by)

    return submit


def _not_finished(error: Exception) -> AgentError:
    return AgentError(
        phrase(
            "not finished: {error}; it is kept, and the same command sends it again", error=error
        )
    )


def _unsettled(places: Iterable[_Place], make: Callable[[int], Made]) -> list[_Place]:
    """Send what was signed before; returns where the same is still to be said."""
    left = []
    for place in places:
        wanted = make(place.now_ms())
        before = place.out.settled()
        if before is not None:
            say(phrase("sent what you signed before: {digest}", digest=before.statements[0].digest))
            _tell(place, before)
        if before is None or not says_the_same(before.statements[0], wanted[0]):
            left.append(place)
    return left


def _send(places: Sequence[_Place], make: Callable[[int], Made], already: Worded) -> None:
    """Say it at each verifier, also where another one refused it."""
    problems: list[Exception] = []
    for place in places:
        try:
            _tell(place, place.out.send(make(place.now_ms())))
        except (AgentError, UnreachableError, RefusedError) as error:
            problems.append(error)
            if len(places) > 1:
                problem = _told(error, already)
                say(phrase("at {url}: {problem}", url=place.url, problem=problem))
    if not problems:
        return
    refused = sum(isinstance(one, _ForGoodError) for one in problems)
    kind = _RefusedEverywhereError if refused == len(places) else AgentError
    if len(places) == 1:
        raise kind(_told(problems[0], already))
    raise kind(
        phrases(
            len(problems),
            "not done at {count} of your verifiers: see above",
            "not done at {count} of your verifiers: see above",
        )
    )


def _told(error: Exception, already: Worded) -> str:
    refused = error.refused if isinstance(error, _ForGoodError) else None
    if refused is not None and (refused.status == _CONFLICT or ENDED in refused.detail):
        return Phrase.from_worded(already)
    return told_of(error)


def _tell(place: _Place, logged: Logged) -> None:
    """Say that it is logged, and only then let go of it."""
    at = Phrase.from_worded(after_logging(logged))
    say(phrase("{url}: {logged}", url=place.url, logged=at))
    place.out.told()


def _unlogged(home: Home, place: _Place) -> Iterator[Phrase]:
    """Send what is still to be sent; tells what cannot be, for it never will be."""
    for engagement in place.engagements:
        uplink = Uplink(home.ledger, place.client, Log.of(engagement), wall_ms=place.client.now_ms)
        uplink.drain(_SEND_STEPS)
        counts = home.ledger.counts(engagement.id)
        if counts.unsent + counts.parked:
            yield phrases(
                counts.unsent + counts.parked,
                "- {count} statement of engagement {number} is not in the log, and never will be",
                "- {count} statements of engagement {number} are not in the log, and never will be",
                number=engagement.id.hex(),
            )


def _require_elsewhere(home: Home, file: Path) -> None:
    if file.resolve().is_relative_to(home.files.home.resolve()):
        raise UsageProblem(
            "expected a file outside this agent's home: who takes the home takes all that is in it"
        )


def _require_yes(*, yes: bool) -> None:
    if not yes and not confirmed("Sign it, and have it logged?"):
        raise AgentError("nothing was signed")


def _say_all(lines: Iterable[Worded]) -> None:
    for line in lines:
        say(Phrase.from_worded(line))
