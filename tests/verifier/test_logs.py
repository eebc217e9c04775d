import asyncio
import gc
import json
import logging
import re
import threading
from collections.abc import Iterator

import pytest

from support.tsahttp import ServedTsa
from workseal_verifier import logs
from workseal_verifier.asking import ask


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hook = threading.excepthook
    # The pages of an agent in this process want nothing told of theirs.
    server = logging.getLogger("uvicorn.error")
    before = server.level
    server.setLevel(logging.NOTSET)
    yield
    server.setLevel(before)
    threading.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn").setLevel(logging.NOTSET)


def fail() -> None:
    raise ValueError("a secret of somebody")


def told(form: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    logs.configure(form, "info")
    logger = logging.getLogger("workseal_verifier.x")
    logger.debug("not told")
    logger.info("it is %s", "so")
    try:
        fail()
    except ValueError:
        logger.exception("it failed")
    return capsys.readouterr().err.splitlines()


def test_text_is_one_line_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = told("text", capsys)
    form = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info workseal_verifier\.x: it is so"
    assert re.fullmatch(form, first)
    assert second.endswith(" error workseal_verifier.x: it failed: ValueError")


def test_json_is_one_object_a_line_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = map(json.loads, told("json", capsys))
    assert first.pop("time").endswith("Z")
    assert first == {"level": "info", "logger": "workseal_verifier.x", "message": "it is so"}
    assert (second["message"], second["error"]) == ("it failed", "ValueError")
    assert "secret" not in json.dumps(second)


def test_a_thread_that_ends_by_an_error_is_one_line_without_a_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("text", "warning")
    thread = threading.Thread(target=fail, name="somebody")
    thread.start()
    thread.join()
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith(" error workseal_verifier.logs: the thread somebody ended: ValueError")


@pytest.mark.parametrize("form", sorted(logs.FORMATS))
def test_an_error_that_nobody_waited_for_is_one_line_without_its_text(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event loop's own line quotes it."""
    logs.configure(form, "warning")

    async def failing() -> None:
        fail()

    async def beside() -> None:
        task = asyncio.ensure_future(failing())
        await asyncio.sleep(0.01)
        del task
        gc.collect()

    asyncio.run(beside())
    (said,) = capsys.readouterr().err.splitlines()
    assert "Task exception was never retrieved" in said
    assert "ValueError" in said
    assert "secret" not in said


@pytest.mark.parametrize("level", sorted(logs.LEVELS))
def test_no_level_tells_whom_the_server_asks(
    level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address may hold a password; at `info` the client of HTTP would tell it each time."""
    logs.configure("text", level)
    with ServedTsa(lambda _: b"here") as served:
        address = served.url.replace("//", "//operator:secret@")
        assert ask(address, limit=9, timeout_s=20, method="POST", content=b"query") == b"here"
    said = capsys.readouterr().err
    assert "127.0.0.1" not in said
    assert "secret" not in said


def test_others_are_heard_from_a_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "debug")
    for name in ("httpx", "uvicorn.error", "alembic.runtime.migration", "workseal_verifier.x"):
        logging.getLogger(name).info("told by the way")
        logging.getLogger(name).warning("a warning")
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in said if line.endswith("way")] == [
        "uvicorn.error:", "alembic.runtime.migration:", "workseal_verifier.x:",
    ]  # fmt: skip
    assert sum(line.endswith("a warning") for line in said) == 4
