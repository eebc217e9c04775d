"""What differs between two sets of settings, and whether more is seen after it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.config import MaskRuleSettings, MaskSettings, Settings, parse_settings
from workseal_agent.config.changes import Change, When, changes_between, shows_more
from workseal_agent.mask import load_only

HOME = Path("/home/ada/agent")
BANK = MaskRuleSettings("bank", "firefox", "*My Bank*")
CODE = MaskRuleSettings("code", "code")
MAIL = MaskRuleSettings("mail", None, "*mail*")


def read(text: str) -> Settings:
    return parse_settings(HOME, text.encode())


def hiding(*rules: MaskRuleSettings) -> Settings:
    return Settings(HOME, mask=MaskSettings(rules=rules))


def only(*rules: MaskRuleSettings) -> Settings:
    return Settings(HOME, mask=MaskSettings(only=rules))


def one_change(old: Settings, new: Settings) -> Change:
    (change,) = changes_between(old, new)
    return change


def test_the_same_settings_have_no_change() -> None:
    assert changes_between(hiding(BANK), hiding(BANK)) == ()


@pytest.mark.parametrize(
    ("old", "new", "effect", "more"),
    [
        ("", "[display]\nhours='12'", "display.hours", False),
        ("", "[display]\ntotals='minute'", "display.totals.minute", False),
        ("", "[display]\nzone='agreement'", "display.zone", False),
        ("", "[notices]\nshow=false", "notices.show.false", False),
        ("", "[vault]\nwarn_above_gib=7", "vault.warn_above_gib", False),
        ("", "[lock]\ntime='count'", "lock.time.count", False),
        ("", "[seal]\nkey='super+pause'", "seal.key.on", False),
        ("[seal]\nkey='super+pause'", "", "seal.key.off", True),
        ("[seal]\nkey='super+pause'", "[seal]\nkey='ctrl+alt+s'", "seal.key.other", True),
        ("", "[mask]\ndefaults=false", "mask.defaults.false", True),
        ("[mask]\ndefaults=false", "", "mask.defaults.true", False),
        ("", "[screen]\nkind='x11'", "screen.kind", True),
        ("", "[screen]\ndisplay=':7'", "screen.display", True),
        ("", "[screen]\nreplay='/p'", "screen.replay", True),
        ("", "[activity]\nkind='none'", "activity.kind.off", False),
        ("[activity]\nkind='none'", "", "activity.kind.on", True),
        ("", "[activity]\nkind='x11'", "activity.kind", True),
        ("", "[witness]\nlisten='127.0.0.1:1'", "witness.listen.on", True),
        ("[witness]\nlisten='127.0.0.1:1'", "[witness]\nlisten='0.0.0.0:1'",
         "witness.listen.other", True),
        ("[witness]\nlisten='127.0.0.1:1'", "", "witness.listen.off", False),
        ("", "[verifier]\nurl='https://a.example'", "verifier.url", True),
        ("", "[verifier]\nca_file='/ca'", "verifier.ca_file", True),
    ],
)  # fmt: skip
def test_a_value_is_told_with_what_it_comes_to(
    old: str, new: str, effect: str, *, more: bool
) -> None:
    change = one_change(read(old), read(new))
    assert (change.effect, change.more) == (effect, more)
    assert change.before != change.after


def test_most_hold_from_the_next_start() -> None:
    for text, when in (
        ("[display]\nhours='12'", When.NOW),
        ("[vault]\nwarn_above_gib=7", When.NOW),
        ("[verifier]\nurl='https://a.example'", When.JOIN),
        ("[lock]\ntime='count'", When.START),
        ("[mask]\ndefaults=false", When.START),
    ):
        assert one_change(read(""), read(text)).when is when


@pytest.mark.parametrize(
    ("old", "new", "effect", "more"),
    [
        (hiding(), hiding(BANK), "added", False),
        (hiding(BANK), hiding(), "removed", True),
        (hiding(BANK), hiding(replace(BANK, title="*bank*")), "changed", True),
        (hiding(BANK), hiding(replace(BANK, name="money")), "renamed", False),
        # Another rule says the same.
        (hiding(BANK, replace(BANK, name="twin")), hiding(BANK), "removed", False),
    ],
)
def test_a_rule_that_hides(old: Settings, new: Settings, effect: str, *, more: bool) -> None:
    change = one_change(old, new)
    assert (change.effect, change.more) == (f"mask.rule.{effect}", more)


@pytest.mark.parametrize(
    ("old", "new", "effect", "more"),
    [
        (only(), only(CODE), "first", False),
        (only(CODE), only(), "last", True),
        (only(CODE), only(CODE, MAIL), "added", True),
        (only(CODE, MAIL), only(CODE), "removed", False),
        (only(CODE), only(replace(CODE, application="*")), "changed", True),
        (only(CODE), only(replace(CODE, name="editor")), "renamed", False),
        (only(CODE), only(replace(CODE, engagement="3f2a")), "changed", True),
        (only(replace(CODE, engagement="3f2a")), only(CODE), "changed", False),
    ],
)
def test_a_rule_that_shows(old: Settings, new: Settings, effect: str, *, more: bool) -> None:
    change = one_change(old, new)
    assert (change.effect, change.more) == (f"mask.only.{effect}", more)


def test_several_changes_are_all_told() -> None:
    new = Settings(HOME, mask=MaskSettings(defaults=False, rules=(MAIL,), only=(CODE,)))
    told = [change.effect for change in changes_between(hiding(BANK), new)]
    assert told == [
        "mask.defaults.false",
        "mask.rule.removed",
        "mask.rule.added",
        "mask.only.first",
    ]


WINDOWS = st.sampled_from(["code", "mail", "bank"])
RULES = st.lists(
    st.tuples(WINDOWS, st.sampled_from([None, "3f2a", "3f2a77", "3f2a7700", "9999"])), max_size=4
)


@given(old=RULES, new=RULES)
def test_more_is_seen_exactly_if_some_engagement_shows_another_window(
    old: list[tuple[str, str | None]], new: list[tuple[str, str | None]]
) -> None:
    """Checked against what recording takes from the same settings, in engagements of all kinds."""

    def shown(rules: list[tuple[str, str | None]], engagement: bytes) -> set[str] | None:
        found = load_only(only(*told(rules)), engagement)
        return {one.application or "" for one in found} or None

    def told(rules: list[tuple[str, str | None]]) -> list[MaskRuleSettings]:
        return [
            MaskRuleSettings(str(at), window, engagement=number)
            for at, (window, number) in enumerate(rules)
        ]

    more = False
    for number in ("3f2a7700" + "00" * 12, "3f2a7711" + "00" * 12, "3f2a00" + "00" * 13,
                   "9999" + "00" * 14, "00" * 16):  # fmt: skip
        before, after = (shown(rules, bytes.fromhex(number)) for rules in (old, new))
        more |= before is not None and (after is None or not after <= before)
    assert shows_more(told(old), told(new)) == more
