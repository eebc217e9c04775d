"""Starlette that answers every request with the same bytes. Run by `ingest.py`; not for use."""

import os

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def main() -> None:
    body = bytes(int(os.environ["BENCH_BODY"]))

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/octet-stream")

    app = Starlette(routes=[Route("/", answer)])
    uvicorn.run(app, port=int(os.environ["BENCH_PORT"]), log_level="error")


if __name__ == "__main__":
    main()
