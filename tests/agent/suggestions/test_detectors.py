from collections.abc import Iterator

import pytest

from workseal_agent.suggestions.detectors import MOST_PLACES, PIECE, SHARED, KnownSecrets
from workseal_agent.suggestions.finding import MAX_TEXT
from workseal_agent.suggestions.suggestion import Kind


@pytest.fixture(scope="module")
def known() -> KnownSecrets:
    return KnownSecrets()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("id AKIAQWERTYUIOPASDFGH", Kind.ACCESS_KEY),
        ("ghp_" + "Ab1Cd2Ef3Gh4" * 3, Kind.TOKEN),
        ('password = "tr0ub4dor"', Kind.PASSWORD),
        ("-----BEGIN RSA PRIVATE KEY-----", Kind.PRIVATE_KEY),
    ],
)
def test_a_known_form_is_found_where_it_stands(known: KnownSecrets, text: str, kind: Kind) -> None:
    (one, *_) = known(text)
    assert one.kind is kind
    assert text[one.start : one.end] in text


@pytest.mark.parametrize(
    "text",
    [
        'commit = "3f786850e387550fdab836ed7e6dc881de23001b"',
        "The quick brown fox",
        "File Edit View Help",
    ],
)
def test_what_is_only_hard_to_guess_is_left_alone(known: KnownSecrets, text: str) -> None:
    assert list(known(text)) == []


class Rule:
    """Remember what it is given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def analyze_string(self, text: str) -> Iterator[str]:
        self.given.append(text)
        yield from ()


def test_a_long_line_is_given_in_pieces_that_cover_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a rule does grows with the square of what it is given: that is what is counted."""
    known, rule = KnownSecrets(), Rule()
    monkeypatch.setattr(known, "_rules", ((rule, Kind.TOKEN),))
    text = "".join(chr(0x4E00 + number) for number in range(2 * MAX_TEXT))
    assert list(known(text)) == []
    assert sum(len(piece) ** 2 for piece in rule.given) <= MAX_TEXT**2 / 3
    assert all(text[at : at + SHARED] in "".join(rule.given) for at in range(MAX_TEXT - SHARED))
    assert all(len(piece) <= PIECE for piece in rule.given)


def test_an_ordinary_line_is_given_whole_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known, rule = KnownSecrets(), Rule()
    monkeypatch.setattr(known, "_rules", ((rule, Kind.TOKEN),))
    for text in ("", "a", "a" * PIECE):
        rule.given.clear()
        assert list(known(text)) == []
        assert rule.given == [text]


@pytest.mark.parametrize("secret", ["ghp_" + "Ab1Cd2Ef3Gh4" * 3, 'password = "tr0ub4dor"'])
def test_a_secret_is_found_wherever_it_stands_in_a_long_line(
    known: KnownSecrets, secret: str
) -> None:
    for at in range(0, MAX_TEXT - len(secret), 37):
        text = ". " * (at // 2) + secret + " ." * ((MAX_TEXT - at - len(secret)) // 2)
        found = [text[one.start : one.end] for one in known(text)]
        assert any(one and one in secret for one in found), at


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("postgres://admin:min@db.example/x", [17]),
        ("https://tester:test@host.example/x", [15]),
        ("AKIAQWERTYUIOPASDFGH, then AKIAQWERTYUIOPASDFGH", [0, 27]),
        ("https://a:tok@one.example and xtokx and tok", [10, 40]),
    ],
)
def test_a_secret_is_marked_in_each_of_its_places_and_not_inside_another_word(
    known: KnownSecrets, text: str, places: list[int]
) -> None:
    assert sorted({one.start for one in known(text)}) == places


def test_a_secret_that_stands_nearly_everywhere_is_marked_from_end_to_end(
    known: KnownSecrets,
) -> None:
    text = "https://me:aa@host.example/" + " aa" * (MOST_PLACES + 9)
    assert {(one.start, one.end) for one in known(text)} == {(11, len(text))}
