import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest

from support.acting import ScriptedAgent
from support.scripted import Story, finish
from support.simulator import DAY_MS, START, Simulator
from workseal_protocol.bundle import Bundle
from workseal_protocol.cli import main
from workseal_protocol.cli.page import MAX_PAGE_BYTES, offline_page
from workseal_protocol.digest import Digest


def test_writes_the_page_and_prints_its_hash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "page.html"
    assert main(["page", "--out", str(target)]) == 0
    data = target.read_bytes()
    assert data == offline_page()
    assert capsys.readouterr().out == f"{hashlib.sha256(data).hexdigest()}  {target}\n"


def test_is_called_verify_html_where_no_name_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["page"]) == 0
    assert (tmp_path / "verify.html").read_bytes() == offline_page()


def test_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "verify.html"
    target.write_text("mine")
    assert main(["page", "--out", str(target)]) == 2
    assert target.read_text() == "mine"
    assert "nothing is overwritten" in capsys.readouterr().err


# --- whether a file is the page ---

OLDER = b"<!doctype html>an older page"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the bundle of a log that published two pages, and a policy."""
    verifier = Simulator(b"pages")
    verifier.publish_rules(Digest.of(OLDER))
    verifier.publish_rules(Digest.of(offline_page()))
    verifier.publish_rules()
    verifier.start_beacon(START // verifier.round_ms - 360, 2_000)
    agent = ScriptedAgent(verifier)
    verifier.now = START
    agent.open_session()
    agent.work(20_000)
    agent.close_session()
    verifier.now += DAY_MS
    contents, tsa = finish(verifier, agent, ())
    story = Story(verifier, agent, replace(contents, openings=()), tsa)
    folder = tmp_path_factory.mktemp("log")
    (folder / "bundle").write_bytes(story.bundle().encode())
    (folder / "policy").write_text(story.policy.encode())
    (folder / "verify.html").write_bytes(offline_page())
    return folder


def check(log: Path, page: Path) -> int:
    bundle, policy = str(log / "bundle"), str(log / "policy")
    return main(["page", "--check", str(page), "--bundle", bundle, "--policy", policy])


def test_a_page_that_the_operator_published_is_named_with_its_entry(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(log, log / "verify.html") == 0
    digest = hashlib.sha256(offline_page()).hexdigest()
    expected = f"{digest}  entry 1 of log.workseal.example/2026 names it\n"
    assert capsys.readouterr().out == expected


def test_an_older_page_is_said_to_be_one(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.html").write_bytes(OLDER)
    assert check(log, tmp_path / "old.html") == 0
    assert "entry 0" in (out := capsys.readouterr().out)
    assert out.endswith("names it; a later one names another page\n")


def test_a_changed_page_is_refused_with_both_hashes(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "verify.html").write_bytes(offline_page() + b"\n")
    assert check(log, tmp_path / "verify.html") == 1
    told = capsys.readouterr().err
    assert "is not one that the operator of this log published" in told
    assert hashlib.sha256(offline_page()).hexdigest() in told
    assert hashlib.sha256(OLDER).hexdigest() in told
    assert hashlib.sha256(offline_page() + b"\n").hexdigest() in told
    assert main(["page", "--check", str(tmp_path / "verify.html")]) == 1
    assert "not the one of this installation" in capsys.readouterr().err


def test_what_is_too_long_for_a_page_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "verify.html").touch()
    os.truncate(tmp_path / "verify.html", MAX_PAGE_BYTES + 1)
    assert main(["page", "--check", str(tmp_path / "verify.html")]) == 2
    assert f"{MAX_PAGE_BYTES}" in capsys.readouterr().err


def test_nothing_is_said_of_a_bundle_that_does_not_hold(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(log / "policy", tmp_path / "policy")
    (tmp_path / "bundle").write_bytes((log / "bundle").read_bytes()[:-40])
    assert check(tmp_path, log / "verify.html") == 2
    assert "names it" not in capsys.readouterr().out


def test_tools_of_others_find_the_same_hash_in_the_log(log: Path) -> None:
    program = shutil.which("sha256sum")
    assert program is not None
    done = subprocess.run([program, log / "verify.html"], capture_output=True, check=True)
    computed = bytes.fromhex(done.stdout.split()[0].decode())
    statements = Bundle.parse((log / "bundle").read_bytes()).contents.statements
    # A COSE_Sign1 of four parts, whose third is the payload; key 14 is the page.
    payloads = [cbor2.loads(cbor2.loads(one.encode()).value[2]) for one in statements]
    assert [payload[14] for payload in payloads if 10 in payload and 14 in payload][1] == computed


def test_this_installations_page_is_known_to_it(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["page", "--check", str(log / "verify.html")]) == 0
    assert "the page of this installation" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--bundle", "b", "--policy", "p"], id="without a page"),
        pytest.param(["--check", "f", "--bundle", "b"], id="without a policy"),
        pytest.param(["--check", "f", "--policy", "p"], id="without a bundle"),
    ],
)
def test_words_that_do_not_stand_together_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["page", *words]) == 2
    assert "stand together, and with --check" in capsys.readouterr().err
