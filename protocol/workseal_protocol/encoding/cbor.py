"""Deterministic CBOR (RFC 8949 section 4.2.1), read strictly: one value, one spelling.

Rules: integers, byte strings, text, arrays and maps with integer keys, nothing else. `decode` walks
the bytes once with its own small reader, writes the value again with `cbor2` and compares. The
reader is ours because a general decoder lets the sender choose map keys whose hashes collide, and
tags that compute; here the work is linear in the input whatever it holds.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import cbor2

from workseal_protocol.errors import MalformedError

Value: TypeAlias = int | bytes | str | list["Value"] | dict[int, "Value"]

MAX_BYTES: Final = 65_536
MAX_DEPTH: Final = 8
# The largest integer that every JavaScript number holds exactly.
MAX_INTEGER: Final = 2**53 - 1
# COSE and CWT labels fit; a key is never data.
MAX_KEY: Final = 65_535
# Bounds memory where a caller raises max_bytes: one empty list costs 64 bytes in memory, 1 in CBOR.
MAX_ITEMS: Final = 131_072

# Text is shown to people: nothing in it may steer a terminal. A line feed may stay.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TAG_18 = 0xD2

# Major types; and the first byte of a byte string whose length takes none, one or two bytes.
_BYTES, _TEXT, _ARRAY, _MAP = 2, 3, 4, 5
_BYTES_0, _BYTES_1, _BYTES_2 = 0x40, 0x58, 0x59
# How a signed statement begins: tag 18, an array of four. Its second item, nearly always.
_SIGN1_HEAD = b"\xd2\x84"
_NO_ENTRIES = 0xA0


def encode(value: Value) -> bytes:
    """Write a value; `decode` is its inverse.

    Maps are written in key order, whatever order they have. Raises `TypeError` for a type that the
    format does not have (bool, float and None too) and `ValueError` for a value out of its bounds.
    """
    return cbor2.dumps(_ordered(value, MAX_DEPTH))


def decode(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Value:
    """Read exactly one value, or raise `MalformedError`."""
    if len(data) > max_bytes:
        raise MalformedError(f"expected at most {max_bytes} bytes of CBOR, found {len(data)}")
    value, end = read_item(data, 0, max_depth=max_depth)
    if end != len(data):
        raise MalformedError(f"expected the value to end at byte {len(data)}, it ends at {end}")
    if cbor2.dumps(value) != data:
        raise MalformedError("a length or an integer is not in its shortest form")
    return value


def read_item(data: bytes, at: int, *, max_depth: int = MAX_DEPTH) -> tuple[Value, int]:
    """Read the value that begins at `at`, and say where it ends.

    Only for formats that embed CBOR: a length or integer may be longer than it need be, so the
    caller encodes what it read and compares.
    """
    try:
        value, end = _read(data, at, max_depth, [MAX_ITEMS])
    except IndexError as error:
        raise MalformedError("the bytes end inside a value") from error
    except UnicodeDecodeError as error:
        raise MalformedError("text is not UTF-8") from error
    if end > len(data):
        raise MalformedError("the bytes end inside a value")
    return value, end


def encode_sequence(items: Iterable[bytes]) -> bytes:
    """Join values that are already encoded (RFC 8742)."""
    return b"".join(items)


def split_sequence(
    data: bytes, *, max_items: int, max_item_bytes: int = MAX_BYTES
) -> tuple[bytes, ...]:
    """Cut a sequence into the exact bytes of its values; each may carry tag 18.

    The cut says nothing about the shortest form: parse each item.
    """
    return tuple(each_of_sequence(data, max_items=max_items, max_item_bytes=max_item_bytes))


def each_of_sequence(
    data: bytes, *, max_items: int, max_item_bytes: int = MAX_BYTES
) -> Iterator[bytes]:
    """Cut as `split_sequence` does, as far as somebody asks."""
    count, at = 0, 0
    while at < len(data):
        if count == max_items:
            raise MalformedError(f"expected at most {max_items} values in the sequence")
        end = _quick_end(data, at)
        if end is None:
            _, end = read_item(data, at + (data[at] == _TAG_18))
        if end - at > max_item_bytes:
            raise MalformedError(
                f"expected at most {max_item_bytes} bytes in a value, found {end - at}"
            )
        yield data[at:end]
        count, at = count + 1, end


def read_octets(data: bytes, at: int) -> tuple[bytes, int] | None:
    """Read a byte string whose length has its shortest form, and say where it ends.

    None when that is for `read_item` to do, or to refuse.
    """
    try:
        head = data[at]
        if head == _BYTES_1:
            size, start, least = data[at + 1], at + 2, 24
        elif head == _BYTES_2:
            size, start, least = data[at + 1] << 8 | data[at + 2], at + 3, 256
        else:
            size, start, least = head - _BYTES_0, at + 1, 0
    except IndexError:
        return None
    end = start + size
    # What is no byte string has another head, and none of these lengths.
    if not _BYTES_0 <= head <= _BYTES_2 or size < least or end > len(data):
        return None
    return data[start:end], end


def _quick_end(data: bytes, at: int) -> int | None:
    """Say where a byte string or a signed statement ends; None when `read_item` is to tell."""
    try:
        if data[at] != _TAG_18:
            end = _octets_end(data, at)
        elif data[at : at + 2] == _SIGN1_HEAD:
            end = _octets_end(data, at + 2)
            if data[end] != _NO_ENTRIES:
                return None
            end = _octets_end(data, _octets_end(data, end + 1))
        else:
            return None
    except IndexError:
        return None
    return end if at < end <= len(data) else None


def _octets_end(data: bytes, at: int) -> int:
    head = data[at]
    if head == _BYTES_2:
        return at + 3 + (data[at + 1] << 8 | data[at + 2])
    if head == _BYTES_1:
        return at + 2 + data[at + 1]
    if _BYTES_0 <= head < _BYTES_1:
        return at + 1 + head - _BYTES_0
    raise IndexError


def _read(data: bytes, at: int, depth: int, budget: list[int]) -> tuple[Value, int]:
    """Read one value without checking that `data` reaches to its end.

    A slice past the end is short, so `end` may lie beyond the data: `read_item` looks at that once.
    """
    major = data[at] >> 5
    count = data[at] & 0x1F
    at += 1
    if count > 23:
        count, at = _read_count(data, at, count)
    if major == _BYTES:
        return data[at : at + count], at + count
    if major > _MAP:
        raise MalformedError("expected no tag, no simple value and no floating-point number")
    if count > MAX_INTEGER:
        raise MalformedError("an integer is beyond 2^53 - 1")
    if major == 0:
        return count, at
    if major == _TEXT:
        return _plain(data[at : at + count].decode()), at + count
    if major == _ARRAY:
        return _read_array(data, at, count, depth, budget)
    if major == _MAP:
        return _read_map(data, at, count, depth, budget)
    return _negative(count), at


def _read_count(data: bytes, at: int, size: int) -> tuple[int, int]:
    if size > 27:
        raise MalformedError("expected a definite length, found an indefinite or reserved one")
    end = at + (1 << (size - 24))
    return int.from_bytes(data[at:end]), end


def _negative(count: int) -> int:
    if count == MAX_INTEGER:
        raise MalformedError("an integer is beyond 2^53 - 1")
    return -1 - count


def _read_array(
    data: bytes, at: int, count: int, depth: int, budget: list[int]
) -> tuple[Value, int]:
    _spend(budget, count, depth)
    items: list[Value] = []
    for _ in range(count):
        item, at = _read(data, at, depth - 1, budget)
        items.append(item)
    return items, at


def _read_map(data: bytes, at: int, count: int, depth: int, budget: list[int]) -> tuple[Value, int]:
    _spend(budget, 2 * count, depth)
    items: dict[int, Value] = {}
    last = -1
    for _ in range(count):
        key = data[at]
        at += 1
        if key > 23:
            key, at = _read_key(data, at - 1)
        rank = key if key >= 0 else MAX_KEY - key
        if rank <= last:
            raise MalformedError("map keys are not in ascending order, each once")
        last = rank
        # Small integers and short byte strings are most of a statement: read here, without a call.
        head = data[at]
        if head == _BYTES_1:
            start = at + 2
            at = start + data[at + 1]
            items[key] = data[start:at]
        elif head < 24:
            items[key] = head
            at += 1
        else:
            items[key], at = _read(data, at, depth - 1, budget)
    return items, at


def _read_key(data: bytes, at: int) -> tuple[int, int]:
    if data[at] >> 5 > 1:
        raise MalformedError("expected an integer as map key")
    value, at = _read(data, at, 0, [0])
    if not isinstance(value, int) or not -MAX_KEY <= value <= MAX_KEY:
        raise MalformedError(f"a map key is beyond {MAX_KEY}")
    return value, at


def _spend(budget: list[int], count: int, depth: int) -> None:
    if depth == 0:
        raise MalformedError("values are nested too deep")
    budget[0] -= count
    if budget[0] < 0:
        raise MalformedError(f"expected at most {MAX_ITEMS} items")


def is_text(text: str) -> bool:
    """Tell whether text can be written: no control character but line feeds, no half of a pair."""
    return _CONTROL.search(text) is None and _SURROGATE.search(text) is None


def _plain(text: str) -> str:
    if _CONTROL.search(text):
        raise MalformedError("text has a control character other than line feed")
    return text


def _ordered(value: Value, depth: int) -> Value:
    """Return the value with each map in key order, or say what the format cannot hold."""
    kind = type(value)
    if isinstance(value, dict) and kind is dict:
        _bound_depth(depth)
        return {_key(key): _ordered(value[key], depth - 1) for key in sorted(value, key=_rank)}
    if isinstance(value, list) and kind is list:
        _bound_depth(depth)
        return [_ordered(item, depth - 1) for item in value]
    if isinstance(value, str) and kind is str:
        if _CONTROL.search(value):
            raise ValueError("text has a control character other than line feed")
        return value
    if isinstance(value, int) and kind is not bool:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError("an integer is beyond 2^53 - 1")
        return int(value)
    if kind is bytes:
        return value
    raise TypeError(f"the format has no {kind.__name__}")


def _rank(key: int) -> int:
    return key if key >= 0 else MAX_KEY - key


def _key(key: int) -> int:
    if isinstance(key, bool) or not -MAX_KEY <= key <= MAX_KEY:
        raise ValueError(f"a map key is an integer within {MAX_KEY}")
    return int(key)


def _bound_depth(depth: int) -> None:
    if depth == 0:
        raise ValueError("values are nested too deep")
