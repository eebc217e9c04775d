from typing import Any

import pytest

from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError


def test_fields_read_each_type() -> None:
    value: Value = {1: 7, 2: -7, 3: b"ab", 4: "text", 5: bytes(32), 6: [1], 7: {1: 2}}
    fields = Fields(value, "thing")
    assert fields.uint(1, "one") == 7
    assert fields.integer(2, "two", minimum=-7, maximum=0) == -7
    assert fields.octets(3, "three", length=2) == b"ab"
    assert fields.text(4, "four", maximum=4) == "text"
    assert fields.digest(5, "five").raw == bytes(32)
    assert fields.array(6, "six", minimum=1, maximum=1) == [1]
    inner = fields.fields(7, "seven")
    assert inner.uint(1, "one", maximum=2) == 2
    inner.close()
    fields.close()
    assert value[1] == 7, "reading leaves the value as it was"  # type: ignore[index]


def test_absent_fields_are_none() -> None:
    fields = Fields({}, "thing")
    assert fields.optional_uint(1, "x") is None
    assert fields.optional_integer(1, "x", minimum=0, maximum=1) is None
    assert fields.optional_octets(1, "x") is None
    assert fields.optional_text(1, "x") is None
    assert fields.optional_digest(1, "x") is None
    assert fields.optional_array(1, "x") is None
    assert fields.optional_fields(1, "x") is None
    fields.close()


def test_present_optional_fields_are_read_and_checked() -> None:
    fields = Fields({1: 1, 2: 2, 3: b"", 4: "", 5: bytes(32), 6: [], 7: {}, 8: -1}, "thing")
    assert fields.optional_uint(1, "x") == 1
    assert fields.optional_integer(2, "x", minimum=0, maximum=2) == 2
    assert fields.optional_octets(3, "x") == b""
    assert fields.optional_text(4, "x") == ""
    assert fields.optional_digest(5, "x") is not None
    assert fields.optional_array(6, "x") == []
    assert fields.optional_fields(7, "x") is not None
    with pytest.raises(MalformedError, match=r"thing: x \(8\)"):
        fields.optional_uint(8, "x")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        pytest.param({}, lambda f: f.uint(1, "x"), id="missing integer"),
        pytest.param({}, lambda f: f.octets(1, "x"), id="missing bytes"),
        pytest.param({}, lambda f: f.digest(1, "x"), id="missing digest"),
        pytest.param({}, lambda f: f.fields(1, "x"), id="missing map"),
        pytest.param({1: -1}, lambda f: f.uint(1, "x"), id="negative"),
        pytest.param({1: 8}, lambda f: f.uint(1, "x", maximum=7), id="above"),
        pytest.param({1: b""}, lambda f: f.uint(1, "x"), id="bytes for integer"),
        pytest.param({1: 1}, lambda f: f.integer(1, "x", minimum=2, maximum=3), id="below"),
        pytest.param({1: ""}, lambda f: f.octets(1, "x"), id="text for bytes"),
        pytest.param({1: b"a"}, lambda f: f.octets(1, "x", length=2), id="short bytes"),
        pytest.param({1: b"abc"}, lambda f: f.octets(1, "x", maximum=2), id="long bytes"),
        pytest.param({1: b""}, lambda f: f.text(1, "x"), id="bytes for text"),
        pytest.param({1: "abc"}, lambda f: f.text(1, "x", maximum=2), id="long text"),
        pytest.param({1: bytes(31)}, lambda f: f.digest(1, "x"), id="short digest"),
        pytest.param({1: "a" * 32}, lambda f: f.digest(1, "x"), id="text for digest"),
        pytest.param({1: {}}, lambda f: f.array(1, "x"), id="map for array"),
        pytest.param({1: []}, lambda f: f.array(1, "x", minimum=1), id="short array"),
        pytest.param({1: [1, 2]}, lambda f: f.array(1, "x", maximum=1), id="long array"),
        pytest.param({1: []}, lambda f: f.fields(1, "x"), id="array for map"),
        pytest.param({1: {-1: 0}}, lambda f: f.fields(1, "x"), id="negative key inside"),
    ],
)
def test_fields_refuse(value: Value, read: Any) -> None:
    with pytest.raises(MalformedError, match=r"^thing: x \(1\)"):
        read(Fields(value, "thing"))


@pytest.mark.parametrize("value", [0, b"", "", [], {-1: 0}, {-1: 0, 3: 0}])
def test_fields_refuse_what_is_no_map_with_unsigned_keys(value: Value) -> None:
    with pytest.raises(MalformedError, match=r"^thing: expected"):
        Fields(value, "thing")


def test_close_names_the_unknown_key() -> None:
    fields = Fields({1: 0, 12: 0}, "segment")
    fields.uint(1, "one")
    with pytest.raises(MalformedError, match=r"^unknown key 12 in segment$"):
        fields.close()


def test_a_field_is_read_once() -> None:
    fields = Fields({1: 0}, "thing")
    fields.uint(1, "one")
    with pytest.raises(MalformedError, match="missing"):
        fields.uint(1, "one")


def test_an_error_does_not_echo_long_input() -> None:
    with pytest.raises(MalformedError) as caught:
        Fields({1: "x" * 5000}, "thing").octets(1, "x")
    assert len(str(caught.value)) < 100
