"""The custody table once more, in the words of CASE and UCO (JSON-LD), for other people's tools.

Rules: each statement is an investigative action with a performer, the one before it, and a record
of provenance over its exact bytes. Identifiers follow from digests, so one case has one graph.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from workseal_protocol.casefile.custody import Beside, Custody, instant
from workseal_protocol.digest import Digest

# CASE 1.5 and the UCO 1.5 below it; the terms used here are older than both.
_CONTEXT: Final = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "kb": "urn:workseal:case:",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_Node = dict[str, Any]


def custody_jsonld(case: Digest, rows: Sequence[Custody]) -> bytes:
    """Write the graph of a case."""
    nodes = [_investigation(case, rows)]
    keys = {row.told.statement.issuer: row.told.who for row in rows}
    nodes += [_identity(case, key, who) for key, who in sorted(keys.items())]
    before: str | None = None
    for row in rows:
        nodes += _of_statement(case, row, before)
        before = _name(case, "action", row.told.statement.digest)
    graph = {"@context": _CONTEXT, "@graph": nodes}
    return (json.dumps(graph, indent=1, sort_keys=True) + "\n").encode()


def _investigation(case: Digest, rows: Sequence[Custody]) -> _Node:
    actions = [_ref(_name(case, "action", row.told.statement.digest)) for row in rows]
    records = [_ref(_name(case, "record", row.told.statement.digest)) for row in rows]
    return {
        "@id": _name(case, "investigation", case),
        "@type": "case-investigation:Investigation",
        "uco-core:name": f"workseal case {case}",
        "uco-core:object": [*actions, *records],
    }


def _identity(case: Digest, key: Digest, who: str) -> _Node:
    return {
        "@id": _name(case, "identity", key),
        "@type": "uco-identity:Identity",
        "uco-core:name": who,
        "uco-core:description": f"whoever signs with the key {key} (RFC 9679 thumbprint)",
    }


def _of_statement(case: Digest, row: Custody, before: str | None) -> list[_Node]:
    digest = row.told.statement.digest
    file, record = _name(case, "statement", digest), _name(case, "record", digest)
    files = [_file(case, file, digest, len(row.told.statement.encode()))]
    if row.beside is not None:
        files.append(_exhibit(case, row, row.beside))
    action: _Node = {
        "@id": _name(case, "action", digest),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": row.told.move,
        "uco-core:description": f"after it the case stands in: {row.told.state}",
        "uco-action:startTime": {"@type": "xsd:dateTime", "@value": instant(row.told.at)},
        "uco-action:performer": _ref(_name(case, "identity", row.told.statement.issuer)),
        "uco-action:result": [_ref(record), *(_ref(one["@id"]) for one in files)],
    }
    if before is not None:
        action["case-investigation:wasInformedBy"] = _ref(before)
    provenance = {
        "@id": record,
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:description": _window(row),
        "case-investigation:exhibitNumber": str(row.number),
        "uco-core:object": [_ref(one["@id"]) for one in files],
    }
    return [action, provenance, *files]


def _exhibit(case: Digest, row: Custody, beside: Beside) -> _Node:
    """Give what was handed over, for each statement that names it a node of its own."""
    named = Digest.of(row.told.statement.digest.raw, row.contents[0].raw)
    node = _file(case, _name(case, "exhibit", named), row.contents[0], beside.size, named)
    return node | {"uco-core:name": beside.name}


def _file(case: Digest, name: str, digest: Digest, size: int, named: Digest | None = None) -> _Node:
    named = digest if named is None else named
    hashed = {
        "@id": _name(case, "hash", named),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": "SHA256",
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": str(digest)},
    }
    facet = {
        "@id": _name(case, "content", named),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:sizeInBytes": {"@type": "xsd:integer", "@value": str(size)},
        "uco-observable:hash": hashed,
    }
    return {
        "@id": name,
        "@type": "uco-observable:ObservableObject",
        "uco-core:hasFacet": facet,
    }


def _window(row: Custody) -> str:
    window = None if row.entry is None else row.entry.window
    if row.entry is None or window is None:
        return "not in the log of the bundle: nothing proves when it was signed"
    lower, upper = instant(window.lower) or "unknown", instant(window.upper) or "unknown"
    return f"log index {row.entry.index}; signed not before {lower} and not after {upper}"


def _name(case: Digest, kind: str, digest: Digest) -> str:
    """Name a node: UCO asks for a UUID at the end, so one is taken from a digest of what it is."""
    raw = bytearray(Digest.of(case.raw, kind.encode(), digest.raw).raw[:16])
    # UCO knows versions 0 to 5 (RFC 4122): 5 is the one for names, whose hash is SHA-256 here.
    raw[6], raw[8] = raw[6] & 0x0F | 0x50, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"kb:{kind}-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _ref(name: str) -> _Node:
    return {"@id": name}
