"""Schemas of everything that goes over the wire, as JSON Schema.

CBOR and octets are shown as RFC 8949 section 6.1 converts them: a map's numbers as decimal text, a
byte string in lower-case hex (`contentEncoding: base16`), a sequence as an array.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from workseal_protocol.dispute import State
from workseal_protocol.dispute.values import MAX_STATEMENTS
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.receipt import MAX_ANSWER_BYTES, MAX_BATCH
from workseal_protocol.records import SheetAnswer
from workseal_protocol.sealing import MAX_PACKAGE_BYTES, MAX_SEALED_BYTES, MIN_SEALED_BYTES
from workseal_verifier.api.problems import PREFIX, TABLE
from workseal_verifier.api.values import (
    CBOR,
    CBOR_SEQUENCE,
    COSE,
    JSON,
    OCTETS,
    PEM,
    RECEIPT,
    STATEMENT,
    TEXT,
)
from workseal_verifier.errors import Reason
from workseal_verifier.services.hearing import MAX_LISTED
from workseal_verifier.services.noticeboard import MOST_SHOWN
from workseal_verifier.services.noticing import About
from workseal_verifier.services.passkeys import MAX_PASSKEYS
from workseal_verifier.services.reading import MAX_PROOF_ITEMS, MAX_TOKENS
from workseal_verifier.store.schema import (
    CHECKPOINT_BYTES,
    MAIL_LETTERS,
    PUBLIC_KEY_BYTES,
    STATEMENT_BYTES,
    TOKEN_BYTES,
    URL_LETTERS,
)

Schema: TypeAlias = Mapping[str, Any]

UINT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
DECIMAL: Final[Schema] = {"type": "string", "pattern": "^(?:0|[1-9][0-9]{0,15})$"}
# After what a list goes on that strangers can add to.
MARK: Final[Schema] = {"type": "string", "pattern": "^[0-3]-(?:0|[1-9][0-9]{0,15})$"}


def octets(least: int = 0, most: int | None = None, *, each: int = 1) -> Schema:
    """Describe a byte string of a length that is a multiple of `each`."""
    bound = {} if most is None else {"maxLength": 2 * most}
    return {
        "type": "string",
        "contentEncoding": "base16",
        "pattern": f"^(?:[0-9a-f]{{{2 * each}}})*$",
        "minLength": 2 * least,
        **bound,
    }


def exactly(length: int) -> Schema:
    """Describe a byte string of one length."""
    pattern = f"^[0-9a-f]{{{2 * length}}}$"
    return {"type": "string", "contentEncoding": "base16", "pattern": pattern}


def array(items: Schema, *, least: int = 0, most: int | None = None) -> Schema:
    """Describe an array of items that are alike."""
    bound = {} if most is None else {"maxItems": most}
    return {"type": "array", "items": items, "minItems": least, **bound}


def row(*items: Schema) -> Schema:
    """Describe an array of a fixed number of items."""
    count = len(items)
    return {"type": "array", "prefixItems": list(items), "minItems": count, "maxItems": count}


def fields(*, optional: Schema | None = None, **numbers: Schema) -> Schema:
    """Describe a map that has all of these numbers, named `_1`, or `n1` for -1, and no others.

    Those of `optional` it may have.
    """
    named = {name.replace("_", "").replace("n", "-"): one for name, one in numbers.items()}
    return {
        "type": "object",
        "properties": {**named, **(optional or {})},
        "required": list(named),
        "additionalProperties": False,
    }


def members(**named: Schema) -> Schema:
    """Describe a JSON object that has exactly these members."""
    return {
        "type": "object",
        "properties": named,
        "required": list(named),
        "additionalProperties": False,
    }


DIGEST: Final = exactly(32)
ENGAGEMENT: Final = exactly(16)
STATEMENT_BODY: Final = octets(64, STATEMENT_BYTES)
STATEMENTS: Final = array(STATEMENT_BODY, least=1, most=MAX_BATCH)
# At or after an index, of a log below a size, there may be nothing.
LISTED: Final = array(STATEMENT_BODY)
CHECKPOINT: Final = octets(1, CHECKPOINT_BYTES)
NOTE: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": CHECKPOINT_BYTES}
TLOG_PROOF: Final[Schema] = {"type": "string", "pattern": "^c2sp\\.org/tlog-proof@v1\\n"}
RECEIPT_BODY: Final = octets(64, STATEMENT_BYTES)
ANSWER: Final = fields(
    _1=CHECKPOINT,
    _2=array(UINT, least=1, most=MAX_BATCH),
    _3=octets(most=MAX_ANSWER_BYTES, each=32),
)
_NUMBERS: Final = array(UINT, most=MAX_PROOF_ITEMS)
PROOF_REQUEST: Final = fields(_1=UINT, _2=_NUMBERS, _3=_NUMBERS)
PROOF: Final = fields(_1=octets(each=32))
TIMESTAMPS: Final = array(row(UINT, octets(1, TOKEN_BYTES)), most=MAX_TOKENS)
CONFLICTS: Final = array(row(UINT, STATEMENT_BODY, STATEMENT_BODY))
INDICES: Final = array(UINT)
# A statement, then disclosures, each in a byte string of its own.
PACKAGE: Final = array(octets(1, MAX_PACKAGE_BYTES), least=2, most=513)
CHECKED: Final = fields(_1=STATEMENT_BODY, _2=octets(1, MAX_ANSWER_BYTES))
SEALED: Final = octets(MIN_SEALED_BYTES, MAX_SEALED_BYTES)
TILE: Final = octets(32, 256 * 34)
OPERATOR: Final = fields(
    _1=exactly(32),
    _2={"type": "string", "minLength": 1},
    _3=array(octets(1)),
    _4=array({**UINT, "minimum": 1}, least=1),
    _5=UINT,
    _6=UINT,
)
CHAIN: Final = fields(_1=UINT, _2={**UINT, "minimum": 1}, _3=DIGEST, _4=DIGEST)
DRAND: Final = fields(_1=DIGEST, _2={**UINT, "minimum": 1}, _3=exactly(48))
COSE_KEY: Final = fields(
    _1={"const": 1}, _2=DIGEST, _3={"const": -8}, n1={"const": 6}, n2=exactly(32)
)
KEY_SET: Final = array(COSE_KEY, least=1)
_MOMENT: Final = row(UINT, UINT)
PARTY_KEYS: Final = array(
    fields(
        _1=UINT,
        _2=octets(32, PUBLIC_KEY_BYTES),
        optional={
            "3": _MOMENT,
            "4": _MOMENT,
            "5": row(DIGEST, UINT, UINT),
            "6": UINT,
        },
    ),
    least=2,
)
# --- JSON, for pages ---
_TOKEN: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
_FLAG: Final[Schema] = {"type": "boolean"}
_OBJECT: Final[Schema] = {"type": "object"}
ACCEPTANCE: Final = members(
    token=_TOKEN, key={"type": "string", "pattern": "^ed25519:[A-Za-z0-9_-]{43}$"}
)
ACCEPTED: Final = members(role={"enum": ["freelancer", "client"]})
LINK: Final = members(token=_TOKEN, expires_in=UINT)
LINK_TOKEN: Final = members(token=_TOKEN)
SESSION: Final = members(
    key={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    root={"enum": ["key", "operator", "passkey"]},
    until=UINT,
    fresh=_FLAG,
    passkeys=array(UINT, most=MAX_PASSKEYS),
)
CREDENTIAL: Final = members(credential=_OBJECT)
# What the browser's interface takes is WebAuthn's to say.
OPTIONS: Final[Schema] = {**_OBJECT, "required": ["challenge", "timeout"]}
# --- cases, in JSON for pages and in CBOR for who replays them ---
_HEX: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_ENGAGEMENT_HEX: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_NAME: Final[Schema] = {"type": "string", "minLength": 1}
_MOMENT_TEXT: Final[Schema] = {"type": "string", "format": "date-time"}
_ROLE: Final[Schema] = {"enum": ["client", "freelancer", "arbitrator", "operator"]}
_STATE: Final[Schema] = {"enum": [state.value for state in State]}


def _or_none(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "null"}]}


_DUE: Final = _or_none(
    members(
        until=UINT,
        utc=_MOMENT_TEXT,
        waiting_for=array(_ROLE, most=4),
        working_days=_or_none(UINT),
        calendar=_or_none(_NAME),
        source=_or_none(_NAME),
        counted_in=_or_none(_NAME),
        local=array(members(who=_ROLE, zone=_NAME, time=_MOMENT_TEXT), most=3),
    )
)
_STANDING: Final[Mapping[str, Schema]] = {
    "case": _HEX,
    "engagement": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "state": _STATE,
    "head": _HEX,
    "due": _DUE,
}
CASES: Final = members(
    cases=array(
        members(**_STANDING, you=_or_none(_ROLE), amount=UINT, currency=_NAME), most=MAX_LISTED
    ),
    before=_or_none(MARK),
)
CASE: Final = members(
    **_STANDING,
    you=_ROLE,
    moves=array(_NAME),
    filer=_ROLE,
    begin=UINT,
    end=UINT,
    amount=UINT,
    currency=_NAME,
    arbitrator=_or_none(_HEX),
    level=UINT,
    limit=_or_none(UINT),
    statements=array(
        members(
            index=UINT,
            digest=_HEX,
            by=_ROLE,
            move=_NAME,
            at=UINT,
            state=_STATE,
            late=_FLAG,
            code=_or_none(_NAME),
            amount=_or_none(UINT),
            text={"type": "string"},
        ),
        least=1,
        most=MAX_STATEMENTS,
    ),
)
NOTICES: Final = members(
    notices=array(
        members(
            id=_HEX,
            kind={"enum": [kind.value for kind in About]},
            case=_or_none(_HEX),
            engagement=_or_none(_ENGAGEMENT_HEX),
            timesheet=_or_none(_HEX),
            replaces=_or_none(_HEX),
            answer=_or_none({"enum": [one.name.lower() for one in SheetAnswer]}),
            step=UINT,
            state=_or_none(_STATE),
            waiting_for=array(_ROLE, most=4),
            until=_or_none(UINT),
            made=UINT,
            opened=_or_none(UINT),
        ),
        most=MOST_SHOWN,
    ),
    before=_or_none(UINT),
)
_CONTACT: Final[Mapping[str, Schema]] = {
    "mail": _or_none({"type": "string", "maxLength": MAIL_LETTERS}),
    "webhook": _or_none({"type": "string", "maxLength": URL_LETTERS}),
    "zone": _or_none({"type": "string", "maxLength": 64}),
    "digest": _FLAG,
}
CONTACT_FORM: Final = members(**_CONTACT)
CONTACT: Final = members(
    **_CONTACT, confirmed=_FLAG, sends=array({"enum": ["mail", "webhook"]}, most=2)
)
CASE_STATEMENTS: Final = array(STATEMENT_BODY, least=1, most=MAX_STATEMENTS)
CERTIFICATES: Final[Schema] = {"type": "string", "pattern": "^-----BEGIN CERTIFICATE-----\\n"}
HEALTH: Final[Schema] = {"type": "string", "pattern": "^ok"}
READINESS: Final[Schema] = {"const": "ready"}
DESCRIPTION: Final[Schema] = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {"openapi": {"const": "3.1.0"}},
}

# What each media type that a schema stands under is, for readers of the description.
MEDIA_NOTES: Final[Mapping[str, str]] = {
    CBOR: "deterministic CBOR (RFC 8949 section 4.2.1)",
    CBOR_SEQUENCE: "a sequence of complete statements or packed items (RFC 8742)",
    COSE: "one COSE_Sign1, tag 18",
    STATEMENT: "one COSE_Sign1, tag 18",
    RECEIPT: "an RFC 9942 receipt",
    OCTETS: "octets",
    TEXT: "text",
    PEM: "certificates",
    JSON: "JSON",
}


def problem(reasons: tuple[Reason, ...]) -> Schema:
    """Describe the RFC 9457 problem of one status."""
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"enum": [PREFIX + reason for reason in reasons]},
            "title": {"enum": [TABLE[reason][1] for reason in reasons]},
            "status": {"const": TABLE[reasons[0]][0]},
            "detail": {"type": "string", "minLength": 1},
            "item": UINT,
        },
        "additionalProperties": False,
    }


def concise(reasons: tuple[Reason, ...]) -> Schema:
    """Describe the RFC 9290 problem of one status."""
    own = {"type": "object", "properties": {"status": {"const": TABLE[reasons[0]][0]}}}
    return {
        "type": "object",
        "required": ["-1", "-2"],
        "properties": {
            "-1": {"enum": [TABLE[reason][1] for reason in reasons]},
            "-2": {"type": "string", "minLength": 1},
            **{PREFIX + reason: own for reason in reasons},
        },
        "additionalProperties": False,
    }
