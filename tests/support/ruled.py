"""What the rules of a case refuse, and where it stands."""

from collections.abc import Callable

import pytest

from support.cases import Play
from workseal_protocol.dispute import CaseError, Rule, State


def refused(rule: Rule, call: Callable[[], object]) -> str:
    """Let a move be refused by exactly this rule; return what was said."""
    with pytest.raises(CaseError) as caught:
        call()
    assert caught.value.rule is rule, caught.value
    return str(caught.value)


def stands(play: Play, state: State) -> bool:
    """Tell whether a case is in a state."""
    return play.case.state is state
