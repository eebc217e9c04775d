"""Every page of the agent, by what its route is, and the way to it in a browser."""

from typing import Final

from playwright.sync_api import Page
from starlette.routing import Route

from support.paged import PagedHome
from workseal_agent import disclose
from workseal_agent.config import load_settings
from workseal_agent.pages import PagesServer
from workseal_agent.pages.app import all_routes

# What is posted is reached by its button.
PLACES: Final = {
    "/today": "/today",
    "/today/minute": "/today/minute?at=10:00",
    "a day of nothing": "/today?day=2020-02-02",
    "/pictures": "/pictures",
    "/pictures/{number:number}": "/pictures/1",
    "/pictures/withdraw": "/pictures/withdraw?n=1&n=2",
    "/requests": "/requests",
    "/requests/{digest}": "REQUEST",
    "/requests/{digest}/{number:number}": "REQUEST/1",
    "/requests/{digest}/preview": "REQUEST/preview",
    "/agreement": "/agreement",
    "/agreement/week": "/agreement/week",
    "/left": "/left",
    "/left/{number:number}": "/left/2",
    "/machine": "/machine",
    "/machine/settings": "/machine/settings",
    "/machine/settings/change": "CHANGE",
    "no such page": "/nowhere",
    "a value that is refused": "/today?day=x",
}
# What is no page: pictures, bytes and figures; and the door, which is tried on its own.
PARTS: Final = {
    "/", "/live", "/left/{number:number}/bytes",
    "/pictures/{number:number}/small.png", "/pictures/{number:number}/whole.png",
    "/requests/{digest}/{number:number}/frame.json",
    "/requests/{digest}/{number:number}/marks.json",
    "/requests/{digest}/{number:number}/seen.png",
}  # fmt: skip

# A rule of each kind, with a title as long as they come.
MASK: Final = """\
[mask]
[[mask.rule]]
name = "bank"
application = "firefox"
title = "*My Bank with a name as long as banks have it*"
[[mask.only]]
name = "editor"
application = "code"
"""


def masked(home: PagedHome, *display: str) -> None:
    """Give a home rules of its own, and lines about how times are written."""
    home.settings.config_file.write_text("\n".join(["[display]", *display, MASK]))
    home.desk.settings = load_settings(home.home)


def read_routes() -> set[str]:
    """Give the addresses of the agent that are read, from its own table."""
    return {
        one.path
        for one in all_routes()
        if isinstance(one, Route) and (one.methods is None or "GET" in one.methods)
    }


def asked_for(home: PagedHome, server: PagesServer) -> str:
    """Put a request into the inbox, with one tile chosen; return where it is."""
    kept = disclose.receive(home.asked(0).encode(), home.rig.ledger, home.rig.engagement)
    server.drafts.put(kept.statement.digest, 1, (0,))
    return f"/requests/{kept.statement.digest}"


def go(page: Page, origin: str, place: str, request_path: str) -> None:
    """Go to a place, and wait until its script listens."""
    if place == "CHANGE":
        page.goto(origin + "/machine/settings")
        page.locator("button.danger").first.click()
        page.locator("input[name=seen]").wait_for(state="attached")
    else:
        page.goto(origin + place.replace("REQUEST", request_path))
    # The script has made the list of keys once it listens.
    page.locator("[data-keys] li").first.wait_for(state="attached")
    if place == "REQUEST/1":
        page.locator("[data-ready]").wait_for()
