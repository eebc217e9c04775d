import pytest

from workseal_verifier.api.problems import TABLE
from workseal_verifier.errors import Reason, RefusedError


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_one_problem_type_with_a_status(reason: Reason) -> None:
    status, title = TABLE[reason]
    assert 400 <= status < 600
    assert title
    assert not title.endswith(".")


def test_no_two_reasons_read_alike() -> None:
    assert len({title for _, title in TABLE.values()}) == len(TABLE) == len(Reason)


def test_a_refusal_says_its_detail() -> None:
    refusal = RefusedError(Reason.BUSY, "not now", item=3, retry_after=2)
    assert (str(refusal), refusal.item, refusal.retry_after) == ("not now", 3, 2)
