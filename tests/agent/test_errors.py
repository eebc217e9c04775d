import inspect

from workseal_agent import errors
from workseal_agent.errors import AgentError, CaptureError, CaptureFailure


def test_every_error_belongs_to_one_family() -> None:
    found = [
        item
        for _, item in inspect.getmembers(errors, inspect.isclass)
        if issubclass(item, Exception)
    ]
    assert len(found) >= 8
    assert all(issubclass(item, AgentError) for item in found)


def test_a_capture_error_tells_what_a_note_can_carry() -> None:
    error = CaptureError(CaptureFailure.CHANGED, "the screen changed")
    assert (error.failure, str(error)) == (CaptureFailure.CHANGED, "the screen changed")
    assert [int(failure) for failure in CaptureFailure] == [1, 2, 3, 4, 5, 6]
