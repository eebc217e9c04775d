"""Every page of a verifier that tests open in a browser, and the way in to them."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext

from support.diarist import MONDAY
from support.office import Office, new_home
from workseal_protocol.keys import SeedSigner
from workseal_verifier.api.access import COOKIE, write_token
from workseal_verifier.api.routing import operations
from workseal_verifier.app import create_app
from workseal_verifier.services.signin import Root

# A link's page says nothing of whose it is, so any token will do; the last one is none.
APART = ("/", "/diary", "/stop/" + "A" * 43, "/confirm/" + "A" * 43, "/confirm/x")
OF_AGREEMENT = (
    "",
    f"/week?of={MONDAY}",
    f"/day?of={MONDAY}",
    f"/minute?of={MONDAY}&at=10:03",
    "/nothing",
)
OF_CASES = ("/diary", "/notices", "/cases", "CASE")


def paths_of(agreement: str, case: str) -> list[str]:
    """Give the paths of all of them."""
    return [
        *APART,
        *(agreement + place for place in OF_AGREEMENT),
        *(place.replace("CASE", case) for place in OF_CASES),
    ]


def left_out(folder: Path) -> list[str]:
    """Give the pages of the verifier's own table that stand in none of these lists."""
    pages = {
        name.removeprefix("GET ")
        for name, route in operations(create_app(new_home(folder)).routes)
        if name.startswith("GET ") and not getattr(route, "include_in_schema", True)
    } - {"/static/{file}"}
    opened = [path.partition("?")[0] for path in paths_of("/diary/agreement", "/cases/case")]
    forms = {name: re.sub(r"\{\w+\}", "[^/]+", name) for name in pages}
    return [name for name in pages if not any(re.fullmatch(forms[name], path) for path in opened)]


def let_in(context: BrowserContext, office: Office, signer: SeedSigner) -> None:
    """Begin somebody's session, as a link would."""
    verifier = office.verifier
    begun = verifier.services.signin.new_session(signer.public_key.thumbprint, Root.KEY)
    verifier.access.add_session(begun.session)
    # A cookie of this name has no domain, and its address is a secure one.
    url, token = "https://localhost", write_token(begun.token)
    context.add_cookies([{"name": COOKIE, "value": token, "url": url, "secure": True}])
