"""Bodies as the OpenAPI description shows them: CBOR and octets as JSON, and back."""

import json
from typing import Any

import cbor2

from workseal_protocol.encoding import split_sequence

_CBOR = {"application/cbor", "application/concise-problem-details+cbor"}
_SEQUENCE = "application/cbor-seq"


def view(media: str, body: bytes) -> Any:
    """Show a body of a media type as JSON (RFC 8949, section 6.1, with byte strings in hex)."""
    kind = media.partition(";")[0]
    if kind in _CBOR:
        return _shown(cbor2.loads(body))
    if kind == _SEQUENCE:
        items = split_sequence(body, max_items=65_536, max_item_bytes=1 << 26)
        return [_item(one).hex() for one in items]
    if kind == "application/json" or kind.endswith("+json"):
        return json.loads(body)
    return body.decode() if kind in {"text/plain", "application/x-pem-file"} else body.hex()


def _item(one: bytes) -> bytes:
    # A statement is shown as its bytes; what is packed in a byte string, as what it holds.
    value = cbor2.loads(one)
    return value if isinstance(value, bytes) else one


def _shown(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case list():
            return [_shown(one) for one in value]
        case dict():
            return {str(key): _shown(one) for key, one in value.items()}
    return value
