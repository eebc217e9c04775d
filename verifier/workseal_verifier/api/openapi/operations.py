"""What each operation takes, gives and refuses: one table, a row for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from workseal_verifier.api.openapi import schemas
from workseal_verifier.api.openapi.schemas import DECIMAL, DIGEST, ENGAGEMENT, MARK, Schema
from workseal_verifier.api.values import (
    CBOR,
    CBOR_SEQUENCE,
    COSE,
    FOREVER,
    FRESH,
    JSON,
    OCTETS,
    PEM,
    PRIVATE,
    RECEIPT,
    STATEMENT,
    TEXT,
)
from workseal_verifier.errors import Reason
from workseal_verifier.services.access import TABLE, Row, Shown

# What any operation may be refused for: its address, a slow header, the load, our own mistakes.
COMMON: Final = (
    Reason.MALFORMED,
    Reason.TIMEOUT,
    Reason.TOO_MANY,
    Reason.INTERNAL,
    Reason.BUSY,
    Reason.FULL,
)
_BODY: Final = (Reason.TOO_LARGE, Reason.MEDIA)
_SUBMITTED: Final = (
    *_BODY,
    Reason.UNKNOWN_PARTY,
    Reason.CONFLICT,
    Reason.OVERLAP,
    Reason.REFUSED,
    Reason.CLOCK,
)
_ABSENT: Final = (Reason.NOT_FOUND,)
_TILE_NAME: Final[Schema] = {
    "type": "string",
    "pattern": (
        "^(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\\.p/[1-9][0-9]{0,2})?$"
    ),
}
_KID: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
# What the door refuses, by what a request has to show.
_KEYLESS: Final = (Reason.UNPROVEN, Reason.WAITING, Reason.MISDIRECTED)
_AT_THE_DOOR: Final[Mapping[Shown, tuple[Reason, ...]]] = {
    Shown.NOTHING: (),
    Shown.CONTENT: (),
    Shown.SIGNATURE: (*_KEYLESS, Reason.STALE),
    Shown.SESSION: (*_KEYLESS, Reason.CROSS_SITE),
    Shown.KEY: (*_KEYLESS, Reason.STALE, Reason.CROSS_SITE),
    Shown.PARTY: (*_KEYLESS, Reason.STALE, Reason.CROSS_SITE, Reason.NOT_FOUND),
}
_PAGE: Final = (Reason.CROSS_SITE, Reason.MISDIRECTED)


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of one media type or of several, and what they hold."""

    schema: Schema
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one operation beyond its address."""

    gives: Body | None
    headers: Mapping[str, str]
    takes: Body | None = None
    status: int = 200
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    refuses: tuple[Reason, ...] = ()


def _body(schema: Schema, *media: str) -> Body:
    return Body(schema, media)


_SIZE: Final = {"size": DECIMAL}
_NAMED: Final = {"name": DIGEST}
_OF_ENGAGEMENT: Final = {"name": ENGAGEMENT, **_SIZE, "from": DECIMAL, "count": DECIMAL}

OPERATIONS: Final[Mapping[str, Told]] = {
    "POST /v1/statements": Told(
        _body(schemas.ANSWER, CBOR),
        PRIVATE,
        takes=_body(schemas.STATEMENTS, CBOR_SEQUENCE),
        parameters={"old": DECIMAL},
        refuses=_SUBMITTED,
    ),
    "GET /v1/statements/{name}": Told(
        _body(schemas.TLOG_PROOF, TEXT), FRESH, parameters=_NAMED, refuses=_ABSENT
    ),
    "GET /v1/statements/{name}/receipt": Told(
        _body(schemas.RECEIPT_BODY, RECEIPT),
        PRIVATE,
        parameters={**_NAMED, **_SIZE},
        refuses=_ABSENT,
    ),
    "POST /entries": Told(
        _body(schemas.RECEIPT_BODY, RECEIPT, COSE),
        PRIVATE,
        takes=_body(schemas.STATEMENT_BODY, COSE, STATEMENT),
        status=201,
        refuses=_SUBMITTED,
    ),
    "GET /entries/{name}": Told(
        _body(schemas.RECEIPT_BODY, RECEIPT, COSE), PRIVATE, parameters=_NAMED, refuses=_ABSENT
    ),
    "GET /.well-known/scitt-keys": Told(_body(schemas.KEY_SET, CBOR), FRESH),
    "GET /.well-known/scitt-keys/{kid}": Told(
        _body(schemas.COSE_KEY, CBOR), FRESH, parameters={"kid": _KID}, refuses=_ABSENT
    ),
    "GET /v1/log/checkpoint": Told(_body(schemas.NOTE, TEXT), FRESH),
    "GET /v1/log/checkpoints/{size}": Told(
        _body(schemas.NOTE, TEXT), FOREVER, parameters=_SIZE, refuses=_ABSENT
    ),
    "GET /v1/log/tile/{path}": Told(
        _body(schemas.TILE, OCTETS), FOREVER, parameters={"path": _TILE_NAME}, refuses=_ABSENT
    ),
    "POST /v1/log/proof": Told(
        _body(schemas.PROOF, CBOR),
        PRIVATE,
        takes=_body(schemas.PROOF_REQUEST, CBOR),
        refuses=_BODY,
    ),
    "GET /v1/log/timestamps": Told(
        _body(schemas.TIMESTAMPS, CBOR), FRESH, parameters={"from": DECIMAL, "to": DECIMAL}
    ),
    "GET /v1/log/tsa-ca.pem": Told(_body(schemas.CERTIFICATES, PEM), FRESH, refuses=_ABSENT),
    "GET /v1/engagements/{name}/statements": Told(
        _body(schemas.LISTED, CBOR_SEQUENCE),
        PRIVATE,
        parameters=_OF_ENGAGEMENT,
        refuses=_ABSENT,
    ),
    "GET /v1/engagements/{name}/indices": Told(
        _body(schemas.INDICES, CBOR), PRIVATE, parameters=_OF_ENGAGEMENT, refuses=_ABSENT
    ),
    "GET /v1/engagements/{name}/conflicts": Told(
        _body(schemas.CONFLICTS, CBOR),
        PRIVATE,
        parameters={"name": ENGAGEMENT},
        refuses=_ABSENT,
    ),
    "GET /v1/cases": Told(_body(schemas.CASES, JSON), PRIVATE, parameters={"before": MARK}),
    "GET /v1/cases/{name}": Told(
        _body(schemas.CASE, JSON), PRIVATE, parameters=_NAMED, refuses=_ABSENT
    ),
    "GET /v1/cases/{name}/statements": Told(
        _body(schemas.CASE_STATEMENTS, CBOR_SEQUENCE),
        PRIVATE,
        parameters=_NAMED,
        refuses=_ABSENT,
    ),
    "GET /v1/notices": Told(_body(schemas.NOTICES, JSON), PRIVATE, parameters={"before": DECIMAL}),
    "GET /v1/contact": Told(_body(schemas.CONTACT, JSON), PRIVATE),
    "PUT /v1/contact": Told(
        None,
        PRIVATE,
        takes=_body(schemas.CONTACT_FORM, JSON),
        status=204,
        refuses=(*_BODY, Reason.REFUSED),
    ),
    "DELETE /v1/contact": Told(None, PRIVATE, status=204),
    "POST /v1/disclosures": Told(
        _body(schemas.CHECKED, CBOR),
        PRIVATE,
        takes=_body(schemas.PACKAGE, CBOR_SEQUENCE),
        refuses=_SUBMITTED,
    ),
    "PUT /v1/sealed/{name}": Told(
        None,
        PRIVATE,
        takes=_body(schemas.SEALED, OCTETS),
        status=204,
        parameters=_NAMED,
        refuses=(*_BODY, *_ABSENT),
    ),
    "GET /v1/sealed/{name}": Told(
        _body(schemas.SEALED, OCTETS), PRIVATE, parameters=_NAMED, refuses=_ABSENT
    ),
    "GET /v1/engagements/{name}/keys": Told(
        _body(schemas.PARTY_KEYS, CBOR), PRIVATE, parameters={"name": ENGAGEMENT}
    ),
    "POST /v1/invitations/accept": Told(
        _body(schemas.ACCEPTED, JSON),
        PRIVATE,
        takes=_body(schemas.ACCEPTANCE, JSON),
        refuses=(*_BODY, *_ABSENT, Reason.UNPROVEN, Reason.STALE, Reason.MISDIRECTED),
    ),
    "POST /v1/signin/links": Told(
        _body(schemas.LINK, JSON), PRIVATE, status=201, refuses=(Reason.TOO_LARGE,)
    ),
    "POST /v1/signin": Told(
        None,
        PRIVATE,
        takes=_body(schemas.LINK_TOKEN, JSON),
        status=204,
        refuses=(*_BODY, *_ABSENT, *_PAGE, Reason.REFUSED),
    ),
    "POST /v1/signin/passkey/options": Told(
        _body(schemas.OPTIONS, JSON), PRIVATE, refuses=(Reason.MISDIRECTED,)
    ),
    "POST /v1/signin/passkey": Told(
        None,
        PRIVATE,
        takes=_body(schemas.CREDENTIAL, JSON),
        status=204,
        refuses=(*_BODY, *_PAGE, Reason.REFUSED),
    ),
    "GET /v1/session": Told(_body(schemas.SESSION, JSON), PRIVATE),
    "DELETE /v1/session": Told(None, PRIVATE, status=204),
    "DELETE /v1/sessions": Told(None, PRIVATE, status=204),
    "POST /v1/passkeys/options": Told(
        _body(schemas.OPTIONS, JSON),
        PRIVATE,
        refuses=(Reason.TOO_LARGE, Reason.UNKNOWN_PARTY, Reason.NOT_FRESH),
    ),
    "POST /v1/passkeys": Told(
        None,
        PRIVATE,
        takes=_body(schemas.CREDENTIAL, JSON),
        status=204,
        refuses=(
            *_BODY,
            Reason.UNKNOWN_PARTY,
            Reason.NOT_FRESH,
            Reason.CONFLICT,
            Reason.REFUSED,
        ),
    ),
    "DELETE /v1/passkeys": Told(None, PRIVATE, status=204),
    "GET /v1/operator": Told(_body(schemas.OPERATOR, CBOR), FRESH),
    "GET /v1/beacon/drand/latest": Told(
        _body(schemas.DRAND, CBOR), FRESH, refuses=(Reason.NOT_FOUND,)
    ),
    "GET /v1/beacon/drand/{place}": Told(
        _body(schemas.DRAND, CBOR),
        FOREVER,
        parameters={"place": DECIMAL},
        refuses=(*_ABSENT, Reason.TOO_EARLY),
    ),
    "GET /v1/beacon/{period}": Told(
        _body(schemas.CHAIN, CBOR),
        FRESH,
        parameters={"period": DECIMAL, "round": DECIMAL},
        refuses=_ABSENT,
    ),
    "GET /v1/beacon/{period}/{place}": Told(
        _body(schemas.DIGEST, OCTETS),
        FOREVER,
        parameters={"period": DECIMAL, "place": DECIMAL},
        refuses=(*_ABSENT, Reason.TOO_EARLY),
    ),
    "GET /healthz": Told(_body(schemas.HEALTH, TEXT), FRESH, refuses=(Reason.CLOCK,)),
    "GET /readyz": Told(_body(schemas.READINESS, TEXT), FRESH, refuses=(Reason.CLOCK,)),
    "GET /openapi.json": Told(_body(schemas.DESCRIPTION, JSON), FRESH),
}

# The access table's rows, under the addresses of the description.
DOORS: Final[Mapping[str, Row]] = {name.replace(":path}", "}"): row for name, row in TABLE.items()}


def refused(name: str) -> tuple[Reason, ...]:
    """List what an operation may be refused for, at the door and behind it."""
    row = DOORS[name]
    sensitive = (Reason.NOT_FRESH,) if row.sensitive else ()
    found = (*COMMON, *OPERATIONS[name].refuses, *_AT_THE_DOOR[row.shown], *sensitive)
    return tuple(dict.fromkeys(found))
