"""A refusal as a page: for whom, with which headers, and nothing of what was asked for in it."""

import re

import pytest

from workseal_verifier.api.pageform import HEADERS, is_page, refusal


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/diary", True),
        ("/diary/00", True),
        ("/notices", True),
        ("/diary/00/week", True),
        ("/diaryx", False),
        ("/v1/diary", False),
        ("/", False),
    ],
)
def test_pages_are_refused_with_pages(path: str, page: bool) -> None:  # noqa: FBT001
    assert is_page(path) is page


def test_words_of_a_refusal_are_no_markup() -> None:
    text = refusal("not-found", "<i>", 'a "b" & <script>', path="/diary/x")
    assert "<script>" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;" in text


HERE = "http://log.example"
CASE, DAY = f"/cases/{'a' * 64}", f"/diary/{'b' * 32}/day?of=2026-11-29"


def ways(path: str, referrer: str, host: str = "log.example") -> list[str]:
    text = refusal("busy", "t", "d", path=path, host=host, referrer=referrer)
    return re.findall(r'<a class="button" href="([^"]*)"', text)


def test_a_refusal_leads_back_to_where_its_reader_came_from() -> None:
    assert ways(DAY, f"{HERE}{CASE}") == [CASE, "/diary", "/cases", "/"]
    assert ways(CASE, f"{HERE}{DAY}") == [DAY, "/cases", "/diary", "/"]


def test_who_is_not_signed_in_is_asked_to_sign_in_and_led_nowhere_else() -> None:
    text = refusal("unproven", "t", "no <key>", path=DAY, host="log.example", referrer=HERE + CASE)
    assert "<h1>Please sign in</h1>" in text
    assert re.findall(r'<a class="button[^"]*" href="([^"]*)"', text) == ["/"]
    assert '<code id="problem">unproven</code> <span id="detail">no &lt;key&gt;</span>' in text


@pytest.mark.parametrize(
    "referrer",
    [
        pytest.param("", id="none"),
        pytest.param(f"http://evil.example{CASE}", id="another host"),
        pytest.param(f"http://log.example@evil.example{CASE}", id="a host behind a name"),
        pytest.param(f"http://log.example:1{CASE}", id="another port"),
        pytest.param(f"javascript://log.example{CASE}", id="a script"),
        pytest.param(f"{HERE}//evil.example/cases/x", id="two slashes"),
        pytest.param(f"{HERE}/v1/cases", id="no page"),
        pytest.param(f"{HERE}/cases", id="a list, which is there anyway"),
        pytest.param(f'{HERE}/cases/"><b>', id="markup"),
        pytest.param(f"{HERE}/cases/" + "a" * 400, id="too long"),
        pytest.param(f"{HERE}/diary/x", id="the page itself"),
    ],
)
def test_a_refusal_leads_nowhere_else(referrer: str) -> None:
    assert ways("/diary/x", referrer) == ["/diary", "/cases", "/"]
    assert ways("/cases/x", "") == ["/cases", "/diary", "/"]
    assert ways("/cases/x", f"http://{CASE}", host="") == ["/cases", "/diary", "/"]


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline() -> None:
    rules = dict(
        rule.strip().partition(" ")[::2] for rule in HEADERS["content-security-policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert set(rules.values()) <= {"'none'", "'self'", "'script'"}
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
