from types import SimpleNamespace
from typing import Any, cast

import pytest

from workseal_agent.cli import casesending
from workseal_agent.cli.casesending import ask_to_sign, require_head, require_sent
from workseal_agent.connection import UnreachableError
from workseal_agent.errors import AgentError
from workseal_protocol.digest import Digest

CASE, HEAD, OTHER = (Digest(bytes([number]) * 32) for number in (1, 2, 3))
STATEMENT = cast("Any", SimpleNamespace(digest=OTHER))


def cases_that(**ways: object) -> Any:
    return SimpleNamespace(**ways)


def live(head: Digest) -> Any:
    return SimpleNamespace(case=SimpleNamespace(case=CASE, head=head))


def test_nothing_is_signed_in_a_case_that_moved_on() -> None:
    cases = cases_that(source=SimpleNamespace(told=lambda _case: (HEAD, None)))
    require_head(cases, live(HEAD))
    with pytest.raises(AgentError, match="moved on"):
        require_head(cases, live(OTHER))


def test_what_is_not_taken_is_told_with_its_reason() -> None:
    cases = cases_that(send=lambda _one: False, problem_of=lambda _digest: "not in turn")
    with pytest.raises(AgentError, match="it was not taken: not in turn"):
        require_sent(cases, STATEMENT)


def test_what_nobody_answered_is_said_to_be_kept() -> None:
    def unanswered(_one: object) -> bool:
        raise UnreachableError("no network")

    with pytest.raises(UnreachableError, match="no network; it is kept and sent again"):
        require_sent(cases_that(send=unanswered), STATEMENT)


@pytest.mark.parametrize(("yes", "answer"), [(True, False), (False, True)])
def test_what_is_shown_is_signed_on_yes_alone(
    yes: bool,  # noqa: FBT001
    answer: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(casesending, "confirmed", lambda _question: answer)
    ask_to_sign(["what you say"], yes=yes)
    assert capsys.readouterr().out.splitlines() == ["what you say"]


def test_a_no_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casesending, "confirmed", lambda _question: False)
    with pytest.raises(AgentError, match="nothing was signed"):
        ask_to_sign([], yes=False)
