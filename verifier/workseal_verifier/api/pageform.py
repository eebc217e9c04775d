"""What every page answers with: its headers, and a refusal as a page that a person can read.

Rules: nothing from elsewhere, nothing inline, in nobody's frame, in no cache. A refusal says its
kind and its sentence and nothing of what was asked for, so that who may not read something gets the
same bytes as who asks for nothing that exists.
"""

from collections.abc import Mapping
from html import escape
from typing import Final

HTML: Final = "text/html; charset=utf-8"
_PAGES: Final = ("/diary", "/cases", "/stop", "/confirm")
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
<h1>{title}</h1>
{body}</main>
</body>
</html>
"""
_REFUSAL: Final = """\
<p class="wrong"><code id="problem">{name}</code> <span id="detail">{detail}</span></p>
<p><a class="button" href="/">Sign in</a> <a class="button" href="/diary">Your agreements</a></p>
"""
_BUTTON: Final = """<form method="post"><p><button class="main">{label}</button></p></form>
"""


def is_page(path: str) -> bool:
    """Tell whether an address answers its refusals with a page."""
    return path in _PAGES or path.startswith(tuple(f"{one}/" for one in _PAGES))


def refusal(name: str, title: str, detail: str) -> str:
    """Write a refusal as a page."""
    body = _REFUSAL.format(name=escape(name), detail=escape(detail))
    return _PAGE.format(title=escape(title), body=body)


def told(title: str, text: str, button: str = "") -> str:
    """Write a page of one sentence, and perhaps one button that posts to the same address."""
    form = _BUTTON.format(label=escape(button)) if button else ""
    return _PAGE.format(title=escape(title), body=f"<p>{escape(text)}</p>\n{form}")
