"""Addresses and requests, as they go over the wire."""

import pytest

from workseal_client.transport import Address, Request, Response


@pytest.mark.parametrize(
    ("url", "authority", "prefix"),
    [
        ("https://log.example", "log.example", ""),
        ("https://log.example:443/", "log.example", "/"),
        ("https://log.example:8443/under", "log.example:8443", "/under"),
        ("http://[::1]:8080", "[::1]:8080", ""),
        ("http://localhost:80/a b", "localhost", "/a%20b"),
        ("https://bücher.example", "xn--bcher-kva.example", ""),
    ],
)
def test_an_address_names_its_host_as_http_does(url: str, authority: str, prefix: str) -> None:
    address = Address.of(url)
    assert (address.authority, address.prefix) == (authority, prefix)


@pytest.mark.parametrize("url", ["https://log.example:port", "https://log.example:70000"])
def test_an_address_with_no_port_for_a_port_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]ort"):
        Address.of(url)


def test_the_head_is_what_is_written_down_of_a_request() -> None:
    headers = (("host", "log.example"), ("accept", "*/*"))
    request = Request("GET", Address.of("https://log.example"), "/v1/operator", headers, b"secret")
    assert request.head() == (
        b"GET /v1/operator HTTP/1.1\r\nhost: log.example\r\naccept: */*\r\n\r\n"
    )
    # What is sent is shown by nothing that shows a request.
    assert "secret" not in repr(request)


def test_two_hundred_and_some_is_success() -> None:
    found = [status for status in (199, 200, 204, 299, 300, 404) if Response(status).is_success]
    assert found == [200, 204, 299]
