"""Secrets that have no form of their own: what stands before them, or above, says what they are.

Rules: a label is a word of one of several languages, also with the letters that a reader of screens
loses. Behind a sign (`:`, `=`) everything that is not plainly code is a secret; behind a mere space
only what looks like one. Every repetition is bounded.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from workseal_agent.suggestions.finding import Finding
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why
from workseal_agent.suggestions.values import is_plain, is_told, may_be_secret

# Also inside of a longer name: dbPassword, Benutzerkennwort.
_LONG: Final = (
    r"pas[s5]w[o0]r[dt]|pas[s5][ _-]?(?:wd|phrase|code)|kennwort|mot[ _]de[ _]passe"
    r"|contrase(?:[nñhfú]|fi)a|palabra[ _]clave|senha|palavra[ _-]passe|wachtwoord|ha[s5][lłt]o"
    r"|l[öo0]senord|adgangskode|passord|salasana|heslo|jelsz[óo0]|[sş]ifre|parol[aă]|kata[ _]sandi"
    r"|m[ậa]t[ _]kh[ẩa]u|пароль|κωδικός|סיסמה|identified by"
    r"|パスワード|暗証番号|密码|密碼|口令|비밀번호"
    r"|(?:wlan|netzwerk|wi-?fi)[ -]?schl(?:ü|u|ue|ii)ssel"
    r"|(?:network|security|wpa2?|wep|wi-?fi)[ -]key"
)
# Only as words of their own: "bypass", "spinning", "compass" are others.
_SHORT: Final = r"pass|pwd|psw|pw|mdp|pin(?:[ -]?code)?|puk|psk|rootpw|clave|losung|geheimnis"
_LABEL: Final = (
    rf"(?:[\w-]{{0,24}}(?:{_LONG})|(?<![^\W_])(?:\w{{0,20}}[_-])?(?:{_SHORT}))(?:_?\d|\b|(?<=\W))"
)
# "(again)", "for bob@host", and what closes a quotation or an index.
_REMARK: Final = (
    r"['\"’”`\])]{0,3}\s{0,2}(?:\([^()]{1,24}\)\s{0,2})?"
    r"(?:(?:for|of|to|für|von|de|pour|para|di)\s\S{1,64}\s{0,2})?"
)
_SIGN: Final = (
    r"(?::\s?(?:str|string|bytes|secretstr)(?:\s?\|\s?none)?\s?=\s{0,4}"  # a type between
    r"|[:=\uff1a\ufe55]{1,2}[>=]?\s{0,4}|=>\s{0,3}|→\s{0,3}|>(?=\S)"
    r"|,?\s{0,2}['\"]?value['\"]?\s?[:=]\s{0,3})"
)
# A cell beside another, define('…', '…'), SQL: what follows has to look like a secret.
_WEAK_SIGN: Final = r"(?:\s?\|\s{0,3}|,\s{0,2}(?=['\"])|\s{0,2}(?=['\"“‘]))"
_VALUE: Final = r"(?P<quote>[bfru]?['\"“‘`«])?(?P<value>\S{3,200})"
_SIGNED: Final = re.compile(rf"(?i)(?P<label>{_LABEL}){_REMARK}(?P<sign>{_SIGN}){_VALUE}")
_WEAKLY: Final = re.compile(rf"(?i){_LABEL}{_REMARK}{_WEAK_SIGN}{_VALUE}")
_SAID: Final = re.compile(
    rf"(?i){_LABEL}(?:['’]s|\s{{1,2}}(?P<verb>is|lautet|ist|est|es|è|é|jest|är|er))\s{{1,4}}{_VALUE}"
)
# A value in a box of its own, after a gap: a form whose colon is a line, or was not read.
_BESIDE: Final = re.compile(
    rf"(?i)(?P<label>{_LABEL})\s{{0,2}}[-–—]?\s{{1,4}}"
    r"(?P<value>\S{3,64}(?:\s[^\sA-Za-z]\S{0,40})?)"
)
# A line of its own, or a field beside its label: "Passwort mysecret" is no sentence then.
_PLAINLY: Final = re.compile(
    rf"(?i)(?:^|(?<=\s\s))\W{{0,3}}(?:[\w-]{{1,16}}\s)?(?P<label>{_LABEL}){_REMARK}[-–—*]?\s{{1,4}}"
    r"(?P<value>[^\W\d_][\w-]{3,60})(?=\s\s|\s*$)"
)
_SHORT_CODE: Final = re.compile(r"(?i)(?<!\w)(?:pin|puk)(?:[ -]?code)?\s{1,4}(?P<value>\d{4,8})\b")
_GIVEN: Final = re.compile(
    rf"(?i)(?:^|[\s$#>])(?:--?(?:[a-z-]{{0,20}}(?:{_LONG})|pass|pwd)(?:=|\s{{1,2}})"
    r"|(?:sshpass|mysql\w{0,9}|mariadb|mongo\w{0,5}|redis-cli|psql)\b.{0,80}?\s(?:-p|-a)\s?"
    r"|(?:curl|wget|http)\b.{0,80}?\s(?:-u|--user)\s{1,2}['\"]?[^\s:]{1,64}:)"
    r"(?P<quote>['\"])?(?P<value>[^\s-]\S{3,128})"
)
_PAIR: Final = re.compile(
    r"(?i)\b(?:log-?in|creds?|credentials|zugang(?:sdaten)?|accès|acceso|user(?:name)?|benutzer)"
    r"\s{0,2}[:=]\s{0,3}[^\s/:|@]{1,40}\s{0,2}[/:|]\s{0,2}(?P<value>\S{4,64})"
)
_AS: Final = re.compile(
    rf"(?i)(?P<value>\S{{4,64}})\s{{1,2}}(?:as|als|comme|como)\s(?:\w{{1,8}}\s)?{_LABEL}"
)
_IN_ADDRESS: Final = re.compile(
    r"(?i)[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,64}:(?P<value>[^\s/]{2,128})@(?=[\w.\[-])"
)
_KEY_LABEL: Final = (
    r"(?:api|access|auth|secret|private|account|encryption|client)[_ -]?(?:key|token|secret)"
    r"|(?:[a-z]{1,20}[_-])?secret(?:[_-]access[_-]key)?|(?:[a-z]{1,20}[_-])?token|bearer"
)
_KEY: Final = re.compile(
    rf"(?i)(?<![a-z])(?:{_KEY_LABEL})['\"\])]{{0,3}}\s{{0,3}}"
    r"(?:[:=\uff1a]{1,2}>?\s{0,4}(?P<quote>['\"])?(?P<value>\S{12,512})"
    r"|\s{1,4}['\"]?(?P<spaced>[\w.~+/=-]{12,512}))"
)
_ALONE: Final = re.compile(
    rf"(?i)\W{{0,3}}(?:[\w-]{{1,16}} ){{0,2}}{_LABEL}{_REMARK}[*:\uff1a\s]{{0,4}}"
)
_NAMES: Final = frozenset({"password", "passwd", "pass", "pwd", "pw", "passphrase", "passwort"})
_PARTICIPLE: Final = re.compile(r"[a-z]+ed|ge[a-zäöüß]+(?:t|en)|[a-z]{1,3}")
_SENTENCE: Final = 3
_DIGITS: Final = re.compile(r"\d{4,12}")
_PLAIN: Final = re.compile(r"[a-z]+(?:['’][a-z]+)?[,;:]?")
_GOES_ON: Final = re.compile(r" [A-Za-z]")
_VERBS_OF_PROSE: Final = frozenset({"est", "es", "è", "é", "er", "är", "jest", "ist"})


def find_labelled(text: str) -> Iterator[Finding]:
    """Yield passwords and keys that something before them names; findings may overlap."""
    for pattern, holds in _PASSWORDS:
        for match in pattern.finditer(text):
            if holds(match):
                yield Finding(Kind.PASSWORD, Why.LABELLED, Sureness.LIKELY, *match.span())
    for match in _PLAINLY.finditer(text):
        if _is_plainly(match):
            yield Finding(Kind.PASSWORD, Why.LABELLED, Sureness.POSSIBLE, *match.span("value"))
    for match in _KEY.finditer(text):
        if _is_key(match):
            yield Finding(Kind.TOKEN, Why.LABELLED, Sureness.LIKELY, *match.span())


def is_label(text: str) -> bool:
    """Say whether a line is nothing but a label, so that its value may stand below."""
    # Wide letters are read with spaces between them.
    return any(_ALONE.fullmatch(one) for one in (text, text.replace(" ", "")))


def is_value(text: str, label: str) -> bool:
    """Say whether a line may be the value of the label above it."""
    words = text.split()
    if len(words) == 1 and _takes_words(label) and text.islower() and is_plain(text):
        return True
    if _DIGITS.fullmatch(text):
        return True
    return len(words) < _SENTENCE and any(map(is_told, words))


def _takes_words(label: str) -> bool:
    """Leave out what is also a word of programs, and what only digits follow."""
    return label.lower().strip(" :*\uff1a$") not in {"pass", "pin", "puk"}


def _is_quoted(match: re.Match[str]) -> bool:
    return match["quote"] is not None


def _is_signed(match: re.Match[str]) -> bool:
    """Leave out `password=password` of a program, though not "Password: password"."""
    value = match["value"].rstrip("'\",;).").lower().lstrip("_")
    repeats = "=" in match["sign"] and value in _NAMES and not _is_quoted(match)
    return not repeats and may_be_secret(match["value"], quoted=_is_quoted(match))


def _is_weakly_signed(match: re.Match[str]) -> bool:
    return is_told(match["value"].rstrip("'\",;)"))


def _is_beside(match: re.Match[str]) -> bool:
    """Say whether a secret stands after a gap; after one space it has to be plainer.

    One space is between all words, and "pass" is also a verb.
    """
    value = match["value"]
    if "  " in match[0][: -len(value)]:
        return is_told(value)
    named = re.fullmatch(r"[a-z_]{2,40}=.*|[a-z0-9]+(?:_[a-z0-9]+)+\W?", value, re.IGNORECASE)
    return match["label"].lower() != "pass" and named is None and is_told(value, least=7)


def _is_plainly(match: re.Match[str]) -> bool:
    """Tell "Passwort mysecret" from "Password Manager".

    After one space a capital begins a title.
    """
    value = match["value"]
    alone = match[0].strip() == match.string.strip()
    gap = alone and "  " in match.string[match.end("label") : match.start("value")]
    return (gap or value.islower()) and _takes_words(match["label"]) and is_plain(value)


def _is_said(match: re.Match[str]) -> bool:
    """Tell "the password is hunter2" from "the password is stored"."""
    value = match["value"]
    if _is_quoted(match):
        return may_be_secret(value, quoted=True)
    if (match["verb"] or "").lower() in _VERBS_OF_PROSE:
        return is_told(value, least=4)
    if not may_be_secret(value) or _PARTICIPLE.fullmatch(value.rstrip(".,;:!?")):
        return False
    # A plain word with more words behind it is a sentence about passwords.
    return _PLAIN.fullmatch(value) is None or _GOES_ON.match(match.string, match.end()) is None


def _is_told(match: re.Match[str]) -> bool:
    return is_told(match["value"])


def _is_given(match: re.Match[str]) -> bool:
    return match["value"].lower() not in _NAMES and may_be_secret(match["value"])


def _is_key(match: re.Match[str]) -> bool:
    """Tell a key from a word: it has letters and digits."""
    value = match["value"] or match["spaced"]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and "://" not in value and may_be_secret(value, quoted=_is_quoted(match))


_PASSWORDS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...]] = (
    (_SIGNED, _is_signed),
    (_WEAKLY, _is_weakly_signed),
    (_SAID, _is_said),
    (_BESIDE, _is_beside),
    (_PAIR, _is_told),
    (_AS, _is_told),
    (_SHORT_CODE, bool),
    (_GIVEN, _is_given),
    (_IN_ADDRESS, _is_given),
)
