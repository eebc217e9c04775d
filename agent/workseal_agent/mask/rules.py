"""Which windows a person does not want recorded, and which are never recorded by default.

Rules: a pattern matches the whole text, and * and ? are its only wildcards: titles are chosen by
web pages, and a regular expression could be made to run for ever. Letters are compared without
case, whatever their code, and without what is not seen: a page's title may hide hyphens in a word.
"""

import fnmatch
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from workseal_agent.config import MaskRuleSettings, Settings
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.windows import WindowInfo

# Password managers, prompts for secrets, and browsers that are private as a whole; by the names of
# X11 and of Wayland. * at both ends where packagers put names of their own around.
_SECRET_APPLICATIONS = (
    "*1password*", "*authenticator*", "*bitwarden*", "*onepassword*", "*proton*pass*",
    "authy*", "buttercup*", "dashlane*", "enpass*", "ente?auth*", "gcr-prompter",
    "gnome-keyring*", "io.ente.auth*", "*keepass*", "keeper*", "keeweb*", "keysmith*",
    "kwalletd*", "kwalletmanager*", "*lastpass*", "lxqt-openssh-askpass", "mullvad*browser*",
    "*nordpass*", "org.gnome.seahorse*", "org.gnome.world.secrets", "org.gnome.passwordsafe*",
    "org.kde.keysmith", "org.kde.kwalletmanager*", "otpclient*", "*passwordsafe*", "*pinentry*",
    "*polkit*agent*", "psono*", "qtpass*", "roboform*", "seahorse*", "secrets", "*ssh-askpass*",
    "tor browser*", "tor-browser*", "torbrowser*", "*yubioath*", "zoho vault*",
)  # fmt: skip
# What browsers write into the title of a private window, and pages that show secrets.
_PRIVATE_TITLES = (
    "*anonymní prohlížení*", "*bitwarden web vault*", "*duyệt web riêng tư*", "*gizli gezinti*",
    "*google password manager*", "*incognito*", "*inkognito*", "*inprivate*",
    "*mode penjelajahan pribadi*", "*navegació privada*", "*navegación privada*",
    "*navegação anônima*", "*navegação privada*", "*navigare privată*", "*navigation privée*",
    "*navigazione anonima*", "*privaatne veebilehitsemine*", "*privat browsing*",
    "*privat nettlesing*", "*privat surfning*", "*private browsing*", "*private window*",
    "*privater modus*", "*privates fenster*", "*privatno pregledavanje*", "*privatno surfanje*",
    "*privát böngészés*", "*privénavigatie*", "*przeglądanie prywatne*", "*súkromné prehliadanie*",
    "*yksityinen selaus*", "*zasebno brskanje*", "*ιδιωτική περιήγηση*",
    "*поверително разглеждане*", "*приватний перегляд*", "*приватный просмотр*", "*инкогнито*",
    "*גלישה פרטית*", "*التصفح الخاص*", "*プライベート*ブラウジング*", "*シークレット*",
    "*사생활 보호 모드*", "*隐私浏览*", "*隱私瀏覽*", "*无痕*",
)  # fmt: skip

# Format characters: where a word may be cut, which way it is written, what joins.
_UNSEEN = "Cf"


@dataclass(frozen=True, slots=True)
class Rule:
    """Name windows; with several patterns, all must match.

    `url` is a hint: the beginning of an address without its scheme, looked for in the title alone,
    because nothing else that is read here shows an address.
    """

    name: str
    application: str | None = None
    title: str | None = None
    default: bool = False
    url: str | None = None

    def __post_init__(self) -> None:
        if self.application is None and self.title is None and self.url is None:
            raise ValueError("a mask rule needs an application, a title or a url")

    def matches(self, window: WindowInfo) -> bool:
        """Say whether the rule names this window."""
        titles = {window.title, *window.title.split("\n")}
        return (
            (self.application is None or _any_matches(self.application, window.wm_class))
            and (self.title is None or _any_matches(self.title, titles))
            and (self.url is None or _plain(self.url) in _plain(window.title))
        )


def load_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return the user's rules, and the defaults unless they are switched off."""
    own = tuple(_rule(rule) for rule in settings.mask.rules)
    if not settings.mask.defaults:
        return own
    secret = (Rule(f"default: {name}", name, None, default=True) for name in _SECRET_APPLICATIONS)
    private = (Rule(f"default: {name}", None, name, default=True) for name in _PRIVATE_TITLES)
    return (*own, *secret, *private)


def load_only(settings: Settings, engagement: bytes | None) -> tuple[Rule, ...]:
    """Return which windows alone are recorded in an engagement; none: all of them are."""
    number = "" if engagement is None else engagement.hex()
    return tuple(
        _rule(rule)
        for rule in settings.mask.only
        if rule.engagement is None or (number and number.startswith(rule.engagement))
    )


def require_known(settings: Settings, engagements: Iterable[bytes]) -> None:
    """Refuse, with an `AgentError`, an only-rule for an engagement that this home does not have.

    It would hold nowhere, and where its owner thinks that it holds the whole screen would be seen.
    """
    known = [one.hex() for one in engagements]
    for rule in settings.mask.only:
        number = rule.engagement
        if number is not None and not any(one.startswith(number) for one in known):
            raise AgentError(
                phrase(
                    "the rule {name} of [[mask.only]] is for the engagement {number}, and this home"
                    " has {names}: it would hold nowhere",
                    name=rule.name,
                    number=number,
                    names=", ".join(one[:8] for one in known) or phrase("none"),
                )
            )


def never_matched(rules: Iterable[Rule], matched: Iterable[str]) -> tuple[str, ...]:
    """Name the user's own rules that are not among the matched: likely typing mistakes."""
    seen = frozenset(matched)
    return tuple(rule.name for rule in rules if not rule.default and rule.name not in seen)


def _rule(told: MaskRuleSettings) -> Rule:
    return Rule(told.name, told.application, told.title, url=told.url)


def _any_matches(pattern: str, texts: Iterable[str]) -> bool:
    return any(_glob(pattern).match(_plain(text)) for text in texts)


# Of patterns alone: what stands in a title is kept nowhere.
@lru_cache(maxsize=512)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(_plain(pattern).replace("[", "[[]")))


def _plain(text: str) -> str:
    """Write letters in one way (UAX 15, NFKC, without case); the Turkish i is an i."""
    seen = text if text.isprintable() else "".join(filter(_is_seen, text))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return folded.replace("i\N{COMBINING DOT ABOVE}", "i").replace(
        "\N{LATIN SMALL LETTER DOTLESS I}", "i"
    )


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) != _UNSEEN
