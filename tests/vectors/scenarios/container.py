"""Scenarios in which step 1 or 2 fails."""

from dataclasses import replace

from support.builders import STRANGER
from vectors.scenarios.telling import Scenario, story
from workseal_protocol.bundle import (
    README_ENTRY,
    read_archive,
    write_archive,
)

# --- (1) form ---


def form_flipped_bit() -> Scenario:
    data = bytearray(story().bundle().encode())
    data[len(data) // 2] ^= 1
    return Scenario(
        "one bit is flipped",
        bytes(data),
        1,
        "the head of an entry is not the one of its content",
        malformed=True,
    )


def form_trailing_byte() -> Scenario:
    return Scenario(
        "a byte follows the end",
        story().bundle().encode() + b"\0",
        1,
        "the directory of the bundle is not the one of its entries",
        malformed=True,
    )


def form_other_readme() -> Scenario:
    entries = dict(read_archive(story().bundle().encode()))
    entries[README_ENTRY] = b"all is well\n"
    return Scenario(
        "the README says something else",
        write_archive(entries.items()),
        1,
        "README.txt",
        malformed=True,
    )


def form_unknown_entry() -> Scenario:
    entries = (*read_archive(story().bundle().encode()), ("report.html", b"<p>all is well"))
    return Scenario(
        "an entry has an unknown name", write_archive(entries), 1, "unknown name", malformed=True
    )


def form_reordered() -> Scenario:
    first, second, *others = read_archive(story().bundle().encode())
    return Scenario(
        "two entries stand in another order",
        write_archive((second, first, *others)),
        1,
        "canonical form",
        malformed=True,
    )


# --- (2) manifest ---


def manifest_stranger() -> Scenario:
    return Scenario(
        "a key that nobody knows signed the manifest",
        story().bundle(signer=STRANGER).encode(),
        2,
        "not signed by a party of the policy",
    )


def manifest_other_contents() -> Scenario:
    told = story()
    fewer = replace(told.contents, openings=told.contents.openings[:-1])
    changed = replace(told.bundle(), contents=fewer)
    return Scenario(
        "an opening was taken out after the manifest was signed",
        changed.encode(),
        2,
        "does not name openings.cbor as it is",
    )


def manifest_entry_gone() -> Scenario:
    told = story()
    changed = replace(told.bundle(), contents=replace(told.contents, disclosures=()))
    return Scenario(
        "a disclosure was taken out after the manifest was signed",
        changed.encode(),
        2,
        "entries that are not there",
    )


ALL = (
    form_flipped_bit,
    form_trailing_byte,
    form_other_readme,
    form_unknown_entry,
    form_reordered,
    manifest_stranger,
    manifest_other_contents,
    manifest_entry_gone,
)
