import hashlib
import io
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from struct import pack_into
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import STRANGER
from support.scripted import Story, tell_story
from support.simulator import Simulator
from workseal_protocol.bundle import (
    MANIFEST_ENTRY,
    MAX_ENTRIES,
    README,
    README_ENTRY,
    Bundle,
    Contents,
    archive,
    read_archive,
    write_archive,
)
from workseal_protocol.bundle import contents as contents_module
from workseal_protocol.bundle.archive import MAX_ARCHIVE_BYTES
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.records import ManifestEntry, sign


@cache
def story() -> Story:
    return tell_story()


@cache
def good() -> bytes:
    return story().bundle().encode()


names = st.from_regex(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}(/[A-Za-z0-9][A-Za-z0-9._-]{0,9})?", fullmatch=True
)
archives = st.dictionaries(names, st.binary(max_size=40), max_size=5).map(
    lambda entries: tuple(entries.items())
)

# --- the container ---


@given(archives)
def test_read_archive_is_the_inverse_of_write_archive(
    entries: tuple[tuple[str, bytes], ...],
) -> None:
    assert read_archive(write_archive(entries)) == entries


@given(archives)
def test_any_zip_tool_reads_an_archive(entries: tuple[tuple[str, bytes], ...]) -> None:
    with zipfile.ZipFile(io.BytesIO(write_archive(entries))) as opened:
        assert opened.testzip() is None
        assert tuple((name, opened.read(name)) for name in opened.namelist()) == entries
        for info in opened.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED


@given(archives, st.data())
def test_refuses_every_changed_byte_of_an_archive(
    entries: tuple[tuple[str, bytes], ...], data: st.DataObject
) -> None:
    changed = bytearray(write_archive(entries))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedError):
        read_archive(bytes(changed))


def test_refuses_every_changed_byte_of_a_bundle() -> None:
    changed = bytearray(good())
    for at in range(len(changed)):
        changed[at] ^= 0x10
        with pytest.raises(MalformedError):
            read_archive(bytes(changed))
        changed[at] ^= 0x10


@given(st.binary(max_size=120) | st.binary(max_size=120).map(b"PK\x03\x04".__add__))
def test_read_archive_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert write_archive(read_archive(data)) == data


def zipped(**options: Any) -> bytes:
    """Let another writer make an archive of one entry."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as writer:
        info = zipfile.ZipInfo("a")
        info.create_system = 3
        info.external_attr = 0o100644 << 16
        for name, value in options.items():
            setattr(writer if name == "comment" else info, name, value)
        writer.writestr(info, b"b")
    return stream.getvalue()


def test_another_writer_can_write_the_same_bytes() -> None:
    assert zipped() == write_archive([("a", b"b")])


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(zipped(comment=b"hello"), id="comment"),
        pytest.param(zipped(extra=b"\x01\x00\x00\x00"), id="extra field"),
        pytest.param(zipped(compress_type=zipfile.ZIP_DEFLATED), id="compressed"),
        pytest.param(zipped(date_time=(2026, 1, 1, 0, 0, 0)), id="another date"),
        pytest.param(zipped(external_attr=0o100755 << 16), id="another mode"),
        pytest.param(zipped(create_system=0), id="another system"),
        pytest.param(zipped(filename="../a"), id="path upwards"),
        pytest.param(zipped(filename="/a"), id="path from the root"),
        pytest.param(zipped(filename="\u00e9"), id="not ASCII"),
        pytest.param(b"\0" + write_archive([("a", b"b")]), id="byte before"),
        pytest.param(write_archive([("a", b"b")]) + b"\0", id="byte after"),
        pytest.param(write_archive([("a", b"b")]) * 2, id="two archives"),
        pytest.param(write_archive([("a", b"b")])[:-1], id="cut off"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_refuses_an_archive_of_another_form(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        read_archive(bad)


def test_refuses_a_name_twice() -> None:
    one = write_archive([("a", b"1"), ("b", b"2")]).replace(b"b", b"a")
    with pytest.raises(MalformedError, match="stands twice"):
        read_archive(one)
    with pytest.raises(ValueError, match="each name once"):
        write_archive([("a", b""), ("a", b"")])


@pytest.mark.parametrize("name", ["", "../a", "/a", "a/", "a/b/c", "a b", "\u00e9", "a" * 65])
def test_write_archive_refuses_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="unexpected form"):
        write_archive([(name, b"")])


def test_a_length_that_lies_costs_nothing() -> None:
    data = bytearray(write_archive([("a", b"b")]))
    pack_into("<I", data, 22, 2**32 - 1)
    with pytest.raises(MalformedError, match="ends inside an entry"):
        read_archive(bytes(data))


def test_refuses_too_many_entries_and_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    most = [(f"e{number}", b"") for number in range(MAX_ENTRIES)]
    write_most = write_archive(most)
    assert len(read_archive(write_most)) == MAX_ENTRIES
    with pytest.raises(ValueError, match="at most"):
        write_archive([*most, ("one-more", b"")])
    with pytest.raises(MalformedError, match="expected at most"):
        read_archive(bytes(MAX_ARCHIVE_BYTES + 1))
    monkeypatch.setattr(archive, "MAX_ENTRIES", MAX_ENTRIES - 1)
    with pytest.raises(MalformedError, match="at most 512 entries"):
        read_archive(write_most)
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 bytes"):
        write_archive([("a", bytes(100))])


# --- the bundle ---


def test_parse_is_the_inverse_of_encode() -> None:
    assert Bundle.parse(good()) == story().bundle()
    assert Bundle.parse(good()).encode() == good()


def test_the_same_story_gives_the_same_bytes() -> None:
    assert tell_story().bundle().encode() == good()


def test_the_entries_stand_in_the_order_of_the_specification() -> None:
    assert [name for name, _ in read_archive(good())] == [
        "README.txt",
        "manifest.cose",
        "statements.cbor",
        "proof.cbor",
        "checkpoint",
        "checkpoints.cbor",
        "checkpoint.tsr",
        "timestamps.cbor",
        "tsa-ca.pem",
        "policy",
        "receipts.cbor",
        "openings.cbor",
        story().contents.disclosures[0].name,
    ]


def test_optional_entries_are_absent() -> None:
    bare = replace(
        story().contents,
        token=None,
        timestamps=(),
        tsa_ca=None,
        receipts=(),
        openings=(),
        disclosures=(),
        checkpoints=(),
    )
    data = story().bundle(bare).encode()
    assert [name for name, _ in read_archive(data)] == [
        "README.txt",
        "manifest.cose",
        "statements.cbor",
        "proof.cbor",
        "checkpoint",
        "checkpoints.cbor",
        "policy",
    ]
    assert Bundle.parse(data).contents == bare


def with_entries(**changes: bytes | None) -> bytes:
    """Change raw entries: underscores stand for dots, None takes one out."""
    entries = dict(read_archive(good()))
    for key, data in changes.items():
        name = key.replace("__", "-").replace("_", ".")
        if data is None:
            del entries[name]
        else:
            entries[name] = data
    return write_archive(entries.items())


FIRST = story().contents.indices


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param(with_entries(README_txt=README + b"\n"), "README", id="another README"),
        pytest.param(with_entries(README_txt=None), "README", id="no README"),
        pytest.param(with_entries(manifest_cose=None), "manifest.cose", id="no manifest"),
        pytest.param(
            with_entries(manifest_cose=story().contents.statements[0].encode()),
            "another kind of statement",
            id="manifest of another kind",
        ),
        pytest.param(with_entries(statements_cbor=None), "statements.cbor", id="no statements"),
        pytest.param(with_entries(statements_cbor=b""), "1 to 65536 statements", id="none"),
        pytest.param(with_entries(proof_cbor=None), "proof.cbor", id="no proof"),
        pytest.param(with_entries(checkpoint=None), "checkpoint", id="no checkpoint"),
        pytest.param(with_entries(policy=None), "policy", id="no policy"),
        pytest.param(with_entries(policy=b"\xff"), "UTF-8", id="policy is no text"),
        pytest.param(with_entries(policy=b"quorum none\n"), "log", id="policy without a log"),
        pytest.param(with_entries(openings_cbor=b""), "canonical form", id="empty and not absent"),
        pytest.param(
            with_entries(openings_cbor=b"\x80"),
            "an opening is an array",
            id="opening of another form",
        ),
        pytest.param(with_entries(receipts_cbor=b"\x40"), "receipts", id="receipts too few"),
        pytest.param(with_entries(checkpoint_tsr=b""), "time-stamp", id="empty time-stamp"),
        pytest.param(with_entries(tsa__ca_pem=b"hello"), "PEM", id="no certificate"),
        pytest.param(
            with_entries(timestamps_cbor=b"\x82\x01"), "end inside a value", id="time-stamp cut off"
        ),
        pytest.param(
            with_entries(timestamps_cbor=b"\x82\x18\x18\x41a"),
            "earlier checkpoint",
            id="of no checkpoint",
        ),
        pytest.param(with_entries(extra=b""), "unknown name", id="unknown entry"),
        pytest.param(
            with_entries(**{"disclosures/000001_disclosure": b"\xa0"}),
            "disclosure",
            id="no disclosure",
        ),
        pytest.param(
            with_entries(
                proof_cbor=encode({1: list(reversed(FIRST)), 2: [], 3: b""}),
            ),
            "do not ascend",
            id="indices descend",
        ),
        pytest.param(
            with_entries(proof_cbor=encode({1: list(FIRST), 2: [1], 3: b""})),
            "canonical form",
            id="other sizes than the checkpoints",
        ),
        pytest.param(
            with_entries(proof_cbor=encode({1: list(FIRST), 2: [], 3: bytes(31)})),
            "32 bytes",
            id="part of a hash",
        ),
        pytest.param(
            with_entries(proof_cbor=encode({1: ["1"], 2: [], 3: b""})),
            "unsigned integers",
            id="index is text",
        ),
        pytest.param(
            with_entries(proof_cbor=encode({1: list(FIRST[1:]), 2: [], 3: b""})),
            "one index for each",
            id="an index is lacking",
        ),
    ],
)
def test_refuses_a_bundle(bad: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        Bundle.parse(bad)


@given(st.data())
def test_parse_raises_only_malformed(data: st.DataObject) -> None:
    entries = dict(read_archive(good()))
    name = data.draw(st.sampled_from(sorted(entries)))
    content = bytearray(entries[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    entries[name] = bytes(content)
    changed = write_archive(entries.items())
    with suppress(MalformedError):
        assert Bundle.parse(changed).encode() == changed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"statements": ()}, "1 to 65536 statements", id="no statements"),
        pytest.param({"indices": FIRST[1:]}, "one index for each", id="index lacking"),
        pytest.param({"indices": FIRST[::-1]}, "do not ascend", id="indices descend"),
        pytest.param({"hashes": (b"1",)}, "32 bytes", id="short hash"),
        pytest.param({"receipts": (b"",)}, "one for each", id="receipts too few"),
        pytest.param({"timestamps": ((1, b"t"),)}, "earlier checkpoint", id="of no checkpoint"),
        pytest.param({"token": b""}, "1 to 65536 bytes", id="empty token"),
        pytest.param({"tsa_ca": b"pem"}, "PEM", id="no certificate"),
    ],
)
def test_contents_that_disagree_cannot_be_made(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(story().contents, **change)


def test_a_manifest_does_not_stand_among_the_statements() -> None:
    manifest = story().bundle().manifest
    contents = story().contents
    with pytest.raises(ValueError, match="does not stand among"):
        replace(contents, statements=(*contents.statements[:-1], manifest))


def test_checkpoints_ascend_up_to_the_bundles_own() -> None:
    contents = story().contents
    for checkpoints in (contents.checkpoints[::-1], (contents.checkpoint,)):
        with pytest.raises(ValueError, match="sizes of the checkpoints do not ascend"):
            replace(contents, checkpoints=checkpoints, timestamps=())


def test_a_checkpoint_of_an_empty_log_has_no_place() -> None:
    empty = Simulator().checkpoint()
    contents = story().contents
    with pytest.raises(ValueError, match="covers nothing"):
        replace(contents, checkpoints=(empty, *contents.checkpoints))


def test_the_size_of_an_earlier_checkpoint_has_room_in_the_proof() -> None:
    contents = story().contents
    old, last = contents.checkpoints[-1], contents.checkpoint
    many = replace(old, checkpoint=replace(old.checkpoint, size=2**53))
    later = replace(last, checkpoint=replace(last.checkpoint, size=2**54))
    with pytest.raises(ValueError, match="has no room for the size"):
        replace(contents, checkpoints=(many,), checkpoint=later, timestamps=())


def test_checkpoints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents_module, "MAX_CHECKPOINTS", 15)
    with pytest.raises(ValueError, match="at most 15 earlier checkpoints"):
        replace(story().contents)


def test_disclosures_are_told_once() -> None:
    item = story().contents.disclosures[0]
    for other in (item, replace(item, display=0)):
        with pytest.raises(ValueError, match="disclosures do not ascend"):
            replace(story().contents, disclosures=(item, other))


# --- the manifest ---


def test_the_manifest_names_every_other_entry() -> None:
    record = story().bundle().check_manifest()
    assert [item.name for item in record.entries] == [
        name for name, _ in read_archive(good()) if name != MANIFEST_ENTRY
    ]
    assert record.entries[0].name == README_ENTRY


def test_check_manifest_refuses_what_is_not_there_as_named() -> None:
    bundle = story().bundle()
    record = bundle.manifest_record()
    first, second, *others = record.entries
    wrong = {
        "entries that are not there": (*record.entries, ManifestEntry("more", first.digest, 1)),
        "does not name README.txt": (second, *others),
        "as it is": (ManifestEntry(first.name, second.digest, first.length), second, *others),
        "in another order": (second, first, *others),
    }
    for why, entries in wrong.items():
        manifest = sign(replace(record, entries=entries), STRANGER)
        with pytest.raises(VerificationError, match=why):
            Bundle(manifest, bundle.contents).check_manifest()


def test_a_manifest_is_of_its_kind() -> None:
    wrong = Bundle(story().contents.statements[0], story().contents)
    with pytest.raises(MalformedError, match="another kind of statement"):
        wrong.manifest_record()


def test_the_readme_is_plain_and_names_every_entry() -> None:
    text = README.decode("ascii")
    assert all(len(line) <= 100 for line in text.splitlines())
    for name, _ in read_archive(good()):
        assert name.split("/")[0] in text


def test_contents_read_what_they_write() -> None:
    contents = story().contents
    assert Contents.read(dict(contents.entries())) == contents


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"{}"])
def test_says_that_something_else_is_no_bundle(data: bytes) -> None:
    with pytest.raises(MalformedError, match="this is not a bundle"):
        Bundle.parse(data)


def test_the_specification_names_the_readme() -> None:
    page = Path(__file__).parents[2] / "docs/spec/bundle.md"
    assert hashlib.sha256(README).hexdigest() in page.read_text()
