import pytest

from workseal_client import ClientError, RefusedError, UnreachableError
from workseal_protocol.errors import MalformedError, VerificationError, WorksealError


@pytest.mark.parametrize("error", [UnreachableError("late", 7), RefusedError(409, "conflict", "x")])
def test_one_clause_catches_both_and_none_of_the_protocols(error: Exception) -> None:
    assert isinstance(error, ClientError)
    assert isinstance(error, WorksealError)
    assert not isinstance(error, (MalformedError, VerificationError))


def test_a_refusal_names_the_problem() -> None:
    assert str(RefusedError(409, "conflict", "x")) == "the verifier refused (conflict): x"
