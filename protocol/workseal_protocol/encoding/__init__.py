"""Deterministic CBOR, written and read in one spelling (docs/spec/encoding.md)."""

from workseal_protocol.encoding.cbor import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_ITEMS,
    MAX_KEY,
    Value,
    decode,
    each_of_sequence,
    encode,
    encode_sequence,
    is_text,
    read_item,
    read_octets,
    split_sequence,
)
from workseal_protocol.encoding.fields import Fields

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_INTEGER",
    "MAX_ITEMS",
    "MAX_KEY",
    "Fields",
    "Value",
    "decode",
    "each_of_sequence",
    "encode",
    "encode_sequence",
    "is_text",
    "read_item",
    "read_octets",
    "split_sequence",
]
