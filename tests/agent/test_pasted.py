"""The link of an invitation as people paste it, and what is said of one that is not whole."""

import pytest

from workseal_agent.cli.pasted import link_in
from workseal_agent.errors import UsageProblem

ENGAGEMENT, DIGEST = "0a" * 16, "1b" * 32
LINK = f"https://verify.example/base/#offer={ENGAGEMENT}.{DIGEST}"


@pytest.mark.parametrize(
    "text",
    [
        LINK,
        f"  {LINK}\n",
        f"<{LINK}>",
        f'"{LINK}"',
        f"hello, please join {LINK} and thanks",
        f"{LINK[:60]}\n{LINK[60:]}",
        f"{LINK[:90]}\r\n  {LINK[90:]}",
        f"{LINK}.",
        LINK.replace("https", "HTTPS"),
    ],
)
def test_the_link_is_found_in_what_was_pasted(text: str) -> None:
    link = link_in(text)
    assert link is not None
    assert link.url == "https://verify.example/base/"
    assert (link.engagement.hex(), str(link.digest)) == (ENGAGEMENT, DIGEST)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LINK[:-1], "its two numbers have 32 and 63 digits, expected 32 and 64"),
        (LINK.partition(".")[0] + LINK[22:60], "the link is cut or changed"),
        (f"https://verify.example/#offer={ENGAGEMENT}.", "have 32 and 0 digits"),
        ("https://verify.example/", "this link is no invitation"),
        (LINK.removeprefix("https://"), "the beginning of the link is missing"),
        (LINK.replace("0a", "0x", 1), "have 1 and 64 digits"),
    ],
)
def test_a_part_of_a_link_says_what_is_missing(text: str, sentence: str) -> None:
    with pytest.raises(UsageProblem, match=sentence):
        link_in(text)


@pytest.mark.parametrize("text", ["offer.cose", "/home/ann/my offers/offer.cose", "C:\\offer.cose"])
def test_a_file_is_no_link(text: str) -> None:
    assert link_in(text) is None
