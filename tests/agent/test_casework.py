"""What `case show` says to type: it is meant for the same agreement, whatever is recorded."""

from types import SimpleNamespace
from typing import Any

import pytest

from workseal_agent.cli.casework import _spelling
from workseal_protocol.cli.acting.checked import CHECK


@pytest.mark.parametrize(
    ("move", "details", "typed"),
    [
        ("end", "", "case act end 77d0"),
        ("offer", "--amount 1.00", "case act offer 77d0 --amount 1.00"),
        ("disclosure", "", "disclose REQUEST.cose --show x,y,w,h"),
        (CHECK, "--disclosure 1fda", "case check 77d0 --disclosure 1fda"),
    ],
)
@pytest.mark.parametrize("program", ["workseal-agent", "workseal-agent --engagement 00112233"])
def test_what_may_be_done_is_typed_as_the_command_before(
    move: str, details: str, typed: str, program: str
) -> None:
    live: Any = SimpleNamespace(case=SimpleNamespace(case="77d0"))
    assert _spelling(live, program)(move, details) == f"{program} {typed}"
