"""Settings in the pages: the effect first, then exactly that, and nothing else ever."""

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.paged import PASSPHRASE, PagedHome, Visitor
from workseal_agent.config import load_settings
from workseal_agent.config.values import NAMES
from workseal_agent.pages import PagesServer
from workseal_agent.pages.settings import CHOICES, GROUPS, PLACE, ZONE_WORDS
from workseal_agent.pages.words import load_words

OWN = """\
# mine
[display]
zone = "agreement"   # where they pay
[mask]
[[mask.rule]] # money
name = "bank"
title = "*My Bank*"
"""
EDITED = {"act": "values", "display.hours": "12", "vault.warn_above_gib": "7"}
SHOWING = {"act": "remove", "array": "rule", "was": "bank"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    home = PagedHome(tmp_path_factory.mktemp("settings"))
    yield home
    home.rig.ledger.close()
    home.rig.client.close()


@pytest.fixture(autouse=True)
def written(home: PagedHome) -> None:
    home.settings.config_file.write_text(OWN)
    home.desk.settings = load_settings(home.home)


def text_of(home: PagedHome) -> str:
    return home.settings.config_file.read_text()


def looked(visitor: Visitor, **fields: Any) -> tuple[str, dict[str, str]]:
    """Look at the effect of a form; return what is told, and what its button would send."""
    answer = visitor.post(f"{PLACE}/change", **fields)
    assert answer.status_code == 200, answer.text
    form = answer.text.partition(f'action="{PLACE}"')[2]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))
    told = html.unescape(re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2]))
    return " ".join(told.split()), {
        name: html.unescape(value) for name, value in fields.items() if name != "form"
    }


def write(visitor: Visitor, **fields: Any) -> httpx.Response:
    return visitor.post(PLACE, **fields)


def test_every_setting_stands_on_the_page_once_with_its_value(visitor: Visitor) -> None:
    assert sorted(name for _, names in GROUPS for name in names) == sorted(NAMES)
    text = visitor.get(PLACE).text
    assert re.findall(r'name="([a-z]+\.[a-z_]+)"', text) == [
        n for _, names in GROUPS for n in names
    ]
    assert '<option value="agreement" selected>the agreement</option>' in text
    assert '<option value="24" selected>' in text
    assert "*My Bank*" in text


def test_a_zone_is_chosen_by_a_word_or_a_name_and_told_in_words(visitor: Visitor) -> None:
    text = visitor.get(PLACE).text
    zones = re.search(r'<select id="display_zone".*?</select>', text, re.DOTALL)
    assert zones is not None
    offered = re.findall(r'<option value="([^"]*)"', zones[0])
    assert offered[:2] == ["machine", "agreement"]
    assert "Europe/Berlin" in offered
    assert len(offered) == len(set(offered))
    told, _ = looked(visitor, act="values", **{"display.zone": "machine"})
    assert "the agreement" in told
    assert "this machine" in told


def test_every_text_that_a_change_may_need_is_there() -> None:
    words = load_words()
    for name in NAMES:
        word = name.replace(".", "_")
        assert {f"setting.{word}", f"hint.{word}"} <= words.keys()
        worded = CHOICES.get(name, ZONE_WORDS if name == "display.zone" else ())
        assert all(f"choice.{word}_{one}" in words for one in worded)


EFFECTS = (
    "display.hours", "display.totals.minute", "display.totals.second", "display.zone",
    "notices.show.true", "notices.show.false", "vault.warn_above_gib", "lock.time.count",
    "lock.time.pause", "seal.key.on", "seal.key.off", "seal.key.other", "screen.kind",
    "screen.display", "screen.replay", "activity.kind", "activity.kind.off", "activity.kind.on",
    "witness.listen.on", "witness.listen.off", "witness.listen.other", "verifier.url",
    "verifier.ca_file", "mask.defaults.true", "mask.defaults.false", "mask.rule.added",
    "mask.rule.removed", "mask.rule.changed", "mask.rule.renamed", "mask.only.first",
    "mask.only.added", "mask.only.removed", "mask.only.last", "mask.only.changed",
    "mask.only.renamed",
)  # fmt: skip


def test_every_effect_has_its_words_and_no_other() -> None:
    known = {name for name in load_words() if name.startswith("effect.")}
    assert known == {f"effect.{one.replace('.', '_')}" for one in EFFECTS}


def test_the_effect_is_shown_first_and_then_exactly_that_is_written(
    visitor: Visitor, home: PagedHome
) -> None:
    told, form = looked(visitor, **EDITED)
    assert "Times of day Now 24 hours (14:05) Then 12 hours (2:05 pm)" in told
    assert "Not one picture is destroyed or kept because of it." in told
    assert "passphrase" not in told
    assert text_of(home) == OWN
    answer = write(visitor, **form)
    assert (answer.status_code, answer.headers["location"]) == (303, PLACE)
    assert text_of(home) == (
        OWN.replace("# where they pay\n", '# where they pay\nhours = "12"\n')
        + "\n[vault]\nwarn_above_gib = 7\n"
    )
    assert home.desk.settings == load_settings(home.home)
    assert "Changed: 2 settings." in visitor.get(PLACE).text


def test_a_rule_is_added_without_and_taken_away_with_the_passphrase(
    visitor: Visitor, home: PagedHome
) -> None:
    told, form = looked(visitor, act="put", array="rule", name="mail", title=" *<inbox>* ")
    assert "“mail”: title *<inbox>*" in told
    assert "painted over in every picture, before anything else sees it" in told
    assert write(visitor, **form).status_code == 303
    assert [rule.name for rule in load_settings(home.home).mask.rules] == ["bank", "mail"]
    told, form = looked(visitor, **SHOWING)
    assert "what stands in them will be in your pictures" in told
    assert "your passphrase is asked for" in told
    before = text_of(home)
    for wrong in ({}, {"passphrase": ""}, {"passphrase": PASSPHRASE[:-1]}):
        answer = write(visitor, **form, **wrong)
        assert answer.status_code == 422
        assert text_of(home) == before
    assert write(visitor, **form, passphrase=PASSPHRASE).status_code == 303
    assert [rule.name for rule in load_settings(home.home).mask.rules] == ["mail"]


def test_a_rule_is_rewritten_with_both_its_wordings_told(visitor: Visitor) -> None:
    told, form = looked(
        visitor, act="put", array="rule", was="bank", name="bank", url="bank.example"
    )
    assert "Now “bank”: title *My Bank* Then “bank”: address bank.example" in told
    assert write(visitor, **form, passphrase=PASSPHRASE).status_code == 303


def test_a_file_that_changed_meanwhile_is_left_alone(visitor: Visitor, home: PagedHome) -> None:
    _, form = looked(visitor, **EDITED)
    home.settings.config_file.write_text(OWN + "# by an editor\n")
    answer = write(visitor, **form)
    assert answer.status_code == 409
    assert "look again" in answer.text
    assert text_of(home) == OWN + "# by an editor\n"


@pytest.mark.parametrize(
    "other",
    [{"display.hours": "24"}, {"display.zone": "UTC"}, {"act": "remove"}, {"meant": ""},
     {"seen": "0" * 64}],
)  # fmt: skip
def test_only_what_was_shown_is_written(
    visitor: Visitor, home: PagedHome, other: dict[str, str]
) -> None:
    _, form = looked(visitor, **EDITED)
    assert write(visitor, **{**form, **other}, array="rule", was="bank").status_code in {409, 422}
    assert text_of(home) == OWN


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"display.zone": "Atlantis"}, "in [display] must be", id="zone"),
        pytest.param({"vault.warn_above_gib": "1e3"}, "must be a whole number", id="number"),
        pytest.param({"vault.warn_above_gib": "9" * 4_301}, "whole number", id="long number"),
        pytest.param({"notices.show": "maybe"}, "must be true or false", id="flag"),
        pytest.param({"screen.kind": "webcam"}, "must be one of auto", id="choice"),
        pytest.param({"screen.kind": "replay"}, "needs replay", id="two that belong together"),
        pytest.param({"seal.key": "s"}, "letters and digits need", id="key"),
        pytest.param({"verifier.url": "http://a.example"}, "must be https", id="url"),
        pytest.param({"display.hours": "24"}, "would change nothing", id="no change"),
        pytest.param({"act": "erase"}, "no such button", id="act"),
        pytest.param({"act": "put", "array": "x"}, "no such button", id="array"),
        pytest.param({"act": "put", "array": "rule", "name": "x"}, "or a title", id="rule"),
        pytest.param({"act": "put", "array": "rule", "title": "x"}, "needs a name", id="no name"),
        pytest.param({"act": "put", "array": "rule", "name": "bank", "title": "x"}, "the same name",
                     id="a name twice"),
        pytest.param({"act": "remove", "array": "only", "was": "bank"}, "no rule", id="no rule"),
        pytest.param({"act": "put", "array": "rule", "name": "x", "title": "y" * 60_000},
                     "1 to 256", id="long title"),
    ],
)  # fmt: skip
def test_what_the_file_would_refuse_is_refused_with_its_sentence(
    visitor: Visitor, home: PagedHome, fields: dict[str, str], words: str
) -> None:
    for place in (f"{PLACE}/change", PLACE):
        answer = visitor.post(place, **{"act": "values", **fields})
        assert answer.status_code == 422
        assert words in html.unescape(answer.text)
        assert "Nothing was changed." in answer.text
    assert text_of(home) == OWN


def test_a_file_that_says_nothing_is_told_and_left_alone(visitor: Visitor, home: PagedHome) -> None:
    home.settings.config_file.write_text("[verifier")
    for answer in (visitor.get(PLACE), visitor.post(f"{PLACE}/change", **EDITED)):
        assert answer.status_code == 409
        assert "Config.toml is not TOML." in answer.text
    assert text_of(home) == "[verifier"


def test_nothing_is_written_by_reading_or_by_another_page(
    visitor: Visitor, home: PagedHome, server: PagesServer
) -> None:
    _, form = looked(visitor, **EDITED)
    assert visitor.ask("GET", PLACE, params=form).status_code == 200
    assert visitor.ask("GET", f"{PLACE}/change", params=form).status_code == 405
    for headers in (
        {"origin": "http://evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"cookie": "workseal=x"},
    ):
        answer = visitor.ask("POST", PLACE, data={"form": visitor.form, **form}, headers=headers)
        assert answer.status_code in {401, 403}
    assert visitor.ask("POST", PLACE, data={"form": "x", **form}).status_code == 403
    assert text_of(home) == OWN
    assert server.denied


def test_what_recording_reads_only_at_its_start_is_told(visitor: Visitor, home: PagedHome) -> None:
    later, _ = looked(visitor, act="values", **{"lock.time": "count"})
    now, _ = looked(visitor, **EDITED)
    assert "from the next start of recording" in later
    assert "keeps the settings that it began with" not in later
    assert "It holds at once." in now
    home.rig.recorder.start()
    with home.recording():
        later, _ = looked(visitor, act="values", **{"lock.time": "count"})
        now, _ = looked(visitor, **EDITED)
    assert "keeps the settings that it began with" in later
    assert "keeps the settings that it began with" not in now
