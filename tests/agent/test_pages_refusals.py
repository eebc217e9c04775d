"""Each kind of refusal has its own status, in an address and in a form."""

import pytest

from workseal_agent.errors import AgentError, SettingsError, WrongPassphraseError
from workseal_agent.pages.refusals import AbsentError, FormError, status_of


@pytest.mark.parametrize(
    ("error", "read", "changed"),
    [
        (FormError("a day is written like 2026-11-29"), 400, 422),
        (WrongPassphraseError("the passphrase does not open the key"), 400, 422),
        (AbsentError("there is no such picture"), 404, 404),
        (AgentError("the agent is not recording"), 409, 409),
        (SettingsError("config.toml is not TOML"), 409, 409),
        (OSError("no room"), 409, 409),
    ],
)
def test_the_status_says_whose_it_is_to_mend(error: Exception, read: int, changed: int) -> None:
    assert (status_of(error, "GET"), status_of(error, "POST")) == (read, changed)
