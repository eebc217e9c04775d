"""Numbers by which states know a person: tax, insurance and identity numbers of some thirty states.

Rules: a form that many other things have is marked only when its check digits fit; one without
check digits only in its usual grouping; behind a word that says so, all that looks like a number.
python-stdnum knows the check digits; it asks no network for what is called here.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from workseal_agent.suggestions.finding import MAX_TEXT, Finding
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why

# `#` is a digit, also as readers of screens mistake it; `_` is a space, a dash, or nothing.
_FORMS: Final = (
    ("ar.cuit", "##-########-#"),
    ("at.vnr", "#### ######"),
    ("be.nn", "##[.]##[.]##-###[.]##"),
    ("br.cpf", "###[.]?###[.]?###-?##"),
    ("ca.sin", "###[ -]###[ -]###"),
    ("ch.ssn", "756[.]?####[.]?####[.]?##"),
    ("cl.rut", "##?[.]###[.]###-[0-9Kk]"),
    ("cn.ric", "#{17}[0-9Xx]"),
    ("cz.rc", "######/####?"),
    ("de.idnr", "##_###_###_###"),
    ("dk.cpr", "######-####"),
    ("ee.ik", "[1-8]#{10}"),
    ("es.dni", "##[.]?###[.]?###_[A-Z]"),
    ("es.nie", "[XYZ]_#######_[A-Z]"),
    ("fi.hetu", "######[-+A][0-9]{3}[0-9A-Y]"),
    ("fr.nir", "[1278]_##_##_#[0-9AB]_###_###_##"),
    ("gb.nhs", "### ### ####"),
    ("ie.pps", "#######[A-W][A-IW]?"),
    ("in_.aadhaar", "####[ -]####[ -]####"),
    ("in_.pan", "[A-Z]{5}[0-9]{4}[A-Z]"),
    ("it.codicefiscale", "[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]"),
    ("kr.rrn", "######-#######"),
    ("mx.curp", "[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]"),
    ("my.nric", "######-##-####"),
    ("no.fodselsnummer", "######_#####"),
    ("pl.pesel", "#{11}"),
    ("ro.cnp", "[1-9]#{12}"),
    ("se.personnummer", "(?:##)?######[-+]####"),
    ("th.pin", "#-####-#####-##-#"),
    ("tr.tckimlik", "[1-9]#{10}"),
    ("us.itin", "9##-##-####"),
    ("us.ssn", "###-##-####"),
    ("za.idnr", "#{13}"),
)
# No check digit stands in these: their form is all that speaks for them.
_UNCHECKED: Final = frozenset({"in_.pan", "us.itin", "us.ssn"})
# python-stdnum does not know these. QQ is never given, but every example of one begins so.
_NINO: Final = re.compile(
    r"(?<![\w-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-TW-Z]{2}"
    r"(?: ?[0-9OIl]{2}){3} ?[A-D](?![\w-])"
)
_LABELLED: Final = re.compile(
    r"(?i)(?<![a-z])(?:ssn|social[ -]security|national insurance|nino|(?-i:NI|SIN|I?TIN|PAN)"
    r"|tax(?:payer)?[ -]?id|steuer-?id|idnr|svnr|aadha{1,2}r|cpf|dni|pesel|bsn|curp|hetu"
    r"|(?:steuer|(?:sozial)?versicherungs|(?:personal)?ausweis|(?:reise)?pass)"
    r"-?(?:id(?:entifikations)?-?)?(?:nr|nummer)|(?-i:NI[EFR]|AHV|AVS|CPR)"
    r"|s[ée]cu(?:rit[ée] sociale)?|num[ée]ro fiscal|codice fiscale|personnummer"
    r"|f[øo]dselsnummer|pass(?:e?port|aporte|aporto)|driv(?:er['’]?s|ing) licen[cs]e"
    r"|(?:national )?id(?:entity)?(?: card)?(?= no| number))(?![a-z])"
    r"\.?(?:[ -]?(?:no|nr|nummer|number|card|n°|#)\.?){0,2}\s{0,2}[:=#]?\s{0,3}"
    r"(?P<value>(?-i:[A-Z0-9](?:[ ./-]?[0-9A-Z]){5,19}))(?!\w)"
)
_LEAST_DIGITS: Final = 5
# 2026-11-29 and 20261129 are dates, whatever stands before them.
_DATE: Final = re.compile(r"(?:19|20)\d\d([-./]?)\d\d\1\d\d|\d\d?([./-])\d\d?\2\d{4}")
_READ_FOR: Final = str.maketrans("OIl", "011")


class IdentityNumbers:
    """Find numbers of persons; loads what knows them, so not for a recording process."""

    def __init__(self) -> None:
        self._forms = tuple((_pattern(form), _check(name), name) for name, form in _FORMS)

    def __call__(self, text: str) -> Iterator[Finding]:
        """Yield where such a number stands; findings may overlap."""
        text = text[:MAX_TEXT]
        for form, fits, name in self._forms:
            why = Why.FORM if name in _UNCHECKED else Why.CHECKED
            for match in form.finditer(text):
                if fits(match[0]):
                    yield Finding(Kind.IDENTITY, why, Sureness.LIKELY, *match.span())
        for match in _NINO.finditer(text):
            yield Finding(Kind.IDENTITY, Why.FORM, Sureness.LIKELY, *match.span())
        for match in _LABELLED.finditer(text):
            if _is_number(match["value"]):
                yield Finding(Kind.IDENTITY, Why.LABELLED, Sureness.LIKELY, *match.span("value"))


def _pattern(form: str) -> re.Pattern[str]:
    spelt = form.replace("_", "[ -]?").replace("#", "[0-9OIl]")
    return re.compile(rf"(?<![\w.+/-])(?:{spelt})(?![\w/-]|\.\w)")


def _check(name: str) -> Callable[[str], bool]:
    module: Any = importlib.import_module(f"stdnum.{name}")

    def fits(number: str) -> bool:
        """Say whether it is valid as it was read, or with its letters read as digits."""
        digits = {one for one in number if one in "0123456789"}
        spellings = (number, number.translate(_READ_FOR))
        return len(digits) > 1 and any(_is_valid(module, one) for one in spellings)

    return fits


def _is_valid(module: Any, number: str) -> bool:
    try:
        return bool(module.is_valid(number))
    except (LookupError, ValueError):
        # A date or a place that the tables lack: what cannot be checked is rather marked.
        return True


def _is_number(value: str) -> bool:
    digits = sum(map(str.isdigit, value))
    return digits >= _LEAST_DIGITS and _DATE.fullmatch(value.strip(" ./-")) is None
