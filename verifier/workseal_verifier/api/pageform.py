"""What every page answers with: its headers, and a refusal as a page that a person can read.

Rules: nothing from elsewhere, nothing inline, in nobody's frame, in no cache. A refusal says its
kind and its sentence and nothing of what was asked for, so that who may not read something gets the
same bytes as who asks for nothing that exists. Its way back is the page that the browser says it
came from, and else the list that the address belongs to.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Final

from workseal_verifier.errors import Reason

HTML: Final = "text/html; charset=utf-8"
_PAGES: Final = ("/diary", "/cases", "/notices", "/stop", "/confirm")
# What every page and every file of the pages is sent with.
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), display-capture=(), geolocation=()",
    # `no-referrer` would have some browsers send what a page sends with `Origin: null`.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Workseal</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/app.css">
</head>
<body class="door">
<main id="page">
<p><a class="brand" href="/diary">{mark}Workseal</a></p>
<h1>{title}</h1>
{body}</main>
</body>
</html>
"""
_MARK: Final = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>'
    '<path d="M7.5 12.5l3 3 6-7"/></svg>'
)
_REFUSAL: Final = """\
<p class="wrong"><code id="problem">{name}</code> <span id="detail">{detail}</span></p>
<p class="buttons">{ways}</p>
"""
_WAY: Final = '<a class="button" href="{path}">{label}</a>'
# Whoever opens a page before signing in has done nothing wrong, and has one way to go.
_STRANGER: Final = """\
<p>What stands here is for the people of an agreement alone.</p>
<p class="buttons"><a class="button main" href="/">Sign in</a></p>
<p class="dim"><code id="problem">{name}</code> <span id="detail">{detail}</span></p>
"""
_CASES: Final = ("/cases", "Your cases")
_AGREEMENTS: Final = ("/diary", "Your agreements")
_DOOR: Final = ("/", "Sign in")
# Longer than any address of a page, and all that one is written with.
_ADDRESS: Final = re.compile(r"https?://([^/?#@]{1,255})(/[A-Za-z0-9/?=&:.%-]{0,300})")
_BUTTON: Final = """<form method="post"><p><button class="main">{label}</button></p></form>
"""


def is_page(path: str) -> bool:
    """Tell whether an address answers its refusals with a page."""
    return path in _PAGES or path.startswith(tuple(f"{one}/" for one in _PAGES))


def refusal(
    name: str, title: str, detail: str, *, path: str, host: str = "", referrer: str = ""
) -> str:
    """Write the refusal of an address as a page.

    `host` and `referrer` are what the request says: the way back leads to a page of this server
    alone.
    """
    said = {"name": escape(name), "detail": escape(detail)}
    if name == Reason.UNPROVEN:
        return _page("Please sign in", _STRANGER.format(**said))
    lists = (_CASES, _AGREEMENTS) if path.startswith(_CASES[0]) else (_AGREEMENTS, _CASES)
    found = (*_back(path, host, referrer), *lists, _DOOR)
    ways = " ".join(_WAY.format(path=escape(to), label=label) for to, label in found)
    return _page(title, _REFUSAL.format(**said, ways=ways))


def _back(path: str, host: str, referrer: str) -> tuple[tuple[str, str], ...]:
    """Give the way back to one case or diary that the reader came from; none if there is none."""
    found = _ADDRESS.fullmatch(referrer)
    if found is None or not host or found[1] != host:
        return ()
    came = found[2].partition("?")[0]
    if came == path or came in _PAGES or not is_page(came):
        return ()
    return ((found[2], "Back to the case" if came.startswith(_CASES[0]) else "Back to the diary"),)


def told(title: str, text: str, button: str = "") -> str:
    """Write a page of one sentence, and perhaps one button that posts to the same address."""
    form = _BUTTON.format(label=escape(button)) if button else ""
    return _page(title, f"<p>{escape(text)}</p>\n{form}")


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), mark=_MARK, body=body)
