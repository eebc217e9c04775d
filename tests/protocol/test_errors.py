import pytest

from workseal_protocol.errors import MalformedError, VerificationError, WorksealError


@pytest.mark.parametrize("family", [MalformedError, VerificationError])
def test_one_except_catches_both_families(family: type[WorksealError]) -> None:
    with pytest.raises(WorksealError, match="told"):
        raise family("told")


def test_malformed_and_false_are_told_apart() -> None:
    assert not issubclass(MalformedError, VerificationError)
    assert not issubclass(VerificationError, MalformedError)


def test_misuse_is_not_one_of_them() -> None:
    assert not issubclass(WorksealError, ValueError | TypeError)
