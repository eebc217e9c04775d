"""The pages of people whom strangers name in more than a page has."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.browser import Browser
from support.courtroom import Courtroom
from support.crowd import crowd
from support.hearings import Hearing
from support.office import LiveServer
from support.scripted import ScriptedAgent
from workseal_protocol.keys import SeedSigner
from workseal_verifier.services import hearing as hearings
from workseal_verifier.services import standing

OFFERS = 64


def words(text: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


class Crowded:
    """A case in which the freelancer must answer, and a stranger's offers beside it."""

    def __init__(self, folder: Path) -> None:
        self.room = Courtroom(folder).filed().noticed()
        self.office = self.room.office
        self.own = self.room.agent.engagement.hex()
        crowd(self.office, OFFERS)

    def look(self, live: LiveServer, signer: SeedSigner, *paths: str) -> list[str]:
        browser = Browser(self.office, live)
        browser.sign_in(signer)
        found = [browser.ask("GET", path).text for path in paths]
        browser.close()
        return found


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Crowded]:
    made = Crowded(tmp_path)
    yield made
    made.office.close()


def test_what_a_stranger_offers_hides_neither_agreement_nor_case_nor_whose_turn_it_is(
    crowded: Crowded,
) -> None:
    freelancer = crowded.office.people.freelancer
    with LiveServer(crowded.office) as live:
        diary, cases = crowded.look(live, freelancer, "/diary", "/cases")
        (following,) = re.findall(r'href="(/diary\?before=[^"]+)"', diary)
        (rest,) = crowded.look(live, freelancer, following)
    assert diary.index(crowded.own) < diary.index("0" * 30)
    assert "Your turn 1 case waits for you" in words(diary)
    assert "Not all are listed here." in words(diary)
    assert str(crowded.room.hearing.case.case) in cases
    assert "/cases?before=" not in cases
    # The other page has the one that is left, the oldest of the offers, and says no more.
    assert re.findall(r'"/diary/([0-9a-f]{32})"', rest) == ["0" * 32]
    assert "Not all are listed here." not in words(rest)


def test_other_agreements_of_two_are_found_beside_any_strangers_offers(
    crowded: Crowded, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = crowded.office
    made = [
        ScriptedAgent(office, terms=crowded.room.terms, engagement=bytes([number]) * 16)
        for number in (254, 255)
    ]
    one, two = (each.engagement.hex() for each in made)
    path = f"/diary/{crowded.own}"
    with LiveServer(office) as live:
        (whole,) = crowded.look(live, office.people.client, path)
        monkeypatch.setattr(standing, "MOST_CASES", 2)
        (cut,) = crowded.look(live, office.people.freelancer, path)
    assert f"/diary/{one}" in whole
    assert f"/diary/{two}" in whole
    assert "Only the newest are listed here" not in words(whole)
    # Of three that the two signed, this one is not among the newest two.
    assert f"/diary/{one}" in cut
    assert f"/diary/{two}" in cut
    assert "Only the newest are listed here" in words(cut)
    assert "0" * 30 not in cut


def test_a_list_of_cases_that_leaves_some_out_leads_to_them(
    crowded: Crowded, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, room = crowded.office, crowded.room
    monkeypatch.setattr(hearings, "MOST_CASES", 1)
    other = ScriptedAgent(office, terms=room.terms, engagement=b"\xff" * 16)
    hearing = Hearing(office, other.engagement, room.terms).file()
    with LiveServer(office) as live:
        diary, cases = crowded.look(live, office.people.freelancer, "/diary", "/cases")
        (following,) = re.findall(r'href="(/cases\?before=[^"]+)"', cases)
        (rest,) = crowded.look(live, office.people.freelancer, following)
    first, second = str(hearing.case.case), str(room.hearing.case.case)
    assert (first in cases, second in cases) == (True, False)
    assert (first in rest, second in rest) == (False, True)
    assert "You may be in more cases than are looked at here" in words(diary)
    assert "Not all are looked at here." in words(cases)
    assert "Not all are looked at here." not in words(rest)
