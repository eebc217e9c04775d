from pathlib import Path

import pytest

from workseal_agent.config import parse_settings
from workseal_agent.errors import AgentError, SettingsError
from workseal_agent.mask import Rule, load_only, load_rules, never_matched, require_known
from workseal_agent.windows import WindowInfo

ENGAGEMENT = bytes.fromhex("3f2a" + 28 * "0")
SETTINGS = b"""
[mask]
defaults = false
[[mask.rule]]
name = "bank"
url = "https://www.Bank.example/login/"
[[mask.only]]
name = "editor"
engagement = "3f2a"
application = "code"
[[mask.only]]
name = "shell"
application = "xterm"
"""


def titled(title: str, *names: str) -> WindowInfo:
    return WindowInfo(title, names, 0, 0, 1, 1, 0)


def test_an_address_is_looked_for_in_the_title_alone() -> None:
    (rule,) = load_rules(parse_settings(Path("/home"), SETTINGS))
    assert rule.url == "bank.example/login"
    assert rule.matches(titled("Log in - https://www.BANK.example/login?x=1 - Browser"))
    assert not rule.matches(titled("My bank", "firefox"))
    assert not rule.matches(titled("", "bank.example/login"))


def test_an_address_narrows_the_other_patterns() -> None:
    rule = Rule("bank", "firefox", url="bank.example")
    assert rule.matches(titled("bank.example", "Firefox"))
    assert not rule.matches(titled("bank.example", "xterm"))


def test_a_rule_names_something() -> None:
    with pytest.raises(ValueError, match="an application, a title or a url"):
        Rule("empty")


def test_only_these_windows_holds_for_the_engagement_that_it_names_or_for_all() -> None:
    settings = parse_settings(Path("/home"), SETTINGS)
    assert [rule.name for rule in load_only(settings, ENGAGEMENT)] == ["editor", "shell"]
    assert [rule.name for rule in load_only(settings, bytes(16))] == ["shell"]
    assert [rule.name for rule in load_only(settings, None)] == ["shell"]
    assert never_matched(load_only(settings, ENGAGEMENT), {"shell"}) == ("editor",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[mask.rule]]\nname='x'\nurl='bank'", "must be an address"),
        ("[[mask.rule]]\nname='x'\nurl='a b.example'", "must be an address"),
        ("[[mask.rule]]\nname='x'\nurl='*.example'", "must be an address"),
        ("[[mask.rule]]\nname='x'\ntitle='y'\nengagement='3f2a'", "engagement in"),
        ("[[mask.only]]\nname='x'\nurl='a.example'", "url in"),
        ("[[mask.only]]\nname='x'", "application or a title"),
        ("[[mask.only]]\nname='x'\ntitle='y'\nengagement='3F2A'", "first 4 to 32 digits"),
        ("[[mask.only]]\nname='x'\ntitle='y'\nengagement='3f2'", "first 4 to 32 digits"),
        (
            "[[mask.rule]]\nname='x'\ntitle='y'\n[[mask.only]]\nname='x'\ntitle='z'",
            "same name",
        ),
    ],
)
def test_refuses_what_would_protect_nothing(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse_settings(Path("/home"), text.encode())


@pytest.mark.parametrize(
    "application",
    [
        "com.onepassword.OnePassword", "1Password", "com.bitwarden.desktop", "Bitwarden",
        "org.keepassxc.KeePassXC", "KeePass2", "com.belmoussaoui.Authenticator", "Tor Browser",
        "mullvad-browser", "com.yubico.yubioath", "me.proton.Pass", "io.ente.auth", "Seahorse",
    ],
)  # fmt: skip
def test_the_defaults_know_the_names_of_packagers(application: str) -> None:
    rules = load_rules(parse_settings(Path("/home"), b""))
    assert any(rule.matches(titled("", application)) for rule in rules)


@pytest.mark.parametrize(
    "title",
    [
        "Anonymní prohlížení", "Duyệt web riêng tư", "Gizli Gezinti", "Mode Penjelajahan Pribadi",
        "Navegació privada", "Navegación privada", "Navegação privada", "Navigare privată",
        "Navigation privée", "Navigazione anonima", "Privat browsing", "Privat nettlesing",
        "Privat surfning", "Private Browsing", "Privater Modus", "Privatno pregledavanje",
        "Privatno surfanje", "Privát böngészés", "Privénavigatie", "Przeglądanie prywatne",
        "Súkromné prehliadanie", "Yksityinen selaus", "Zasebno brskanje", "Ιδιωτική Περιήγηση",
        "Поверително разглеждане", "Приватний перегляд", "Приватный просмотр", "גלישה פרטית",
        "privaatne veebilehitsemine", "التصفح الخاص", "プライベート ブラウジング",
        "プライベートブラウジング", "사생활 보호 모드", "隐私浏览", "隱私瀏覽",
    ],
)  # fmt: skip
def test_the_defaults_know_what_private_windows_say_of_themselves(title: str) -> None:
    rules = load_rules(parse_settings(Path("/home"), b""))
    assert any(rule.matches(titled(f"A page — Mozilla Firefox ({title})")) for rule in rules)


@pytest.mark.parametrize(
    "title", ["Online\u00adBanking", "On\u200bline\u2060banking", "\u2068ONLINEBANKING\u2069"]
)
def test_what_is_not_seen_in_a_title_hides_it_from_no_rule(title: str) -> None:
    assert Rule("bank", title="onlinebanking*").matches(titled(f"{title} - Firefox"))
    assert Rule("bank", title=f"{title}*").matches(titled("onlinebanking - Firefox"))


@pytest.mark.parametrize(
    "application", ["firefox", "code", "org.gnome.Terminal", "Passepartout", "xterm", "Slack"]
)
def test_the_defaults_leave_other_programs_alone(application: str) -> None:
    rules = load_rules(parse_settings(Path("/home"), b""))
    assert not [rule.name for rule in rules if rule.matches(titled("", application))]


@pytest.mark.parametrize("known", [(), ("7fb4" + "00" * 14,)])
def test_an_only_rule_for_no_engagement_is_no_rule(known: tuple[str, ...]) -> None:
    """It would hold nowhere, and its owner thinks that one window alone is seen."""
    engagements = [bytes.fromhex(one) for one in known]
    text = b'[[mask.only]]\nname = "editor"\napplication = "code"\nengagement = "7fb5"\n'
    with pytest.raises(AgentError, match=r"the rule editor of .* is for the engagement 7fb5"):
        require_known(parse_settings(Path("/home"), text), engagements)
    require_known(parse_settings(Path("/home"), text), [bytes.fromhex("7fb5" + "00" * 14)])
    everywhere = text.replace(b'engagement = "7fb5"\n', b"")
    require_known(parse_settings(Path("/home"), everywhere), engagements)
