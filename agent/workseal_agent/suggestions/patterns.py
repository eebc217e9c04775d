"""Secrets and personal data in a line of text that was read from a screen: our own patterns.

Rules: a reader of screens takes O for 0 and l for 1, loses spaces and doubles them, so patterns
allow for that. Each has a rule against what merely looks alike. Every repetition is bounded.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from workseal_agent.suggestions.checkdigits import card_fits, iban_length
from workseal_agent.suggestions.finding import MAX_TEXT, Finding
from workseal_agent.suggestions.labels import find_labelled
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why

# What a token's prefix promises is kept although a letter of the rest may be read wrongly.
_PREFIXED: Final = (
    (
        Kind.ACCESS_KEY,
        r"(?<![A-Za-z0-9])(?:A[KS][I1l|]A|A3T[A-Z0-9]|AB[I1l|]A|ACCA)[0-9A-Z]{10,20}",
    ),
    (Kind.ACCESS_KEY, r"(?<![A-Za-z0-9])A[I1l|]za[\w-]{20,40}"),
    (Kind.ACCESS_KEY, r"(?<![A-Za-z0-9])[sr]k[_ ](?:live|test)[_ ]\w{16,99}"),
    (Kind.ACCESS_KEY, r"(?<![A-Za-z0-9])sk-(?:ant-|proj-)?[\w-]{20,200}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])gh[opsur][_ -]?[0-9A-Za-z]{20,255}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])github[_ ]pat[_ ]\w{20,255}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])g[l1I]pat-[\w-]{16,64}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])xox[abeoprs]-[\w-]{10,255}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])(?:npm|hf|dop[_ ]v1|glc|shpat)_[0-9A-Za-z]{24,128}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])hvs\.[\w-]{20,255}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])ya29\.[\w-]{20,512}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])dckr[_ ]pat[_ ][\w-]{20,64}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])xapp-[\w-]{20,255}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])pypi-AgE[\w-]{40,512}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])SG\.[\w-]{16,32}\.[\w-]{30,64}"),
    (Kind.TOKEN, r"(?<![A-Za-z0-9])ey[Jj][\w-]{8,2048}(?:\s?[.,]\s?[\w-]{4,2048}){0,2}"),
    (Kind.TOKEN, r"eyJ[\w-]{8,2048}\s?\.\s?[\w-]{8,2048}"),
    (Kind.PRIVATE_KEY, r"AGE-SECRET-KEY-1[0-9A-Z]{20,80}"),
    (Kind.PRIVATE_KEY, r"BEGIN\s?(?:[A-Z]{2,9}\s?){0,2}PRIVATE\s?KEY(?:\s?BLOCK)?[-\s]{0,9}"),
)
# Of a length that is known: found also when a space was read into it, or none before it.
_SQUEEZED: Final = (
    (Kind.ACCESS_KEY, r"A[KS][I1l|]A[0-9A-Z]{16}"),
    (Kind.TOKEN, r"gh[opsur]_[0-9A-Za-z]{36}"),
)
_EMAIL: Final = re.compile(
    r"(?<![\w.+-])(?P<user>[\w.+-]{1,64})\s?[@©]\s?"
    r"(?:[a-z0-9-]{1,63}\s?\.\s?){1,6}(?P<top>[a-z]{2,24})(?![\w@])",
    re.IGNORECASE,
)
# Files and code: `logo@2x.png`, `git@host.example:path`.
_NO_TOP: Final = frozenset({"png", "jpg", "jpeg", "svg", "gif", "webp", "css", "js", "ts", "py"})
_CARD: Final = re.compile(r"(?<![\w.])[2-6](?:[ -]{0,2}[0-9OoIl]){12,18}(?![\w]|\.\d)")
# In groups it is told from its neighbours even where it was read together with them.
_GLUED_CARD: Final = re.compile(r"(?<!\d)[2-6]\d{3}([ -]{1,2})\d{4}\1\d{4}\1\d{4}(?!\d)")
_GROUPED_CARD: Final = re.compile(r"\d{4}([ -]{1,2})\d{4}\1\d{4}\1\d{4}|3\d{3}([ -])\d{6}\2\d{5}")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9OIl]{2}(?: ?[A-Z0-9]){11,30}(?![a-z])")
_IPV4: Final = re.compile(
    r"(?P<before>(?:==|~=|>=|<=|\^|\bv|version\s?)?)(?<![\d.])"
    r"(?P<address>\d{1,3}(?:\.\s?\d{1,3}){3})(?P<after>:\d{1,5}|/\d{1,2}|)(?![\w.-]?\d|\.\w)",
    re.IGNORECASE,
)
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{4,38}[0-9A-Fa-f](?![\w:])")
_ABROAD: Final = r"(?<![\w+.])(?:\+|00 ?)[1-9](?:[ ()./-]{0,3}\d){7,14}(?!\d)"
_AT_HOME: Final = (
    r"(?<![\w.,:/+-])\(?0[1-9]\d{1,4}\)?[ /-]{1,3}\d{2,8}(?:[ -]\d{2,6}){0,4}(?![\w:.-])"
)
_NORTH_AMERICA: Final = r"(?<![\w.,:/+-])\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?![\w:.-])"
_PHONE: Final = (
    (Sureness.LIKELY, re.compile(_ABROAD)),
    (Sureness.POSSIBLE, re.compile(_AT_HOME)),
    (Sureness.POSSIBLE, re.compile(_NORTH_AMERICA)),
)
_PHONE_LABEL: Final = re.compile(
    r"(?i)(?:tel(?:efon|ephone)?|phone|mobile?|mobil|handy|cell|fax|call|whatsapp)\W{0,4}"
    r"(?P<number>\+?\(?\d(?:[ ()./-]{0,3}\d){5,14})"
)
# What stands behind one of these opens something, whatever it looks like.
_TOLD: Final = (
    (
        Kind.TOKEN,
        re.compile(
            r"(?i)\b(?:authorization\s?:\s?(?:basic|bearer|token)|(?:set-)?cookie\s?:)\s?"
            r"(?P<value>[^\s,;]{8,512})"
        ),
    ),
    (
        Kind.PASSWORD,
        re.compile(
            r"(?i)\b(?:otp|totp|[2m]fa(?: code)?|one[- ]time (?:code|password)|verification code"
            r"|cv[vc]2?|pin|tan)\s?[:=]\s?(?P<value>\d(?:[ -]?\d){2,9})(?![\w.])"
        ),
    ),
    (
        Kind.PASSWORD,
        re.compile(
            r"(?i)\b(?:backup|recovery) codes?\s?[:=]?\s{0,2}"
            r"(?P<value>[\w-]*\d[\w-]{3,20}(?:[ ,]{1,3}[\w-]*\d[\w-]{3,20}){0,15})"
        ),
    ),
    (
        Kind.PASSWORD,
        re.compile(
            r"(?i)\b(?:recovery|seed|secret|backup)\s?(?:phrase|words)\s?[:=]\s?"
            r"(?P<value>[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){5,23})(?![a-z])"
        ),
    ),
)
_RANDOM: Final = re.compile(r"(?<![\w/.+=-])[A-Za-z0-9+/_-]{32,512}={0,2}(?![\w/])")
_TURNS: Final = re.compile(r"[a-z][0-9]|[0-9][a-z]|[A-Z][0-9]|[0-9][A-Z]")
_PREFIXES: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _PREFIXED)
_SPACED: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _SQUEEZED)


def find_patterns(text: str) -> Iterator[Finding]:
    """Yield what our own patterns find in one line; findings may overlap."""
    text = text[:MAX_TEXT]
    for kind, prefix in _PREFIXES:
        for match in prefix.finditer(text):
            yield Finding(kind, Why.PREFIX, Sureness.SURE, *match.span())
    for kind, told in _TOLD:
        for match in told.finditer(text):
            yield Finding(kind, Why.LABELLED, Sureness.LIKELY, *match.span("value"))
    yield from _squeezed(text)
    yield from find_labelled(text)
    yield from _emails(text)
    yield from _cards(text)
    yield from _ibans(text)
    yield from _addresses(text)
    yield from _phones(text)
    yield from _random(text)


def _squeezed(text: str) -> Iterator[Finding]:
    """Search without single spaces; two of them stand between lines."""
    places = [
        place
        for place, letter in enumerate(text)
        if letter != " " or " " in (text[place - 1 : place], text[place + 1 : place + 2])
    ]
    squeezed = "".join(text[place] for place in places)
    for kind, pattern in _SPACED:
        for match in pattern.finditer(squeezed):
            start, end = places[match.start()], places[match.end() - 1] + 1
            yield Finding(kind, Why.PREFIX, Sureness.SURE, start, end)


def _emails(text: str) -> Iterator[Finding]:
    for match in _EMAIL.finditer(text):
        if match["user"].lower() != "git" and match["top"].lower() not in _NO_TOP:
            yield Finding(Kind.EMAIL, Why.FORM, Sureness.SURE, *match.span())


def _cards(text: str) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        if card_fits(match[0]):
            yield Finding(Kind.CARD, Why.CHECKED, Sureness.SURE, *match.span())
        elif _GROUPED_CARD.fullmatch(match[0]):
            yield Finding(Kind.CARD, Why.GROUPED, Sureness.POSSIBLE, *match.span())

    for match in _GLUED_CARD.finditer(text):
        if card_fits(match[0]):
            yield Finding(Kind.CARD, Why.CHECKED, Sureness.SURE, *match.span())


def _ibans(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        length = iban_length(match[0])
        if length:
            end = match.start() + length
            yield Finding(Kind.IBAN, Why.CHECKED, Sureness.SURE, match.start(), end)
        elif re.match(r"[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){3}", match[0]):
            yield Finding(Kind.IBAN, Why.GROUPED, Sureness.POSSIBLE, *match.span())


def _addresses(text: str) -> Iterator[Finding]:
    for match in _IPV4.finditer(text):
        octets = [int(part) for part in match["address"].split(".")]
        if max(octets) > 255 or octets[0] in {0, 127, 255} or match["before"]:
            continue
        # 5.0.0.93 is a version rather than a machine, unless a port or a network follows.
        if octets[0] < 10 and min(octets[1:3]) < 10 and not match["after"]:
            continue
        yield Finding(Kind.IP_ADDRESS, Why.FORM, Sureness.LIKELY, *match.span())
    for match in _IPV6.finditer(text):
        groups = [group for group in match[0].split(":") if group]
        if len(groups) >= 3 and any(letter.isdigit() for letter in match[0]) and _is_ipv6(match[0]):
            yield Finding(Kind.IP_ADDRESS, Why.FORM, Sureness.LIKELY, *match.span())


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _phones(text: str) -> Iterator[Finding]:
    for match in _PHONE_LABEL.finditer(text):
        yield Finding(Kind.PHONE, Why.LABELLED, Sureness.LIKELY, *match.span("number"))
    for sureness, pattern in _PHONE:
        for match in pattern.finditer(text):
            if 9 <= sum(letter.isdigit() for letter in match[0]) <= 15:
                yield Finding(Kind.PHONE, Why.FORM, sureness, *match.span())


def _random(text: str) -> Iterator[Finding]:
    """Find what no word and no path looks like; a digest in hexadecimal is none of these."""
    for match in _RANDOM.finditer(text):
        cases = (str.isupper, str.islower, str.isdigit)
        each = [sum(map(case, match[0])) for case in cases]
        if min(each) >= 3 and len(_TURNS.findall(match[0])) >= 5 and match[0].count("/") <= 2:
            yield Finding(Kind.TOKEN, Why.RANDOM, Sureness.POSSIBLE, *match.span())
