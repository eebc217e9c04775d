"""What is said of each disclosure; `test_opening` signs it, the agent's `test_cases` in a case."""

import pytest

from support.scripted import disclose, tell_story
from workseal_protocol.cli.finding import findings_of
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import DisclosedFrame, DisputeDisclosure, Finding, Outcome


def answer_with(*named: tuple[Digest, bytes]) -> DisputeDisclosure:
    return DisputeDisclosure(
        engagement=bytes(16),
        claimed_at=1,
        request=Digest(bytes(32)),
        frames=tuple(DisclosedFrame(frame, Digest.of(item)) for frame, item in named),
    )


def test_each_disclosure_holds_or_fails_and_what_is_malformed_shows_nothing() -> None:
    first, second, third = tell_story().agent.frames[:3]
    true, false = disclose(first, (0, 1)), disclose(first, (0,))
    items = (true.encode(), false.encode(), b"no disclosure")
    frames = (first.tree.commitment, second.tree.commitment, third.tree.commitment)
    answer = answer_with(*zip(frames, items, strict=True))
    tiles = true.header.grid.count
    # In whatever order they come, each is told in the place of its name.
    assert findings_of(items[::-1], answer, verify_disclosure) == (
        Finding(Digest.of(items[0]), Outcome.HOLDS, 2, tiles),
        Finding(Digest.of(items[1]), Outcome.FAILS, 1, tiles),
        Finding(Digest.of(items[2]), Outcome.FAILS, 0, 0),
    )


@pytest.mark.parametrize("items", [(), (b"one", b"two"), (b"one", b"one"), (b"two",)])
def test_of_another_package_nothing_is_found(items: tuple[bytes, ...]) -> None:
    answer = answer_with((Digest(bytes(32)), b"one"))
    with pytest.raises(VerificationError, match="no finding"):
        findings_of(items, answer, verify_disclosure)
