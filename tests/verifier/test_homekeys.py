from pathlib import Path

import pytest

from support.office import ORIGIN, new_home
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError
from workseal_verifier.homekeys import load_identity, make_keys


def test_what_exists_is_never_made_again(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    before = load_identity(settings)
    make_keys(settings, pq=True)
    after = load_identity(settings)
    assert after.operator.public_key == before.operator.public_key
    assert after.log_key == before.log_key
    assert (before.pq, after.pq is None) == (None, False)


def test_a_home_without_keys_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"log\.seed"):
        load_identity(Settings(home=tmp_path, origin=ORIGIN))
