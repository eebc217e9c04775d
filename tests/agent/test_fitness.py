import pytest

from workseal_agent.fitness import Fitness


@pytest.mark.parametrize(("name", "reason"), [("", "why"), ("x11", ""), ("x11", "two\nlines")])
def test_a_candidate_has_a_name_and_a_reason_of_one_line(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match="reason of one line"):
        Fitness(name, fit=True, reason=reason)
