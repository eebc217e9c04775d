"""The page with what was disclosed, in a real browser and asked by others."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from support.axe import serious
from support.chromed import chromed, chromed_beside, elsewhere
from support.keyed import tab_to
from workseal_protocol.cli import viewing as viewing_module
from workseal_protocol.cli.viewing import HOST, ShownFrame, Viewing

WIDTH, HEIGHT = 40, 24
RED, GREEN = b"\xff\0\0", b"\0\xff\0"
FRAMES = tuple(
    ShownFrame.of(f"000012-{number}", f"frame 000012-{number}: holds", (WIDTH, HEIGHT), pixels)
    for number, pixels in enumerate((RED * (WIDTH * HEIGHT), (RED + GREEN) * (WIDTH * HEIGHT // 2)))
)
WIDE = (ShownFrame.of("000013-0", "frame 000013-0: holds", (900, 2), RED * 1_800),)
LINES = ("a picture shows what was on the screen", "<b>not markup</b>")


@contextmanager
def viewing(seconds: float = 60) -> Iterator[Viewing]:
    made = Viewing(FRAMES, LINES, seconds=seconds)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made._server.shutdown()
        thread.join(20)
        assert not thread.is_alive()
    assert made._server.frames == ()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromed() as browser:
        yield browser


@pytest.fixture(scope="module")
def whole(chromium: Browser) -> Iterator[Browser]:
    reason = "the viewer as people open it, and what another page of this machine may ask"
    with chromed_beside(chromium, whole=reason) as browser:
        yield browser


def ask(
    made: Viewing, path: str, method: str = "GET", **headers: str | None
) -> tuple[int, dict[str, str], bytes]:
    """Ask as this page does, but for the headers that are given; None leaves one out."""
    port = made._server.server_port
    token = made.link.partition("#")[2]
    fields = {"Host": f"{HOST}:{port}", "Authorization": f"Bearer {token}"}
    fields |= {name.replace("_", "-"): text for name, text in headers.items()}  # type: ignore[misc]
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, text in fields.items():
        if text is not None:
            connection.putheader(name, text)
    connection.endheaders()
    answer = connection.getresponse()
    told = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return told


def opened(chromium: Browser, made: Viewing, **how: object) -> Page:
    page = chromium.new_page(**how)  # type: ignore[arg-type]
    page.goto(made.link)
    page.wait_for_selector("html[data-shown='2']")
    return page


FOCUSED = "document.activeElement.id || document.activeElement.className"
PIXEL = """number => Array.from(document.querySelectorAll("canvas")[number]
    .getContext("2d").getImageData(1, 0, 1, 1).data)"""


def test_the_pictures_are_drawn_to_the_pixel(chromium: Browser) -> None:
    with viewing() as made:
        page = opened(chromium, made)
        assert page.evaluate(PIXEL, 0) == [255, 0, 0, 255]
        assert page.evaluate(PIXEL, 1) == [0, 255, 0, 255]
        assert page.locator("canvas").first.evaluate("one => [one.width, one.height]") == [40, 24]
        assert page.locator("b").count() == 0
        assert "<b>not markup</b>" in page.inner_text("#words")
        # The token is in no address that is kept.
        assert page.url == f"http://{HOST}:{made._server.server_port}/"
        assert page.locator("img, a, video").count() == 0
        page.close()


def test_closing_ends_it_for_everybody(chromium: Browser) -> None:
    made = Viewing(FRAMES, LINES, seconds=60)
    thread = threading.Thread(target=made.run)
    thread.start()
    page = opened(chromium, made)
    page.click("#close")
    thread.join(20)
    assert not thread.is_alive()
    assert page.locator("canvas").count() == 0
    assert "Nothing of it was kept" in page.inner_text("#state")
    with pytest.raises(OSError, match="refused"):
        ask(made, "/frames")
    page.close()


def test_when_the_time_is_over_the_page_shows_nothing(chromium: Browser) -> None:
    with viewing(60) as made:
        page = chromium.new_page()
        page.clock.install()
        page.goto(made.link)
        page.wait_for_selector("html[data-shown='2']")
        page.clock.fast_forward(61_000)
        page.wait_for_selector("canvas", state="detached")
        assert "over" in page.inner_text("#state")
        page.close()


def test_when_the_time_is_over_nobody_answers() -> None:
    made = Viewing(FRAMES, LINES, seconds=0.3)
    thread = threading.Thread(target=made.run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert made._server.frames == ()
    with pytest.raises(OSError, match="refused"):
        ask(made, "/")


def test_who_comes_later_sees_it_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    with viewing(60) as made:
        monkeypatch.setattr(made._server, "end", made._server.end - 40)
        assert 0 < json.loads(ask(made, "/frames")[2])["seconds"] <= 20


def test_who_ends_the_program_ends_the_page(chromium: Browser) -> None:
    with viewing() as made:
        page = opened(chromium, made)
    page.wait_for_selector("canvas", state="detached", timeout=20_000)
    assert "Closed where it was begun" in page.inner_text("#state")
    assert page.locator("#words").inner_text() == ""
    page.close()


def test_a_page_that_is_loaded_again_says_what_it_needs(chromium: Browser) -> None:
    with viewing() as made:
        page = opened(chromium, made)
        page.reload()
        page.wait_for_function("document.querySelector('#state').textContent.includes('whole')")
        assert page.locator("canvas").count() == 0
        page.close()


def test_a_machine_that_slept_shows_nothing_when_it_wakes_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with viewing(3_600) as made:
        monkeypatch.setattr(made._server, "service_actions", lambda: None)
        assert ask(made, "/left")[::2] == (200, b"")
        monkeypatch.setattr(viewing_module, "now", lambda: time.monotonic() + 1e9)
        for path in ("/frames", "/frames/0", "/left"):
            assert ask(made, path)[::2] == (410, b"Gone")
        assert ask(made, "/close", "POST")[0] == 200


def test_the_clock_is_one_that_counts_sleep() -> None:
    if hasattr(time, "CLOCK_BOOTTIME"):
        # On a machine that never slept the clocks agree; which one it is, is all that can be seen.
        assert viewing_module._CLOCK == time.CLOCK_BOOTTIME
        assert abs(time.clock_gettime(time.CLOCK_BOOTTIME) - viewing_module.now()) < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 820, 1280])
def test_everybody_can_use_it(chromium: Browser, scheme: str, width: int) -> None:
    with viewing() as made:
        page = opened(chromium, made, color_scheme=scheme, viewport={"width": width, "height": 700})
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        reached = set()
        for _ in range(6):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.id || document.activeElement.className")
            )
        assert {"size", "close", "picture"} <= reached
        page.close()


def test_it_is_looked_at_and_closed_by_keys_alone(whole: Browser) -> None:
    made = Viewing(WIDE, LINES, seconds=60)
    thread = threading.Thread(target=made.run)
    thread.start()
    page = whole.new_page(viewport={"width": 360, "height": 700})
    page.goto(made.link)
    page.wait_for_selector("html[data-shown='1']")
    tab_to(page, "Show at full size")
    page.keyboard.press("Enter")
    while page.evaluate(FOCUSED) != "picture":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    deadline = time.monotonic() + 60
    while not page.locator(".picture").evaluate("one => one.scrollLeft"):
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
    tab_to(page, "Close now")
    page.keyboard.press("Enter")
    thread.join(20)
    assert not thread.is_alive()
    assert page.locator("canvas").count() == 0
    page.close()


@pytest.mark.parametrize("path", ["/frames", "/frames/0", "/frames/7", "/other", "/left"])
@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer x", "Basic x", "bearer é"])
def test_without_the_token_nothing_is_told(path: str, authorization: str | None) -> None:
    with viewing() as made:
        status, _, body = ask(made, path, Authorization=authorization)
        assert (status, body) == (403, b"Forbidden")


@pytest.mark.parametrize(
    "wrong",
    [
        {"Host": "localhost:1"},
        {"Host": "rebind.test"},
        {"Host": None},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/frames"), ("POST", "/close")])
def test_a_request_of_another_page_is_misdirected(
    wrong: dict[str, str | None], method: str, path: str
) -> None:
    with viewing() as made:
        status, _, body = ask(made, path, method, **wrong)
        assert (status, body) == (421, b"Misdirected Request")
        assert ask(made, "/frames")[0] == 200


def test_another_page_of_this_machine_reads_nothing(whole: Browser) -> None:
    with viewing() as made, elsewhere() as port:
        page = whole.new_page()
        page.goto(f"http://{HOST}:{port}/")
        for address in ("/frames", "/frames/0", "/"):
            url = f"http://{HOST}:{made._server.server_port}{address}"
            tried = "url => fetch(url).then(answer => answer.text(), () => 'denied')"
            assert page.evaluate(tried, url) == "denied"
        page.close()


def test_nothing_is_kept_by_whoever_carries_it() -> None:
    with viewing() as made:
        for path in ("/", "/frames", "/frames/0", "/nowhere"):
            _, headers, _ = ask(made, path)
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        assert ask(made, "/frames/2")[0] == 404
        assert ask(made, "/frames/00")[0] == 404
        assert ask(made, "/close")[0] == 404
        assert ask(made, "/close", "POST", Authorization="Bearer x")[0] == 403
        assert ask(made, "/", "DELETE")[0] == 501


def test_one_caller_too_many_is_let_go() -> None:
    with viewing() as made:
        taken = [made._server._places.acquire(blocking=False) for _ in range(12)]
        assert all(taken)
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(made, "/frames")
        for _ in taken:
            made._server._places.release()
        assert ask(made, "/frames")[0] == 200
