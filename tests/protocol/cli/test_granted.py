"""`workseal case show --openings`: counted over a bundle that holds, beside the case."""

from argparse import Namespace
from functools import cache
from pathlib import Path

import pytest

from support.builders import ENGAGEMENT
from support.casefiles import Told, work_and_quarrel
from workseal_protocol.cli.granted import as_value, granted_beside, require_together
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.records import read_record


@cache
def told() -> Told:
    return work_and_quarrel(lambda play: play.heard().shown(1))


@pytest.fixture
def options(tmp_path: Path) -> Namespace:
    given = Namespace(**{name: tmp_path / name for name in ("openings", "bundle", "policy")})
    given.openings.write_bytes(b"".join(one.encode() for one in told().openings[:2]))
    given.bundle.write_bytes(told().bundle)
    given.policy.write_text(told().policy.encode())
    return given


def counted(options: Namespace, engagement: bytes = ENGAGEMENT) -> list[dict[str, object]]:
    said = [(one.digest, read_record(one)) for one in told().statements]
    return [as_value(one) for one in granted_beside(options, said, engagement)]


def test_counts_what_was_opened_of_how_many(options: Namespace) -> None:
    (value,) = counted(options)
    assert (value["opened"], value["segments"]) == (2, len(told().openings))
    options.openings = None
    assert counted(options) == []


def test_what_is_not_of_this_case_or_was_not_committed_to_is_refused(options: Namespace) -> None:
    with pytest.raises(CommandError, match="another engagement than the case"):
        counted(options, bytes(16))
    whole = options.openings.read_bytes()
    options.openings.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CommandError, match=r"(does not hold|are malformed)"):
        counted(options)
    options.openings.write_bytes(b"\xff")
    with pytest.raises(CommandError, match="are malformed"):
        counted(options)


@pytest.mark.parametrize("salt", [bytes(16), b"\xff" * 16, bytes(range(16))])
def test_the_salted_file_is_told_from_a_broken_one(options: Namespace, salt: bytes) -> None:
    whole = options.openings.read_bytes()
    options.openings.write_bytes(whole + salt)
    with pytest.raises(CommandError, match=r"are salted, .* head -c -16 cuts it off"):
        counted(options)
    for other in (salt, whole + salt[1:]):
        options.openings.write_bytes(other)
        with pytest.raises(CommandError, match="are malformed"):
            counted(options)


@pytest.mark.parametrize("left_out", ["openings", "bundle", "policy"])
def test_the_three_files_belong_together(options: Namespace, left_out: str) -> None:
    require_together(options)
    require_together(Namespace(openings=None, bundle=None, policy=None))
    setattr(options, left_out, None)
    with pytest.raises(CommandError, match="belong together"):
        require_together(options)
