from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import digest
from workseal_protocol.encoding import MAX_INTEGER, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import (
    EvidenceItem,
    FileDigest,
    GitCommit,
    Label,
    Text,
    encode_item,
    parse_item,
)

MAX_TIME = 253_402_300_799_999

characters = st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n")
names = st.text(characters, min_size=1, max_size=200)
times = st.integers(0, MAX_TIME)
items = st.one_of(
    st.builds(GitCommit, names, st.sampled_from([bytes(20), bytes(range(32))]), times),
    st.builds(FileDigest, names, st.integers(0, 9).map(digest), st.integers(0, MAX_INTEGER)),
    st.builds(Text, st.text(characters, min_size=1, max_size=50)),
    st.builds(
        lambda project, tags, begin, length: Label(project, tuple(tags), begin, begin + length),
        names,
        st.lists(names, max_size=16, unique=True),
        st.integers(0, MAX_TIME - 1000),
        st.integers(1, 1000),
    ),
)


@given(items)
def test_reads_what_was_written(item: EvidenceItem) -> None:
    data = encode_item(item)
    assert parse_item(data) == item
    assert encode_item(parse_item(data)) == data


COMMIT: dict[int, Any] = {1: 1, 2: "api", 3: bytes(20), 4: 0}
FILE: dict[int, Any] = {1: 2, 2: "a.pdf", 3: bytes(32), 4: 0}
TEXT: dict[int, Any] = {1: 3, 2: "said"}
LABEL: dict[int, Any] = {1: 4, 2: "billing", 3: ["api"], 4: 5, 5: 6}


@pytest.mark.parametrize("value", [COMMIT, FILE, TEXT, LABEL])
def test_the_examples_of_refusals_are_well_formed_but_for_one_thing(value: dict[int, Any]) -> None:
    parse_item(encode(value))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({}, id="nothing"),
        pytest.param([1], id="an array"),
        pytest.param(COMMIT | {1: 0}, id="form 0"),
        pytest.param(COMMIT | {1: 5}, id="form 5"),
        pytest.param(COMMIT | {5: 0}, id="a field too many"),
        pytest.param(COMMIT | {3: bytes(21)}, id="a commit of 21 bytes"),
        pytest.param(COMMIT | {3: b""}, id="a commit of no bytes"),
        pytest.param(COMMIT | {2: ""}, id="no name"),
        pytest.param(COMMIT | {2: "x" * 201}, id="a long name"),
        pytest.param(COMMIT | {4: MAX_TIME + 1}, id="the year 10000"),
        pytest.param(FILE | {3: bytes(31)}, id="a short digest"),
        pytest.param(FILE | {4: -1}, id="a size below 0"),
        pytest.param(TEXT | {2: ""}, id="no text"),
        pytest.param(TEXT | {2: "x" * 8001}, id="a long text"),
        pytest.param(TEXT | {3: 0}, id="a field of another form"),
        pytest.param(LABEL | {3: ["api", "api"]}, id="a tag twice"),
        pytest.param(LABEL | {3: ["api", 1]}, id="a tag that is a number"),
        pytest.param(LABEL | {3: [""]}, id="an empty tag"),
        pytest.param(LABEL | {3: [str(number) for number in range(17)]}, id="17 tags"),
        pytest.param(LABEL | {5: 5}, id="no time"),
        pytest.param(LABEL | {5: MAX_TIME + 1}, id="ends in the year 10000"),
    ],
)
def test_refuses(value: Any) -> None:
    with pytest.raises(MalformedError, match=r"evidence|expected"):
        parse_item(encode(value))


def test_what_cannot_be_written_cannot_be_made() -> None:
    for make in (
        lambda: GitCommit("", bytes(20), 0),
        lambda: GitCommit("x", bytes(19), 0),
        lambda: GitCommit("x", bytes(20), -1),
        lambda: FileDigest("x", digest(1), -1),
        lambda: Text(""),
        lambda: Text("a\x1b[2J"),
        lambda: Text("\ud800"),
        lambda: Label("x", ("a", "a"), 0, 1),
        lambda: Label("x", ("",), 0, 1),
        lambda: Label("x", (), 1, 1),
        lambda: Label("x", (), 0, MAX_TIME + 1),
    ):
        with pytest.raises(ValueError, match=r"expected|commit|ends|control"):
            make()
