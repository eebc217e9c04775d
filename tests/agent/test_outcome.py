import io
import sys

import pytest

from workseal_agent.connection import RefusedError
from workseal_agent.errors import AgentError, SettingsError, UsageProblem
from workseal_agent.outcome import outcome_of
from workseal_protocol.errors import MalformedError, VerificationError


class NotNowError(AgentError):
    """Be an error of some module of the agent."""


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (NotNowError("not now"), 1, "not now"),
        (UsageProblem("no such folder"), 2, "no such folder"),
        (SettingsError("no such key"), 2, "no such key"),
        (MalformedError("a row"), 1, "something in this home is damaged: a row"),
        (VerificationError("another root"), 1, "another root"),
        (PermissionError(13, "Permission denied", "a\nb"), 1, "a\\nb: permission denied"),
        (OSError("odd"), 1, "oserror"),
        (
            RefusedError(409, "odd", "\x1b]0;mine\x07 \u202e"),
            1,
            "the verifier refused (odd): \\x1b]0;mine\\x07 \\u202e",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, told: str
) -> None:
    def fail() -> None:
        raise error

    assert outcome_of(fail) == code
    assert capsys.readouterr().err == f"workseal-agent: {told}\n"


def test_what_a_verifier_says_without_end_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RefusedError(409, "odd", "x" * 1_000_000)

    assert outcome_of(fail) == 1
    assert len(capsys.readouterr().err) < 2_000


@pytest.mark.parametrize(("given", "code"), [(None, 1), (0, 0), (3, 3), ("words", 1)])
def test_a_program_that_exits_keeps_its_code(given: object, code: int) -> None:
    assert outcome_of(lambda: sys.exit(given)) == code  # type: ignore[arg-type]


def test_an_interrupt_is_no_trace_and_an_end_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert outcome_of(interrupt) == 1
    assert outcome_of(lambda: None) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_terminal_has_no_letters_for_is_spelled_out(
    monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, "iso8859-1", write_through=True)
    monkeypatch.setattr(sys, stream, terminal)
    assert outcome_of(lambda: getattr(sys, stream).write("f\u00fcr \u05d0 \u201e")) == 0
    assert written.getvalue() == b"f\xfcr \\u05d0 \\u201e"
