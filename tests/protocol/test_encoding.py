import tracemalloc
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workseal_protocol.encoding import (
    MAX_BYTES,
    MAX_INTEGER,
    MAX_ITEMS,
    MAX_KEY,
    Value,
    decode,
    each_of_sequence,
    encode,
    encode_sequence,
    read_item,
    read_octets,
    split_sequence,
)
from workseal_protocol.errors import MalformedError

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
leaves = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.binary(max_size=40) | texts
keys = st.integers(-MAX_KEY, MAX_KEY) | st.integers(-30, 30)
values: st.SearchStrategy[Value] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int) -> bytes:
    return b"\x81" * depth + b"\x00"


@given(values)
def test_decode_is_the_inverse_of_encode(value: Value) -> None:
    assert decode(encode(value)) == value


@given(values)
def test_a_general_decoder_reads_the_same_value(value: Value) -> None:
    assert cbor2.loads(encode(value)) == value


@given(st.binary(max_size=80) | values.map(encode).map(lambda data: data[:-1] + b"\xff"))
@example(b"\x58")
@example(b"\xa1\x01")
def test_decode_raises_only_malformed_and_accepts_one_spelling(data: bytes) -> None:
    with suppress(MalformedError):
        assert encode(decode(data)) == data


@given(values, st.integers(0), st.integers(0, 255))
def test_a_changed_byte_is_another_value_or_malformed(value: Value, at: int, byte: int) -> None:
    data = bytearray(encode(value))
    data[at % len(data)] = byte
    with suppress(MalformedError):
        assert encode(decode(bytes(data))) == bytes(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("1b001fffffffffffff", MAX_INTEGER),
        ("3b001ffffffffffffe", -MAX_INTEGER),
        ("40", b""),
        ("6161", "a"),
        ("610a", "\n"),
        ("80", []),
        ("a0", {}),
        # RFC 8949 section 4.2.1: bytewise order, so 24 (18 18) stands before -1 (20).
        ("a30102181803 2004".replace(" ", ""), {1: 2, 24: 3, -1: 4}),
        ("81" * 8 + "00", [[[[[[[[0]]]]]]]]),
    ],
)
def test_known_bytes(data: str, value: Value) -> None:
    assert encode(value).hex() == data
    assert decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="nothing"),
        pytest.param("0001", id="trailing byte"),
        pytest.param("1800", id="integer in two bytes where one would do"),
        pytest.param("190001", id="integer in three bytes"),
        pytest.param("1a00000001", id="integer in five bytes"),
        pytest.param("1b0000000000000001", id="integer in nine bytes"),
        pytest.param("3800", id="negative integer in two bytes"),
        pytest.param("580101", id="byte string with a long length"),
        pytest.param("a101580101", id="byte string with a long length in a map"),
        pytest.param("780161", id="text with a long length"),
        pytest.param("980100", id="array with a long length"),
        pytest.param("b8010000", id="map with a long length"),
        pytest.param("a1180000", id="key in two bytes"),
        pytest.param("1b0020000000000000", id="2^53"),
        pytest.param("3b001fffffffffffff", id="-2^53"),
        pytest.param("1bffffffffffffffff", id="2^64 - 1"),
        pytest.param("3bffffffffffffffff", id="-2^64"),
        pytest.param("a201020103", id="a key twice"),
        pytest.param("a201010101", id="a key twice with one value"),
        pytest.param("a202000100", id="keys out of order"),
        pytest.param("a220000000", id="negative key first"),
        pytest.param("a220002100"[:-4] + "2000", id="negative key twice"),
        pytest.param("a1616100", id="text as key"),
        pytest.param("a1410000", id="bytes as key"),
        pytest.param("a18000", id="array as key"),
        pytest.param("a1a000", id="map as key"),
        pytest.param("a1f500", id="bool as key"),
        pytest.param("a11a0001000000", id="key beyond 65535"),
        pytest.param("a139ffff00", id="key beyond -65535"),
        pytest.param("5f41014102ff", id="indefinite bytes"),
        pytest.param("7f6161ff", id="indefinite text"),
        pytest.param("9f00ff", id="indefinite array"),
        pytest.param("bf0000ff", id="indefinite map"),
        pytest.param("ff", id="break alone"),
        pytest.param("1c", id="reserved length 28"),
        pytest.param("5e", id="reserved length 30"),
        pytest.param("f4", id="false"),
        pytest.param("f5", id="true"),
        pytest.param("f6", id="null"),
        pytest.param("f7", id="undefined"),
        pytest.param("e0", id="simple value 0"),
        pytest.param("f8ff", id="simple value 255"),
        pytest.param("f93c00", id="half 1.0"),
        pytest.param("fa3f800000", id="float 1.0"),
        pytest.param("fb3ff0000000000000", id="double 1.0"),
        pytest.param("f97e00", id="NaN"),
        pytest.param("f97e01", id="NaN with a payload"),
        pytest.param("f97c00", id="infinity"),
        pytest.param("c06474657874", id="tag 0, date text"),
        pytest.param("c100", id="tag 1, date number"),
        pytest.param("c24101", id="tag 2, bignum"),
        pytest.param("c25affffffff", id="tag 2, bignum bomb"),
        pytest.param("c34101", id="tag 3, negative bignum"),
        pytest.param("c4821a3b9aca0001", id="tag 4, Decimal 1E+1000000000"),
        pytest.param("c5821a3b9aca0003", id="tag 5, bigfloat"),
        pytest.param("d28443a10126a04040", id="tag 18"),
        pytest.param("d81900", id="tag 25, string reference"),
        pytest.param("d81c00", id="tag 28, shared value"),
        pytest.param("d81d00", id="tag 29, reference"),
        pytest.param("d81c81d81d00", id="tags 28 and 29, a cycle"),
        pytest.param("d81e820100", id="tag 30, fraction over zero"),
        pytest.param("d82365286129242b", id="tag 35, regular expression"),
        pytest.param("d82461ff", id="tag 36, MIME"),
        pytest.param("d82550" + "00" * 16, id="tag 37, UUID"),
        pytest.param("d9010080", id="tag 256, string namespace"),
        pytest.param("d90102818101", id="tag 258, set of lists"),
        pytest.param("d9d9f700", id="tag 55799, self-described"),
        pytest.param("62c328", id="not UTF-8"),
        pytest.param("63eda080", id="UTF-8 of a surrogate"),
        pytest.param("62c080", id="overlong UTF-8"),
        pytest.param("611b", id="escape in text"),
        pytest.param("610d", id="carriage return in text"),
        pytest.param("62c29b", id="C1 control in text"),
        pytest.param("5b0000010000000000616263", id="bytes of 2^40"),
        pytest.param("5bffffffffffffffff", id="bytes of 2^64 - 1"),
        pytest.param("7b7fffffffffffffff61", id="text of 2^63 - 1"),
        pytest.param("9b7fffffffffffffff", id="array of 2^63 - 1"),
        pytest.param("9b001fffffffffffff", id="array of 2^53 - 1"),
        pytest.param("bb0000000100000000", id="map of 2^32"),
        pytest.param("9a0001ffff", id="array of 131,071 that is not there"),
        pytest.param("58ff00", id="bytes that end early"),
        pytest.param("a1", id="map that ends early"),
        pytest.param("a101", id="map without its value"),
        pytest.param("a10158", id="map that ends in a length"),
        pytest.param("a1015820", id="map that ends in a byte string"),
        pytest.param("1b00", id="integer that ends early"),
        pytest.param("81" * 9 + "00", id="depth 9"),
        pytest.param("a100" * 9 + "00", id="maps to depth 9"),
    ],
)
def test_refuses(data: str) -> None:
    with pytest.raises(MalformedError):
        decode(bytes.fromhex(data))


def test_says_where_the_value_ends() -> None:
    with pytest.raises(MalformedError, match="end at byte 2, it ends at 1"):
        decode(b"\x00\x01")


def test_refuses_any_depth_without_recursion() -> None:
    for opener in (b"\x81", b"\xa1\x00", b"\xc1", b"\xd8\x1c\x81"):
        with pytest.raises(MalformedError):
            decode(opener * (60_000 // len(opener)) + b"\x00")


def test_refuses_more_bytes_than_allowed() -> None:
    longest = encode(bytes(MAX_BYTES - 3))
    assert decode(longest) == bytes(MAX_BYTES - 3)
    with pytest.raises(MalformedError, match="65536"):
        decode(longest + b"\x00")
    with pytest.raises(MalformedError, match="at most 3"):
        decode(b"\x43abc", max_bytes=3)


def test_keeps_to_a_smaller_depth() -> None:
    assert decode(nested(2), max_depth=2) == [[0]]
    with pytest.raises(MalformedError, match="deep"):
        decode(nested(3), max_depth=2)


def test_bounds_the_items_where_the_bytes_are_many() -> None:
    count = MAX_ITEMS // 2
    inner = b"\x9a" + count.to_bytes(4) + b"\x80" * count
    assert len(read_item(inner, 0)[0]) == count  # type: ignore[arg-type]
    with pytest.raises(MalformedError, match="131072 items"):
        decode(b"\x83" + inner * 3, max_bytes=1 << 20)


def test_memory_stays_within_a_small_multiple_of_the_input() -> None:
    many_lists = b"\x99\xff\xfc" + b"\x80" * 65_532
    tracemalloc.start()
    decode(many_lists)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_colliding_map_keys_are_refused_at_the_first() -> None:
    # What a general decoder would hash: arrays as keys, whose hashes a sender can make equal.
    data = b"\xb9\x10\x00" + b"".join(
        b"\x82\x1a" + number.to_bytes(4) + b"\x00\x00" for number in range(4096)
    )
    with pytest.raises(MalformedError, match="integer as map key"):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [True, False, None, 1.0, {1: None}, [True], bytearray(b"x"), (1,), {1}, object(), {1: 0.5}],
)
def test_encode_refuses_types_that_the_format_lacks(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(MAX_INTEGER + 1, id="2^53"),
        pytest.param(-MAX_INTEGER - 1, id="-2^53"),
        pytest.param({MAX_KEY + 1: 0}, id="key beyond"),
        pytest.param({True: 0}, id="bool as key"),
        pytest.param("a\x00", id="control character"),
        pytest.param("\x7f", id="delete"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param([[[[[[[[[0]]]]]]]]], id="depth 9"),
    ],
)
def test_encode_refuses_values_out_of_bounds(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        encode(value)


def test_encode_refuses_a_cycle() -> None:
    cycle: list[Value] = []
    cycle.append(cycle)
    with pytest.raises(ValueError, match="deep"):
        encode(cycle)


def test_encode_orders_maps_at_every_level() -> None:
    assert encode({2: {9: 0, 8: 0}, 1: [{1: 0, 0: 0}]}).hex() == "a20181a20000010002a208000900"


@given(st.lists(values.map(encode), max_size=6))
def test_split_is_the_inverse_of_join(items: list[bytes]) -> None:
    assert split_sequence(encode_sequence(items), max_items=6) == tuple(items)


@given(st.binary(max_size=60))
def test_split_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert b"".join(split_sequence(data, max_items=60)) == data


# A byte string, its length told in any way; most of the bytes of a statement.
@st.composite
def octet_strings(draw: st.DrawFn) -> bytes:
    content = draw(st.binary(max_size=30) | st.sampled_from((bytes(255), bytes(256), bytes(700))))
    size = len(content)
    heads = [b"\x59" + size.to_bytes(2), b"\x5a" + size.to_bytes(4)]
    if size < 256:
        heads.append(bytes((0x58, size)))
    if size < 24:
        heads.append(bytes((0x40 | size,)))
    return draw(st.sampled_from(heads)) + content


statement_like = st.builds(
    lambda tag, one, entries, two, three: tag + one + entries + two + three,
    st.sampled_from((b"\xd2\x84", b"\xd2\x83", b"\x84")),
    octet_strings(),
    st.sampled_from((b"\xa0", b"\xf6", b"\xa1\x01\x40", b"\x40")),
    octet_strings(),
    octet_strings(),
)


@given(st.lists(octet_strings() | statement_like, max_size=3).map(b"".join), st.data())
def test_split_cuts_where_each_value_ends(whole: bytes, data: st.DataObject) -> None:
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    expected, at = [], 0
    try:
        while at < len(cut):
            _, end = read_item(cut, at + (cut[at] == 0xD2))
            expected.append(cut[at:end])
            at = end
    except MalformedError as error:
        with pytest.raises(MalformedError, match=str(error)):
            split_sequence(cut, max_items=100)
    else:
        assert split_sequence(cut, max_items=100) == tuple(expected)


def test_a_sequence_is_cut_as_far_as_somebody_asks() -> None:
    items = each_of_sequence(b"\x01\x42ab\xff", max_items=3)
    assert [next(items), next(items)] == [b"\x01", b"\x42ab"]
    with pytest.raises(MalformedError):
        next(items)


@given(octet_strings(), st.binary(max_size=3), st.integers(0, 3))
def test_octets_are_read_at_once_only_in_their_shortest_form(
    item: bytes, after: bytes, before: int
) -> None:
    value, end = read_item(bytes(before) + item + after, before)
    quick = read_octets(bytes(before) + item + after, before)
    shortest = isinstance(value, bytes) and encode(value) == item
    # A length of four bytes is left to the general reader.
    assert quick == ((value, end) if shortest else None)
    assert read_octets(item[:-1], 0) is None or len(item) == 1
    assert read_octets(b"\x01", 0) is None


def test_split_keeps_tag_18_with_its_item() -> None:
    items = (b"\xd2\x84\x40\xa0\x40\x40", b"\x01", b"\xd2\x80")
    assert split_sequence(b"".join(items), max_items=3) == items


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        pytest.param(b"\x00\x00\x00", {"max_items": 2}, id="too many"),
        pytest.param(b"\x43abc", {"max_items": 1, "max_item_bytes": 3}, id="too long"),
        pytest.param(b"\xd2\x42ab", {"max_items": 1, "max_item_bytes": 3}, id="too long with tag"),
        pytest.param(b"\xd2\xd2\x00", {"max_items": 3}, id="tag 18 twice"),
        pytest.param(b"\x81\xd2\x00", {"max_items": 3}, id="tag 18 inside"),
        pytest.param(b"\xd2", {"max_items": 3}, id="tag 18 of nothing"),
        pytest.param(b"\xd1\x00", {"max_items": 3}, id="another tag"),
        pytest.param(b"\x00\x43ab", {"max_items": 3}, id="ends early"),
        pytest.param(b"\x1c" + bytes(16), {"max_items": 3}, id="reserved length"),
        pytest.param(b"\x5f" + bytes(16), {"max_items": 3}, id="indefinite"),
        pytest.param(b"\xa2\x01\x00\x01\x00", {"max_items": 3}, id="a key twice"),
    ],
)
def test_split_refuses(data: bytes, limits: dict[str, int]) -> None:
    with pytest.raises(MalformedError):
        split_sequence(data, **limits)


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        ("d284408140404040", [7, 8]),  # an array, and not an empty map, as the second item
        ("d28340a04040", [5, 6]),  # an array of three
        ("d28440a0404040", [6, 7]),
    ],
)
def test_a_sequence_is_cut_where_its_items_end(data: str, ends: list[int]) -> None:
    items = split_sequence(bytes.fromhex(data), max_items=4)
    assert [sum(len(item) for item in items[: n + 1]) for n in range(len(items))] == ends
