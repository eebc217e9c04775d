from pathlib import Path

import pytest

from support.office import new_home
from support.tsa import Authority as Certified
from workseal_verifier.authorities import MAX_CERTIFICATES, certificates_of, configured
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError
from workseal_verifier.outsiders import TsaSettings
from workseal_verifier.services.stamping import Authority

ROOT = Certified.root("One")
OTHER = Certified.root("Two")
MIDDLE = OTHER.issue("Middle", authority=True)
POLICY = "1.2.3"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "elsewhere.pem").write_bytes(OTHER.pem)
    made = new_home(
        tmp_path,
        tsa=(
            TsaSettings(
                name="one",
                url="https://tsa.example",
                roots=("one.pem",),
                policy=POLICY,
                intermediates=("middle.pem",),
            ),
            TsaSettings(name="two", roots=(str(tmp_path / "elsewhere.pem"),), policy=POLICY),
        ),
    )
    (made.home / "one.pem").write_bytes(ROOT.pem)
    (made.home / "middle.pem").write_bytes(MIDDLE.pem)
    return made


def test_files_are_looked_for_in_the_home(settings: Settings) -> None:
    one, two = configured(settings)
    assert (one.roots, one.intermediates) == ((ROOT.der,), (MIDDLE.der,))
    assert (two.roots, two.intermediates) == ((OTHER.der,), ())


def test_one_without_an_address_is_not_asked(settings: Settings) -> None:
    one, two = configured(settings)
    assert one.send is not None
    assert two.send is None


def test_roots_stand_before_intermediates(settings: Settings) -> None:
    """Whoever takes only some takes roots."""
    assert certificates_of(configured(settings)) == (ROOT.der, OTHER.der, MIDDLE.der)


def test_refuses_more_certificates_than_an_agent_takes() -> None:
    roots = [bytes([n]) for n in range(MAX_CERTIFICATES + 1)]
    many = Authority(name="many", send=None, roots=roots, policy=POLICY)
    assert len(certificates_of([Authority(name="a", send=None, roots=roots[1:], policy="1")])) == 16
    with pytest.raises(ConfigError, match="more than 16"):
        certificates_of([many])
