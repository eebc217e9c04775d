from zoneinfo import ZoneInfo

from support.examined import FOLDER, good, story, vector
from workseal_protocol import agreed_zone, examine_bundle


def test_reads_the_zone_of_the_terms_before_anything_is_verified() -> None:
    data = good()
    assert agreed_zone(data) == "Europe/Berlin"
    report = examine_bundle(data, story().policy, zone=ZoneInfo("Europe/Berlin"))
    assert report.terms is not None
    assert report.zone == report.terms.zone


def test_what_is_no_bundle_or_broken_off_names_none() -> None:
    data = good()
    assert agreed_zone(b"") is agreed_zone(b"PK\3\4") is agreed_zone(data[:5_000]) is None


def test_days_of_another_zone_are_billed_otherwise() -> None:
    """Why a program asks: all steps hold, and the sum is another one."""
    _, agreed = vector("valid-counts")
    data = (FOLDER / "valid-counts.bundle").read_bytes()
    elsewhere = examine_bundle(data, story().policy)
    assert agreed_zone(data) == agreed.zone == "Europe/Berlin"
    assert elsewhere.totals is not None
    assert agreed.totals is not None
    assert elsewhere.totals.billed.amount != agreed.totals.billed.amount
