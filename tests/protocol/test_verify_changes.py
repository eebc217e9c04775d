import dataclasses
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.examined import assert_fails, good, story
from support.scripted import Story, begin, finish
from support.simulator import Simulator
from workseal_protocol.bundle import (
    MANIFEST_ENTRY,
    Contents,
    read_archive,
    write_archive,
)
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    BundleManifest,
    ManifestEntry,
    SessionOpen,
    sign,
)
from workseal_protocol.verify import (
    Report,
    examine_bundle,
)


def examine(contents: Contents, **kwargs: SeedSigner) -> Report:
    return examine_bundle(story().bundle(contents, **kwargs).encode(), story().policy)


Change = Callable[[Contents], Contents]


def without(place: int) -> Change:
    def change(contents: Contents) -> Contents:
        statements = (*contents.statements[:place], *contents.statements[place + 1 :])
        indices = (*contents.indices[:place], *contents.indices[place + 1 :])
        return dataclasses.replace(contents, statements=statements, indices=indices, receipts=())

    return change


# --- changed bytes ---


@given(st.data())
@settings(max_examples=120)
def test_refuses_every_changed_byte_with_a_step(data: st.DataObject) -> None:
    changed = bytearray(good())
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    report = examine_bundle(bytes(changed), story().policy)
    assert_fails(report, 1, "")
    assert report.malformed


@given(st.data())
@settings(max_examples=80)
def test_refuses_a_changed_entry_whose_checksums_were_mended(data: st.DataObject) -> None:
    entries = dict(read_archive(good()))
    changed(entries, data.draw(st.sampled_from(sorted(entries))), data)
    report = examine_bundle(write_archive(entries.items()), story().policy)
    assert report.first_problem is not None
    assert report.first_problem.number in {1, 2}


# What a freelancer may rewrite in part, because nothing that is proven rests on it: the text around
# certificates, the unauthenticated claims of size and index in an RFC 9942 receipt, and the version
# numbers and algorithm names of a CMS container that its signature does not cover.
FREE = {"tsa-ca.pem", "receipts.cbor", "checkpoint.tsr", "timestamps.cbor"}


@given(st.data())
@settings(max_examples=120)
def test_refuses_a_changed_entry_that_the_freelancer_signed_for(data: st.DataObject) -> None:
    entries = dict(read_archive(good()))
    name = data.draw(st.sampled_from(sorted(entries.keys() - FREE - {MANIFEST_ENTRY})))
    changed(entries, name, data)
    resign(entries)
    report = examine_bundle(write_archive(entries.items()), story().policy)
    assert not report.holds, name


@pytest.mark.parametrize("name", sorted(FREE))
@given(data=st.data())
@settings(max_examples=30)
def test_never_raises_for_what_may_be_rewritten(name: str, data: st.DataObject) -> None:
    entries = dict(read_archive(good()))
    changed(entries, name, data)
    resign(entries)
    examine_bundle(write_archive(entries.items()), story().policy)


def changed(entries: dict[str, bytes], name: str, data: st.DataObject) -> None:
    content = bytearray(entries[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    entries[name] = bytes(content)


def resign(entries: dict[str, bytes]) -> None:
    listed = tuple(
        ManifestEntry(name, Digest.of(content), len(content))
        for name, content in entries.items()
        if name != MANIFEST_ENTRY
    )
    record = BundleManifest(
        engagement=story().agent.engagement, claimed_at=story().verifier.now, entries=listed
    )
    entries[MANIFEST_ENTRY] = sign(record, story().verifier.people.freelancer).encode()


@given(st.binary(max_size=300) | st.binary(max_size=300).map(b"PK\x03\x04".__add__))
def test_never_raises_for_any_bytes(data: bytes) -> None:
    assert examine_bundle(data, story().policy).malformed


# --- changed meaning ---


MEANINGS: Mapping[str, Change] = {
    "a statement dropped, with the old proof": without(7),
    "two statements exchanged": lambda one: dataclasses.replace(
        one,
        statements=(
            *one.statements[:7],
            one.statements[8],
            one.statements[7],
            *one.statements[9:],
        ),
        receipts=(),
    ),
    "a statement twice": lambda one: dataclasses.replace(
        one,
        statements=(*one.statements[:8], one.statements[7], *one.statements[9:]),
        receipts=(),
    ),
    "a hash of the proof dropped": lambda one: dataclasses.replace(one, hashes=one.hashes[1:]),
    "two hashes of the proof exchanged": lambda one: dataclasses.replace(
        one, hashes=(one.hashes[1], one.hashes[0], *one.hashes[2:])
    ),
    "indices shifted": lambda one: dataclasses.replace(
        one, indices=(*one.indices[:-1], one.indices[-1] + 1)
    ),
    "an older checkpoint as the bundle's": lambda one: dataclasses.replace(
        one, checkpoint=one.checkpoints[-1], checkpoints=one.checkpoints[:-1], timestamps=()
    ),
}


@pytest.mark.parametrize("change", MEANINGS.values(), ids=MEANINGS.keys())
def test_refuses_contents_that_mean_something_else(change: Change) -> None:
    report = examine(change(story().contents))
    assert report.first_problem is not None
    assert report.first_problem.number == 4


def test_a_session_may_still_be_open() -> None:
    verifier = Simulator()
    agent = begin(verifier)
    agent.open_session()
    agent.work(30_000)
    agent.send()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert report.holds, report.first_problem
    assert any(isinstance(entry.record, SessionOpen) for entry in report.entries)
