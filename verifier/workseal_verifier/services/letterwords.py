"""What a mail says of where a case stands: to its reader, in words, and what they can do.

Rules: it follows from state, deadline and whose turn it is; nothing of what was said is in it. What
silence does is the protocol's own sentence, and what is promised of late words is in its table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from workseal_protocol.cli.acting.standing import SILENCE
from workseal_protocol.dispute import CLOSED, State
from workseal_protocol.keys import Role

_PARTIES: Final = (Role.CLIENT, Role.FREELANCER)
_WHO: Final[Mapping[Role, str]] = {
    Role.CLIENT: "the client",
    Role.FREELANCER: "the freelancer",
    Role.ARBITRATOR: "the arbitrator",
    Role.OPERATOR: "the operator of this log",
}
# What whoever is waited for is to do, where it is not the same for all of them.
_DECLARE: Final = "say that you are free of conflicts, or step back"
_DECLARE_THEY: Final = "say that they are free of conflicts, or step back"
_TO_DO: Final[Mapping[State, str]] = {
    State.NOTICE: "give notice of the case",
    State.ANSWER: "answer, or take more time",
    State.SECOND: "answer; this is the second notice",
    State.NEGOTIATION: "make an offer, accept one, or end the talks",
    State.DRAW: "draw an arbitrator",
    State.SEATING: "accept or strike the person who was drawn",
    State.EVIDENCE: "ask for evidence, or draft the decision",
    State.OBJECTION: "object to a request for evidence, or let it be",
    State.RULING: "rule on the request for evidence",
    State.NAMING: "name the frames that are asked for",
    State.DISCLOSURE: "show what was granted, or withhold it with a reason",
    State.COMMENT: "comment on what was shown or withheld, or pass",
    State.DRAFT: "comment on the draft of the decision, or pass",
    State.DECISION: "decide",
    # A mail follows from the state alone, and does not know who is left.
    State.APPEAL: (
        "appeal against the decision, where another person is left on the agreed panel, or let it"
        " be final"
    ),
    State.REVIEW: "say your word to the new arbitrator, or pass",
}
# The same, of others.
_TO_DO_THEY: Final[Mapping[State, str]] = {
    State.REVIEW: "say their word to the new arbitrator, or pass",
}
# Who does none of it leaves nothing undone.
_OFFERED: Final = frozenset({State.NEGOTIATION, State.APPEAL})
_ENDED: Final[Mapping[State, str]] = {
    State.SETTLED: "The parties have settled this case.",
    State.WITHDRAWN: "Whoever filed this case has withdrawn it.",
    State.UNDECIDED: "This case is closed without a decision: nobody is left to decide it.",
    State.FINAL: "This case is decided, and the decision is final.",
}
_OVER: Final = CLOSED | {State.SEALED, State.PURGED}
_NOTHING: Final = "Nobody is waited for, and you need to do nothing."
# What is taken later as well, of whoever is silent now.
LATE: Final[Mapping[State, tuple[str, str]]] = {
    State.ANSWER: ("answer", "An answer is taken until the draft, and marked where it is late."),
    State.DISCLOSURE: (
        "show",
        "What was granted can be shown until the draft or the next request.",
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what a mail is about: state, deadline as written, whose turn, and who reads it.

    `you` is None where the reader is not known to have a part in the case any more; `sued` says
    that the other party filed it, `secret_until` until when their secret for a draw is taken. The
    `keyless` ended their key, with no other in its place.
    """

    state: State
    until: str | None
    waiting: frozenset[Role]
    you: Role | None
    sued: bool = False
    secret_until: str | None = None
    keyless: frozenset[Role] = frozenset()


def standing_lines(told: Told) -> Iterator[str]:
    """Say where the case stands, what is to be done by whom until when, and what silence does."""
    if told.secret_until is not None:
        yield (
            f"Until {told.secret_until} you can reveal the secret that you committed to, for the"
            " draw of frames. The page of the case has the command. If it is not out by then, the"
            " frames are drawn without it, and nobody asks again."
        )
    if told.state in CLOSED:
        yield f"{_ENDED[told.state]} {_NOTHING}"
        if told.until is not None:
            yield f"The case is sealed after {told.until}: then its arbitrator reads no work."
    elif told.state is State.SEALED:
        yield from _sealed(told)
    elif told.state is State.PURGED:
        yield f"This case is over. {_NOTHING}"
    elif told.state is State.STAYED:
        yield "This case is stayed: no time runs."
        if told.until is not None:
            yield f"It goes on after {told.until}, or when the arbitrator says so before."
            if told.secret_until is None:
                yield "You need to do nothing until then."
    else:
        yield from _running(told)
    if told.state not in _OVER:
        yield from map(_has_no_key, (_name(role, told.you) for role in sorted(told.keyless)))


def _has_no_key(who: str) -> str:
    return (
        f"The key of {who} was ended, and no other takes its place: nothing more comes from {who},"
        " and the case moves on by its deadlines."
    )


def _running(told: Told) -> Iterator[str]:
    yours = told.you in told.waiting
    if told.sued and told.state is State.NOTICE:
        yield "The other party has filed this case. You will be waited for to answer it."
    whom = "you" if yours else _named(told.waiting, told.you)
    if whom:
        verb = "may" if told.state in _OFFERED else "are to" if yours else _is_to(told)
        said = f"{whom} {verb} {_to_do(told, yours=yours)}."
        yield _capital(said if told.until is None else f"until {told.until} {said}")
    if yours and (others := _named(told.waiting - {told.you}, told.you)):
        yield f"Also waited for: {others}."
    if told.until is not None:
        # Of a draw it begins with that nothing follows.
        yield f"If nobody acts until then: {SILENCE[told.state].removeprefix('nothing: ')}."
    if told.state in LATE:
        yield LATE[told.state][1]
    if told.sued and told.state is State.NOTICE:
        yield "You can answer now. The days for it begin when notice is given; reading the page of"
        yield "the case counts as notice."
    elif not yours and told.secret_until is None:
        yield "You need to do nothing now; the page of the case says what you may do."


def _sealed(told: Told) -> Iterator[str]:
    yield "This case is closed and sealed."
    if Role.ARBITRATOR in told.waiting and told.until is not None:
        # The operator has said so of what it held.
        yield f"It ends after {told.until}, also where the arbitrator says nothing until then."
        if told.you is Role.ARBITRATOR:
            yield "You are to destroy the key of this case now, and to say so in it."
    elif told.until is not None:
        yield f"What was shown in it is destroyed after {told.until}."
        if told.you is Role.ARBITRATOR:
            yield "You are to destroy the key of this case then, and to say so in it."
    if told.you is not Role.ARBITRATOR:
        yield "You need to do nothing."


def _to_do(told: Told, *, yours: bool) -> str:
    if told.state is State.SEATING and Role.ARBITRATOR in told.waiting:
        return _DECLARE if yours else _DECLARE_THEY
    if not yours:
        return _TO_DO_THEY.get(told.state, _TO_DO[told.state])
    return _TO_DO[told.state]


def _named(roles: frozenset[Role | None], you: Role | None) -> str:
    """Name people as the reader knows them."""
    names = [_name(one, you) for one in sorted(one for one in roles if one is not None)]
    return ", ".join([*names[:-2], " and ".join(names[-2:])]) if names else ""


def _is_to(told: Told) -> str:
    return "is to" if len(told.waiting) == 1 else "are to"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _name(role: Role, you: Role | None) -> str:
    return "the other party" if role in _PARTIES and you in _PARTIES else _WHO[role]


def entry_lines(url: str, you: Role | None) -> Iterator[str]:
    """Say how the page of a case is reached: it asks for signing in."""
    agent, other = "workseal-agent sign-in", f"workseal sign-in {url} --key KEYFILE"
    yield "The page asks you to sign in: with a passkey, if you made one there, or by the link that"
    yield "this command prints, where your key is:"
    if you in {None, Role.FREELANCER}:
        yield f"  {agent}"
    if you is not Role.FREELANCER:
        yield f"  {other}"
