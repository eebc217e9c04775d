"""The offline page in another engine: opened from disk in Firefox."""

import json
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from support.examined import FOLDER, VECTORS
from support.firefox import Firefox
from support.manysigned import many_signed
from workseal_protocol.cli.page import offline_page
from workseal_protocol.page import assembled

# The verdict and how each step ended, once the page says that it has finished.
REPORT = """
const verdict = document.getElementById("verdict");
if (verdict === null || document.getElementById("status").className !== "done") return null;
const steps = [...document.querySelectorAll(".steps strong")].map((one) => one.textContent);
return [verdict.textContent, steps];
"""


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    folder = tmp_path_factory.mktemp("firefox")
    (folder / "verify.html").write_bytes(offline_page())
    with Firefox(folder / "profile") as firefox:
        firefox.open((folder / "verify.html").as_uri())
        yield firefox


def report_of(firefox: Firefox) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = firefox.run(REPORT)
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(firefox.run("return document.getElementById('status').textContent"))


def test_says_of_every_vector_what_stands_beside_it(firefox: Firefox) -> None:
    policy = ""
    for name in VECTORS:
        told = json.loads((FOLDER / f"{name}.json").read_text())
        if told["policy"] != policy:
            policy = told["policy"]
            firefox.choose("#policy", FOLDER / policy)
            if name != VECTORS[0]:
                report_of(firefox)
        firefox.choose("#bundle", FOLDER / told["bundle"])
        verdict, outcomes = report_of(firefox)
        assert verdict.startswith("HOLDS") == (told["expect"] == "holds"), name
        assert verdict.startswith("MALFORMED") == (told["expect"] == "malformed"), name
        if told["expect"] == "holds":
            assert outcomes == ["holds"] * 13, name
        else:
            assert outcomes[told["step"] - 1] == told["outcome"], name


def test_files_in_each_others_place_are_sorted(firefox: Firefox) -> None:
    firefox.choose("#policy", FOLDER / "valid.bundle")
    firefox.choose("#bundle", FOLDER / "policy.txt")
    fields = "return ['bundle', 'policy'].map((one) => document.getElementById(one).files[0].name)"
    deadline = time.monotonic() + 60
    while firefox.run(fields) != ["valid.bundle", "policy.txt"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    verdict, _ = report_of(firefox)
    assert verdict.startswith("HOLDS")


def test_draws_a_disclosed_frame(firefox: Firefox) -> None:
    firefox.choose("#policy", FOLDER / "policy.txt")
    firefox.choose("#bundle", FOLDER / "valid.bundle")
    report_of(firefox)
    deadline = time.monotonic() + 60
    while not firefox.run("return document.querySelector('canvas') !== null"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert firefox.run("return document.querySelector('canvas').width") == 64


def test_many_signatures_are_checked_by_a_second_thread_here_too(
    firefox: Firefox, tmp_path: Path
) -> None:
    story = many_signed()
    (tmp_path / "bundle").write_bytes(story.bundle().encode())
    (tmp_path / "policy").write_text(story.policy.encode())
    (tmp_path / "verify.html").write_bytes(assembled(told_of_answers))
    firefox.open((tmp_path / "verify.html").as_uri())
    firefox.choose("#policy", tmp_path / "policy")
    firefox.choose("#bundle", tmp_path / "bundle")
    verdict, outcomes = report_of(firefox)
    assert verdict.startswith("HOLDS")
    assert outcomes == ["holds"] * 13
    assert firefox.run("return document.title") == "answered"


def told_of_answers(name: str) -> str:
    """Give the page's sources, with a thread whose answers are seen from outside."""
    text = (files("workseal_protocol.page") / "source" / name).read_text()
    if name != "thread.mjs":
        return text
    old = "=> answered(number, held === true)"
    assert old in text
    return text.replace(old, '=> (document.title = "answered", answered(number, held === true))')
