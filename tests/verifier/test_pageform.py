"""A refusal as a page: for whom, with which headers, and nothing of what was asked for in it."""

import pytest

from workseal_verifier.api.pageform import HEADERS, is_page, refusal


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/diary", True),
        ("/diary/00", True),
        ("/diary/00/week", True),
        ("/diaryx", False),
        ("/v1/diary", False),
        ("/", False),
    ],
)
def test_pages_are_refused_with_pages(path: str, page: bool) -> None:  # noqa: FBT001
    assert is_page(path) is page


def test_words_of_a_refusal_are_no_markup() -> None:
    text = refusal("not-found", "<i>", 'a "b" & <script>')
    assert "<script>" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;" in text


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline() -> None:
    rules = dict(
        rule.strip().partition(" ")[::2] for rule in HEADERS["content-security-policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert set(rules.values()) <= {"'none'", "'self'", "'script'"}
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
