"""Who may do what: the one table role x operation x state, and the decision over it.

Rules: an operation without a row is refused. What a request has to show stands in its row, and so
do, for each role, the states of an engagement in which it may. Nobody else can tell whether there
is such an engagement: all of them hear the same. A key that came by rotation waits until the other
party had time to see it; one that was ended is refused at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role


@unique
class Who(StrEnum):
    """Name in what role somebody asks; `PUBLIC` is everybody who is no party here."""

    FREELANCER = "freelancer"
    CLIENT = "client"
    ARBITRATOR = "arbitrator"
    OPERATOR = "operator"
    PUBLIC = "public"

    @classmethod
    def of(cls, role: Role) -> "Who":
        """Return the party of a role."""
        return cls(role.name.lower())


@unique
class State(StrEnum):
    """Say how far an engagement has come, as the one who asks may see it.

    For an arbitrator it is disputed by a case in which they sit, or by a request of their own
    beside any case, as long as they left none. Of a case, and of a request in one, their seat there
    decides.
    """

    NONE = "none"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DISPUTED = "disputed"


@unique
class Shown(StrEnum):
    """Say what a request has to show."""

    NOTHING = "nothing"
    CONTENT = "content"  # what it carries speaks for itself: a signed statement, a token
    SIGNATURE = "signature"  # a signature by a key that is known here
    SESSION = "session"  # a browser's session
    KEY = "key"  # one of both
    PARTY = "party"  # one of both, of a party of the engagement that it names


@unique
class About(StrEnum):
    """Say what the name in an address names."""

    NOTHING = "nothing"
    ENGAGEMENT = "engagement"
    REQUEST = "request"
    STATEMENT = "statement"
    CASE = "case"
    SAID = "statements of a case"


@unique
class Verdict(StrEnum):
    """Say what becomes of a request."""

    ALLOWED = "allowed"
    UNPROVEN = "unproven"
    HIDDEN = "hidden"
    WAITING = "waiting"
    NOT_FRESH = "not fresh"


@dataclass(frozen=True, slots=True)
class Standing:
    """Say what a key is to what it asks about; `from_ms` is when its waiting time ends.

    `closed` are the cases of the engagement of which an arbitrator reads nothing.
    """

    who: Who = Who.PUBLIC
    state: State = State.NONE
    from_ms: int = 0
    closed: frozenset[Digest] = frozenset()


Cells = Mapping[Who, frozenset[State]]

_NOBODYS: Final = frozenset({State.NONE})
_BEGUN: Final = frozenset({State.OFFERED, State.ACCEPTED, State.DISPUTED})
_DISPUTED: Final = frozenset({State.DISPUTED})
_EVERYBODY: Final[Cells] = {who: frozenset(State) for who in Who}
_KNOWN: Final[Cells] = {who: frozenset(State) for who in Who if who is not Who.PUBLIC}
# An arbitrator reads what they asked about, with a reason that both parties see; the operator has
# the machine, so its key needs no way in, and who steals it gets none.
_READERS: Final[Cells] = {
    Who.FREELANCER: _BEGUN,
    Who.CLIENT: _BEGUN,
    Who.ARBITRATOR: _DISPUTED,
}


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one operation's row: what is shown, and the states in which each role may.

    A sensitive act asks a session for a passkey that was used a moment ago.
    """

    shown: Shown
    cells: Cells = field(hash=False)
    about: About = About.NOTHING
    sensitive: bool = False


# An arbitrator sits in the case, and it is not sealed.
_IN_A_CASE: Final[Cells] = {
    Who.FREELANCER: _DISPUTED,
    Who.CLIENT: _DISPUTED,
    Who.ARBITRATOR: _DISPUTED,
}


_OPEN: Final = Row(Shown.NOTHING, _EVERYBODY)
_CARRIED: Final = Row(Shown.CONTENT, _EVERYBODY)
_SESSION: Final = Row(Shown.SESSION, _KNOWN)
_READING: Final = Row(Shown.PARTY, _READERS, About.ENGAGEMENT)

TABLE: Final[Mapping[str, Row]] = {
    "POST /v1/statements": _CARRIED,
    # The index alone, which anybody finds in the public entries.
    "GET /v1/statements/{name}": _OPEN,
    # Names the engagement: with the public entries it would sort the log by engagements.
    "GET /v1/statements/{name}/receipt": Row(Shown.PARTY, _READERS, About.STATEMENT),
    "POST /entries": _CARRIED,
    "GET /entries/{name}": Row(Shown.PARTY, _READERS, About.STATEMENT),
    "GET /.well-known/scitt-keys": _OPEN,
    "GET /.well-known/scitt-keys/{kid}": _OPEN,
    "GET /v1/log/checkpoint": _OPEN,
    "GET /v1/log/checkpoints/{size}": _OPEN,
    "GET /v1/log/tile/{path:path}": _OPEN,
    "POST /v1/log/proof": _OPEN,
    "GET /v1/log/timestamps": _OPEN,
    "GET /v1/log/tsa-ca.pem": _OPEN,
    "GET /v1/engagements/{name}/statements": _READING,
    "GET /v1/engagements/{name}/indices": _READING,
    "GET /v1/engagements/{name}/conflicts": _READING,
    "GET /v1/engagements/{name}/keys": _READING,
    # Lists what the one who asks may read.
    "GET /v1/cases": Row(Shown.KEY, _KNOWN),
    "GET /v1/cases/{name}": Row(Shown.PARTY, _IN_A_CASE, About.SAID),
    "GET /v1/cases/{name}/statements": Row(Shown.PARTY, _IN_A_CASE, About.SAID),
    # One's own alone.
    "GET /v1/notices": Row(Shown.KEY, _KNOWN),
    "GET /v1/contact": Row(Shown.KEY, _KNOWN),
    # Who has a stolen session alone does not send somebody's notices elsewhere.
    "PUT /v1/contact": Row(Shown.KEY, _KNOWN, sensitive=True),
    "DELETE /v1/contact": Row(Shown.KEY, _KNOWN, sensitive=True),
    # What a mail's link leads to: its token stops mails and does nothing else.
    "GET /stop/{token}": _OPEN,
    "POST /stop/{token}": _CARRIED,
    # The same for the link that confirms an address.
    "GET /confirm/{token}": _OPEN,
    "POST /confirm/{token}": _CARRIED,
    "POST /v1/disclosures": _CARRIED,
    "PUT /v1/sealed/{name}": Row(Shown.PARTY, {Who.FREELANCER: _DISPUTED}, About.REQUEST),
    "GET /v1/sealed/{name}": Row(
        Shown.PARTY, {Who.ARBITRATOR: _DISPUTED}, About.REQUEST, sensitive=True
    ),
    "GET /healthz": _OPEN,
    "GET /readyz": _OPEN,
    "GET /openapi.json": _OPEN,
    "GET /v1/operator": _OPEN,
    "GET /v1/beacon/drand/latest": _OPEN,
    "GET /v1/beacon/drand/{place}": _OPEN,
    "GET /v1/beacon/{period}": _OPEN,
    "GET /v1/beacon/{period}/{place}": _OPEN,
    "POST /v1/invitations/accept": _CARRIED,
    "POST /v1/signin/links": Row(Shown.SIGNATURE, _KNOWN),
    "POST /v1/signin": _CARRIED,
    "POST /v1/signin/passkey/options": _OPEN,
    "POST /v1/signin/passkey": _CARRIED,
    "GET /v1/session": _SESSION,
    "DELETE /v1/session": _SESSION,
    "DELETE /v1/sessions": Row(Shown.KEY, _KNOWN),
    # In a session more is asked for, and not the same for the first: services.passkeys.
    "POST /v1/passkeys/options": Row(Shown.KEY, _KNOWN),
    "POST /v1/passkeys": Row(Shown.KEY, _KNOWN),
    "DELETE /v1/passkeys": Row(Shown.KEY, _KNOWN, sensitive=True),
    "GET /": _OPEN,
    "GET /static/{file}": _OPEN,
    "GET /diary": _SESSION,
    # What these show stands in the listings too.
    "GET /diary/{name}": _READING,
    "GET /diary/{name}/week": _READING,
    "GET /diary/{name}/day": _READING,
    "GET /diary/{name}/minute": _READING,
    "GET /notices": _SESSION,
    "GET /cases": _SESSION,
    # Where each stands is said by `GET /v1/cases/{name}` too, to the same people.
    "GET /cases/{name}": Row(Shown.PARTY, _IN_A_CASE, About.CASE),
}


def decide(row: Row, standings: Sequence[Standing], *, fresh: bool, now_ms: int) -> Verdict:
    """Decide the request of a key that was shown, `fresh` when that was a moment ago."""
    allowed = [one for one in standings if one.state in row.cells.get(one.who, frozenset())]
    if not allowed:
        return Verdict.UNPROVEN if row.about is About.NOTHING else Verdict.HIDDEN
    if all(now_ms < one.from_ms for one in allowed):
        return Verdict.WAITING
    if row.sensitive and not fresh:
        return Verdict.NOT_FRESH
    return Verdict.ALLOWED
