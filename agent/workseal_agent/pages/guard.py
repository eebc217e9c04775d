"""Who is answered at all: only the browser that was let in, asking from these pages themselves.

Rules: each check stands in one table, in one order, and the first that denies ends the request
before a page sees it. What a browser leaves out counts as the worst that it could have said. A
denied request is told in one sentence without content, counted, and never logged.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workseal_agent.pages.asked import (
    MAX_BODY,
    Asked,
    asked_of,
    given_again,
    media_of,
    read_form,
    whole_body,
)
from workseal_agent.pages.entrance import COOKIE, Entrance, Session
from workseal_agent.pages.peer import Address, Peer, peer_of

FORM_HEADER = "x-workseal-form"
FORM_FIELD = "form"
DOOR = "/"
ENTER = "/enter"
STATIC = "/static/"
# Asked for by a page on its own account: says nothing about whether somebody sits there.
LIVE = "/live"

_FORM = "application/x-www-form-urlencoded"
_WITH_HEADER = frozenset({"application/json", "application/octet-stream"})
_FRAMES = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})

HEADERS = {
    # Nothing from elsewhere, nothing inline, in nobody's frame.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), microphone=(), display-capture=(), geolocation=()",
    # `no-referrer` would have browsers send forms with `Origin: null`.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Denial(StrEnum):
    """Say why a request is not answered."""

    OTHER_USER = "this page belongs to another user of this machine"
    CROWD = "a program opened more connections at once than browsers do"
    UPGRADE = "these pages open no other kind of connection"
    HOST = "these pages are not at this address"
    METHOD = "pages are read with GET and changed with POST"
    FRAMED = "these pages are shown in no other page"
    SITE = "only these pages themselves may ask"
    ORIGIN = "only a form of these pages may change something"
    MODE = "only a form or a script of these pages may change something"
    SESSION = "you are not let in here: type `workseal-agent open` again"
    LENGTH = "more was sent than any form of these pages has"
    MEDIA = "this is no form of these pages"
    FORM = "the form is not one that these pages made for you: load the page again"


STATUS = {
    Denial.OTHER_USER: 403,
    Denial.CROWD: 503,
    Denial.UPGRADE: 403,
    Denial.HOST: 421,
    Denial.METHOD: 405,
    Denial.FRAMED: 403,
    Denial.SITE: 403,
    Denial.ORIGIN: 403,
    Denial.MODE: 403,
    Denial.SESSION: 401,
    Denial.LENGTH: 413,
    Denial.MEDIA: 415,
    Denial.FORM: 403,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Judge requests to one address."""

    port: int
    entrance: Entrance

    @property
    def host(self) -> str:
        """Return the one name that these pages have."""
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        """Return the one origin that may change something."""
        return f"http://{self.host}"

    def session(self, asked: Asked) -> Session | None:
        """Return the session of a request's cookie."""
        for line in asked.all("cookie"):
            # Another server of this machine may have set a cookie of the same name: any may fit.
            for part in line.split(";"):
                try:
                    found = SimpleCookie(part).get(COOKIE)
                except CookieError:
                    continue
                session = self.entrance.find(found.value) if found is not None else None
                if session is not None:
                    return session
        return None

    def denial(self, asked: Asked) -> Denial | None:
        """Return why a request is denied by its head, None when it is not."""
        return next((denial for denial, denies in _TABLE if denies(self, asked)), None)


def _other_user(_rules: Rules, asked: Asked) -> bool:
    return asked.peer is not Peer.OWN


def _upgrade(_rules: Rules, asked: Asked) -> bool:
    return bool(asked.all("upgrade")) or asked.method == "CONNECT"


def _host(rules: Rules, asked: Asked) -> bool:
    return asked.only("host") != rules.host


def _method(_rules: Rules, asked: Asked) -> bool:
    return not asked.reads and asked.method != "POST"


def _framed(_rules: Rules, asked: Asked) -> bool:
    return asked.only("sec-fetch-dest") in _FRAMES


def _site(_rules: Rules, asked: Asked) -> bool:
    site = asked.only("sec-fetch-site")
    if not asked.reads:
        return site != "same-origin"
    if asked.path == DOOR:
        # The door holds nothing and is the same for everybody; a file of the owner leads to it.
        return asked.only("sec-fetch-dest") != "document"
    if site == "none":
        return asked.only("sec-fetch-mode") != "navigate"
    return site != "same-origin"


def _origin(rules: Rules, asked: Asked) -> bool:
    if asked.reads and not asked.all("origin"):
        return False
    return asked.only("origin") != rules.origin


def _mode(_rules: Rules, asked: Asked) -> bool:
    return not asked.reads and asked.only("sec-fetch-mode") not in {
        "navigate",
        "cors",
        "same-origin",
    }


def _session(rules: Rules, asked: Asked) -> bool:
    if asked.path == ENTER:
        return False
    if asked.reads and (asked.path == DOOR or asked.path.startswith(STATIC)):
        return False
    return rules.session(asked) is None


def _length(_rules: Rules, asked: Asked) -> bool:
    lengths = asked.all("content-length")
    return any(not one.isdigit() or int(one[:12]) > MAX_BODY for one in lengths)


def _media(_rules: Rules, asked: Asked) -> bool:
    return not asked.reads and media_of(asked) not in {_FORM, *_WITH_HEADER}


_TABLE: tuple[tuple[Denial, Callable[[Rules, Asked], bool]], ...] = (
    (Denial.OTHER_USER, _other_user),
    (Denial.UPGRADE, _upgrade),
    (Denial.HOST, _host),
    (Denial.METHOD, _method),
    (Denial.FRAMED, _framed),
    (Denial.SITE, _site),
    (Denial.ORIGIN, _origin),
    (Denial.MODE, _mode),
    (Denial.SESSION, _session),
    (Denial.LENGTH, _length),
    (Denial.MEDIA, _media),
)


class Guard:
    """Stand before the pages: deny, or pass a request on with its session and its read fields."""

    def __init__(
        self,
        pages: ASGIApp,
        rules: Rules,
        denied: Counter[Denial],
        *,
        peer: Callable[[Address, Address], Peer] = peer_of,
    ) -> None:
        self._pages = pages
        self._rules = rules
        self._peer = peer
        self.denied = denied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            self.denied[Denial.UPGRADE] += 1
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            raise RuntimeError("these pages answer requests and nothing else")
        asked = asked_of(scope, self._peer)
        body = b""
        denial = self._rules.denial(asked)
        if denial is None and not asked.reads:
            read = await whole_body(receive)
            denial = Denial.LENGTH if read is None else None
            body = read or b""
        session = self._rules.session(asked)
        if denial is None:
            denial = self._judge_form(asked, session, body)
        if denial is not None:
            # A browser that went away before the answer is no other user.
            if asked.peer is not Peer.GONE:
                self.denied[denial] += 1
            answer = PlainTextResponse(denial.value, STATUS[denial], headers=HEADERS)
            await answer(scope, receive, send)
            return
        if session is not None and asked.path != LIVE:
            self._rules.entrance.touch()
        scope["workseal.session"] = session
        await self._pages(scope, given_again(body, receive), _with_headers(send))

    def _judge_form(self, asked: Asked, session: Session | None, body: bytes) -> Denial | None:
        """Check that what changes something repeats what only a page of this session knows."""
        if asked.reads or asked.path == ENTER:
            return None
        told = asked.only(FORM_HEADER) or ""
        if media_of(asked) == _FORM:
            fields = read_form(body)
            if fields is None:
                return Denial.MEDIA
            told = dict(fields).get(FORM_FIELD, told)
        good = session is not None and compare_digest(told.encode(), session.form.encode())
        return None if good else Denial.FORM


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(
                    (name.encode(), value.encode())
                    for name, value in HEADERS.items()
                    if name.encode() not in known
                ),
            ]
        await send(message)

    return sending
