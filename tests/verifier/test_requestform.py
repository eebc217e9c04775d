"""The form of a line and a header; over the wire, `test_connections.py` has the same and more."""

import pytest

from workseal_verifier.requestform import MAX_HEADER, check_header, check_line, header_size

HOST = (b"host", b"x")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_line_is_that_of_http_1(version: str) -> None:
    check_line(version, b"GET", b"/a?b=c", b"GET /a?b=c HTTP/" + version.encode())


@pytest.mark.parametrize(
    ("version", "url", "heard"),
    [
        ("2.0", b"/", b"GET / HTTP/2.0"),
        ("1.1", b"/", b"GET / RTSP/1.1"),
        ("1.1", b"/#a", b"GET /#a HTTP/1.1"),
        ("1.1", b"/\xff", b"GET /\xff HTTP/1.1"),
    ],
)
def test_refuses_other_lines(version: str, url: bytes, heard: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        check_line(version, b"GET", url, heard)


@pytest.mark.parametrize(
    ("version", "url", "headers"),
    [
        ("1.1", b"/", []),
        ("1.1", b"/", [HOST, HOST]),
        ("1.0", b"/", [HOST, HOST]),
        ("1.1", b"/", [(b"host", b"a@b")]),
        ("1.1", b"http://y/", [HOST]),
        ("1.1", b"*", [HOST]),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"gzip, chunked")]),
        ("1.0", b"/", [(b"transfer-encoding", b"chunked")]),
        ("1.1", b"/", [HOST, (b"content-length", b"0" * 21)]),
        ("1.1", b"/", [HOST, (b"a", bytes(MAX_HEADER))]),
    ],
)
def test_refuses_headers_that_can_be_read_in_two_ways(
    version: str, url: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        check_header(version, url, headers)


def test_takes_a_header_in_form() -> None:
    check_header("1.1", b"http://X/a", [HOST, (b"transfer-encoding", b"Chunked")])
    check_header("1.0", b"/", [])
    assert header_size(b"/", [HOST]) == 1 + 4 + 1 + 4
