import json
import logging
import re
from collections.abc import Iterator

import pytest

from workseal_verifier import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
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
