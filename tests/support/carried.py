"""Transports that were made for httpx, as carriers of our own requests.

Tests answer with what httpx has for that; what they lose is lost as on our own network.
"""

import httpx

from workseal_client import Request, Response, UnreachableError


class Carrying(httpx.BaseTransport):
    """Be a transport of ours by being one of httpx."""

    def send(self, request: Request) -> Response:
        """Have `handle_request` answer."""
        url = f"{request.address.scheme}://{request.address.authority}{request.target}"
        asked = httpx.Request(request.method, url, headers=request.headers, content=request.body)
        try:
            answer = self.handle_request(asked)
        except httpx.TimeoutException as error:
            raise UnreachableError("no answer from the verifier: it took too long") from error
        except httpx.ConnectError as error:
            raise UnreachableError("no answer from the verifier: it cannot be reached") from error
        except (httpx.HTTPError, OSError) as error:
            raise UnreachableError(
                "no answer from the verifier: the connection broke off"
            ) from error
        assert isinstance(answer.stream, httpx.SyncByteStream)
        return Response(answer.status_code, dict(answer.headers), answer.stream, answer.close)


class Mocked(Carrying, httpx.MockTransport):
    """Answer by a function."""
