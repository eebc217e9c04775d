import pytest

from workseal_agent.suggestions.detectors import KnownSecrets
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
