import asyncio

import pytest

from workseal_agent.pages.asked import MAX_BODY, Asked, media_of, read_form, read_json, whole_body


def test_a_header_that_stands_twice_is_no_header() -> None:
    asked = Asked("GET", "/", (("host", "a"), ("host", "b"), ("origin", "c")))
    assert asked.all("host") == ["a", "b"]
    assert asked.only("host") is None
    assert asked.only("origin") == "c"


@pytest.mark.parametrize(("method", "reads"), [("GET", True), ("HEAD", True), ("POST", False)])
def test_what_reads_is_told_by_the_method(method: str, reads: bool) -> None:  # noqa: FBT001
    assert Asked(method, "/").reads is reads


def test_a_media_type_is_read_without_its_parameters() -> None:
    assert media_of(Asked("POST", "/", (("content-type", "Text/HTML; a=b"),))) == "text/html"
    assert media_of(Asked("POST", "/")) == ""


@pytest.mark.parametrize("body", [b"\xff=1", b"a", b"a=%ff", b"&".join([b"a=1"] * 2_049)])
def test_what_is_no_form_is_told_as_none(body: bytes) -> None:
    assert read_form(body) is None


def test_a_form_keeps_its_order_and_what_is_empty() -> None:
    assert read_form(b"b=%C3%A9&a=&b=2") == [("b", "é"), ("a", ""), ("b", "2")]
    assert read_form(b"") == []


@pytest.mark.parametrize("body", [b"", b"[1]", b'"a"', b'{"a": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_object_of_texts_is_empty(body: bytes) -> None:
    assert read_json(body) == {}


@pytest.mark.parametrize(("more", "whole"), [(0, True), (1, False)])
def test_a_body_is_read_up_to_the_bound(more: int, whole: bool) -> None:  # noqa: FBT001
    pieces = [b"x" * MAX_BODY, b"x" * more]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    assert (asyncio.run(whole_body(receive)) is not None) is whole
