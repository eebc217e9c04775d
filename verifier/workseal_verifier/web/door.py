"""The way in: the page that a link leads to, and the files that every page needs."""

from typing import Final

from fastapi import APIRouter, Request, Response

from workseal_verifier.api.pageform import HEADERS
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.web.render import FOLDER, page

router = APIRouter(include_in_schema=False)

_MEDIA: Final = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "door.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_FILES: Final = {name: (FOLDER / "static" / name).read_bytes() for name in _MEDIA}


@router.get("/")
def get_door(request: Request) -> Response:
    """Show how to sign in; a link's token stays behind the number sign, with the browser."""
    return page(request, "door.html")


@router.get("/static/{file}")
def get_static(file: str) -> Response:
    """Return one of the files of the pages."""
    if file not in _FILES:
        raise RefusedError(Reason.NOT_FOUND, "there is nothing here")
    # Small, and of this release alone: asked for again after an update.
    headers = {**HEADERS, "cache-control": "no-cache"}
    return Response(_FILES[file], headers=headers, media_type=_MEDIA[file])
