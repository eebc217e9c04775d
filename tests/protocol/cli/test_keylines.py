from workseal_protocol.cli.keylines import key_lines
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.partykeys import Moment, PartyKey

KEY = SeedSigner(bytes(32)).public_key
HOUR = 3_600_000


def test_a_key_of_the_terms_is_one_line() -> None:
    assert list(key_lines([PartyKey(role=Role.CLIENT, key=KEY)], 0)) == [f"client {KEY.text()}"]


def test_a_change_says_what_is_still_to_come() -> None:
    key = PartyKey(role=Role.FREELANCER, key=KEY, begun=Moment(7, HOUR), reads_from_ms=25 * HOUR)
    lines = list(key_lines([key], 24 * HOUR))
    assert lines[1:] == [
        "  replaced another one, index 7, 1970-01-01 01:00:00.000Z",
        "  WAITS: reads from 1970-01-02 01:00:00.000Z",
    ]
    assert "WAITS" not in " ".join(key_lines([key], 25 * HOUR))


def test_an_end_and_a_recovery_key_are_told() -> None:
    named = Digest.of(b"r")
    key = PartyKey(
        role=Role.FREELANCER, key=KEY, ended=Moment(9, HOUR), recovery=(named, Moment(3, 0))
    )
    lines = list(key_lines([key], 0))
    assert lines[1:] == [
        f"  may be revoked by {named}, named at index 3",
        "  ended, index 9, 1970-01-01 01:00:00.000Z",
    ]
