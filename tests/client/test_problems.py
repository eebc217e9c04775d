import httpx
import pytest

from support.carried import Mocked
from support.wire import problem
from workseal_client import RefusedError, UnreachableError, VerifierClient


def client_for(answer: httpx.Response) -> VerifierClient:
    return VerifierClient("http://localhost", Mocked(lambda _request: answer))


@pytest.mark.parametrize("status", [400, 403, 409, 413, 422])
def test_a_problem_of_the_verifier_is_a_refusal(status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        client_for(problem(status, "refused", "bad\x1b[2J\nrule")).submit([b"\x00"], 0)
    assert (caught.value.status, caught.value.name) == (status, "refused")
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_foreign_problem_is_no_refusal() -> None:
    foreign = httpx.Response(
        422, headers={"content-type": "application/problem+json"}, json={"type": "about:blank"}
    )
    with pytest.raises(UnreachableError):
        client_for(foreign).submit([b"\x00"], 0)


def test_remembers_how_long_the_verifier_asks_to_wait() -> None:
    answer = httpx.Response(503, headers={"retry-after": "7"})
    with pytest.raises(UnreachableError) as caught:
        client_for(answer).checkpoint()
    assert caught.value.retry_after == 7
    silly = httpx.Response(503, headers={"retry-after": "9" * 30})
    with pytest.raises(UnreachableError) as caught:
        client_for(silly).checkpoint()
    assert caught.value.retry_after == 300
