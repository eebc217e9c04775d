import pytest

from support.builders import ARBITRATOR, CLIENT, FREELANCER, OPERATOR, STRANGER, make_terms
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.termsfile import read_terms
from workseal_protocol.keys import Role
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy, TrustPolicy
from workseal_protocol.terms import Granularity, Level, RoundingMode, WorkClass

LOG = VerifierKey("log.workseal.example", STRANGER.public_key, NoteType.LOG_ED25519)
TLOG = TlogPolicy((LOG,))
POLICY = TrustPolicy(
    TLOG,
    {
        Role.CLIENT: (CLIENT.public_key,),
        Role.FREELANCER: (FREELANCER.public_key,),
        Role.ARBITRATOR: (ARBITRATOR.public_key,),
        Role.OPERATOR: (OPERATOR.public_key,),
    },
)
FIGURES = """\
round_ms = 30000
capture_rate = 3277
level = "frames"
tile = 32
max_withdrawn_percent = 20
max_offline_ms_per_week = 36000000
weekly_cap_ms = 144000000
granularity = "day"
rate_minor_per_hour = 6500
currency = "EUR"
rounding_ms = 0
rounding_mode = "up"
zone = "Europe/Berlin"
client_calendar = "US"
freelancer_calendar = "DE-BY"
review_days = 5
answer_days = 10
retention_days = 90
worth_percent = { working = 100, off_screen = 90, sealed = 80, late = 50 }
"""
PARTIES = f"""\
freelancer = "{FREELANCER.public_key.text()}"
arbitrators = ["{ARBITRATOR.public_key.text()}"]
operator = "{OPERATOR.public_key.text()}"
log_policy = '''
{TLOG.encode()}'''
"""
EXPECTED = make_terms(
    log_policy=TLOG.encode(),
    level=Level.FRAMES,
    granularity=Granularity.DAY,
    rounding_mode=RoundingMode.UP,
    worth_percent={
        WorkClass.WORKING: 100,
        WorkClass.OFF_SCREEN: 90,
        WorkClass.SEALED: 80,
        WorkClass.LATE_DECLARED: 50,
    },
)


def test_parties_may_come_from_the_policy_file_or_from_the_terms_or_both() -> None:
    assert read_terms(FIGURES, CLIENT.public_key, POLICY) == EXPECTED
    assert read_terms(PARTIES + FIGURES, CLIENT.public_key, None) == EXPECTED
    assert read_terms(PARTIES + FIGURES, CLIENT.public_key, POLICY) == EXPECTED


def test_two_sources_must_not_disagree() -> None:
    other = PARTIES.replace(FREELANCER.public_key.text(), STRANGER.public_key.text())
    with pytest.raises(CommandError, match="do not agree on the freelancer"):
        read_terms(other + FIGURES, CLIENT.public_key, POLICY)


def test_the_key_file_must_be_the_clients() -> None:
    with pytest.raises(CommandError, match="do not agree on the client"):
        read_terms(FIGURES, STRANGER.public_key, POLICY)


@pytest.mark.parametrize("line", FIGURES.splitlines())
def test_nothing_has_a_default(line: str) -> None:
    name = line.partition(" ")[0]
    with pytest.raises(CommandError, match=f"do not say: {name}"):
        read_terms(FIGURES.replace(line + "\n", ""), CLIENT.public_key, POLICY)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("tile = 32", "tiles = 32", "unknown name: tiles", id="unknown name"),
        pytest.param("tile = 32", "tile = 33", "tile: expected 16", id="a value out of range"),
        pytest.param("tile = 32", "tile = true", "whole number", id="a bool is no number"),
        pytest.param("tile = 32", "tile = 32.0", "whole number", id="a float is no number"),
        pytest.param("tile = 32", "tile = '32'", "whole number", id="a text is no number"),
        pytest.param("tile = 32", "tile = ", "not TOML", id="not TOML"),
        pytest.param('"frames"', '"pixels"', "one of timer, activity, frames", id="word"),
        pytest.param('"EUR"', "3", "text in quotes", id="a number is no text"),
        pytest.param('"EUR"', '"euro"', "currency does not have its form", id="a bad form"),
        pytest.param("late = 50", "late = 101", "0 to 100", id="worth above 100"),
        pytest.param(", late = 50", "", "expected exactly working", id="a class without worth"),
    ],
)
def test_refuses(old: str, new: str, says: str) -> None:
    assert old in FIGURES
    with pytest.raises(CommandError, match=says):
        read_terms(FIGURES.replace(old, new), CLIENT.public_key, POLICY)


def test_refuses_terms_without_a_party() -> None:
    with pytest.raises(CommandError, match="neither the terms nor a policy file name the"):
        read_terms(FIGURES, CLIENT.public_key, None)


def test_refuses_a_key_that_is_none() -> None:
    bad = PARTIES.replace(FREELANCER.public_key.text(), "ed25519:AAAA")
    with pytest.raises(CommandError, match="do not fit"):
        read_terms(bad + FIGURES, CLIENT.public_key, None)
