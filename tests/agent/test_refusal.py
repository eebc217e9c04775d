import re
from pathlib import Path

import pytest

from support.pseudo import speaking
from workseal_agent.language import language_of, own
from workseal_agent.refusal import MEANINGS, kept_refusal, refusal_told

SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec"
# For these a statement is set aside.
STATUSES = {"400", "403", "409", "413", "422"}


def test_every_problem_for_which_a_statement_is_set_aside_has_its_meaning() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", (SPEC / "api.md").read_text(), re.MULTILINE)
    named = {name for name, status in rows if status in STATUSES}
    assert len(named) >= 5
    assert named <= MEANINGS.keys()


def test_the_code_is_said_in_the_owners_language_and_the_words_as_they_came() -> None:
    kept = kept_refusal("conflict", "seq 7: {x} is logged")
    assert kept == "conflict: seq 7: {x} is logged"
    assert refusal_told(kept) == (
        "something else is logged in its place (conflict);"
        " in the verifier's words: seq 7: {x} is logged"
    )
    with speaking(language_of({"LANG": "de_DE.UTF-8"})):
        told = own(refusal_told(kept))
    assert told.startswith("An seiner Stelle steht im Log etwas anderes (conflict); ")
    assert told.endswith(": seq 7: {x} is logged")


@pytest.mark.parametrize("kept", [None, "", "conflict", "of-tomorrow: {what}", "a: b: c"])
def test_what_has_no_known_name_stays_as_it_came(kept: str | None) -> None:
    assert refusal_told(kept) == (kept or "")
