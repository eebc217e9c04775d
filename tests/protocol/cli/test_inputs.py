from pathlib import Path

import pytest

from support.scripted import Story
from workseal_protocol.cli.inputs import read_bundle, read_policy, read_statement, zone_named
from workseal_protocol.cli.problem import CommandError


def test_reads_what_was_written(folder: Path, story: Story, bundle_bytes: bytes) -> None:
    assert read_policy(folder / "policy") == story.policy
    assert read_bundle(folder / "bundle").encode() == bundle_bytes
    statement = story.contents.statements[0]
    (folder / "one.cose").write_bytes(statement.encode())
    assert read_statement(folder / "one.cose", "offer") == statement


def test_a_policy_is_read_as_any_editor_saves_it(folder: Path, story: Story) -> None:
    text = (folder / "policy").read_bytes()
    for saved in (
        b"\xef\xbb\xbf" + text,
        text.replace(b"\n", b"\r\n"),
        text.removesuffix(b"\n"),
        b"\xef\xbb\xbf" + text.removesuffix(b"\n").replace(b"\n", b"\r\n"),
    ):
        (folder / "saved").write_bytes(saved)
        assert read_policy(folder / "saved") == story.policy


def test_a_lone_carriage_return_is_no_line_end(folder: Path, story: Story) -> None:
    (folder / "saved").write_bytes(story.policy.encode().replace("\n", "\r").encode() + b"\n")
    with pytest.raises(CommandError, match="no control characters"):
        read_policy(folder / "saved")


def test_says_which_file_is_malformed(folder: Path) -> None:
    (folder / "other").write_bytes(b"\xff")
    with pytest.raises(CommandError, match=r"the policy .*other is not UTF-8"):
        read_policy(folder / "other")
    with pytest.raises(CommandError, match=r"the bundle .*other is malformed"):
        read_bundle(folder / "other")
    with pytest.raises(CommandError, match=r"the offer .*policy is malformed"):
        read_statement(folder / "policy", "offer")


def test_knows_zones_by_name() -> None:
    assert str(zone_named("Europe/Berlin")) == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../etc/passwd", "/etc/passwd", "a\0b"])
def test_another_name_is_no_zone_and_no_error(name: str) -> None:
    assert zone_named(name) is None
