"""The offline page's second thread: it takes signatures off the page, and can do nothing else."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from support.chromed import chromed
from support.manysigned import ROUNDS, many_signed
from workseal_protocol.cli.page import offline_page
from workseal_protocol.page import assembled
from workseal_protocol.verify import examine_bundle

DRIVER = Path(__file__).parents[1] / "support" / "page_lending.mjs"

# What a page does that has no such thread, or one that never comes to anything.
WITHOUT = {
    "none": "delete globalThis.Worker;",
    "refused": "globalThis.Worker = class { constructor() { throw new Error('no'); } };",
    "fails": "globalThis.Worker = class { postMessage() { setTimeout(() => this.onerror()); }"
    " terminate() {} };",
    "silent": "globalThis.Worker = class { postMessage() {} terminate() {} };",
    "takes nothing": "globalThis.Worker = class { postMessage() { throw new Error('no'); }"
    " terminate() {} };",
    "no address": "URL.createObjectURL = () => { throw new Error('no'); };",
    "its name is taken": "trustedTypes.createPolicy('checking-there',"
    " { createScriptURL: String });",
}


class Files(NamedTuple):
    bundle: Path
    policy: Path
    # What Python says of step 5.
    why: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thread")
    (folder / "verify.html").write_bytes(offline_page())
    return folder


def written(folder: Path, wrong: int | None = None) -> Files:
    story = many_signed(wrong)
    data, policy = story.bundle().encode(), story.policy
    (folder / "bundle").write_bytes(data)
    (folder / "policy").write_text(policy.encode())
    return Files(folder / "bundle", folder / "policy", examine_bundle(data, policy).steps[4].why)


class Opened:
    """One page with a bundle in it, and everything that it said, asked for or began."""

    def __init__(self, browser: Browser, file: Path, before: str = "") -> None:
        self.page: Page = browser.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.began: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("worker", lambda worker: self.began.append(worker.url))
        if before:
            self.page.add_init_script(before)
        self.page.goto(file.as_uri())

    def verdict(self, files: Files) -> str:
        self.page.set_input_files("#policy", files.policy)
        self.page.set_input_files("#bundle", files.bundle)
        self.page.wait_for_selector("#verdict", timeout=60_000)
        return self.page.inner_text("#verdict")


# --- who checks what ---


def test_no_check_is_lost_however_the_thread_behaves(folder: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, DRIVER, folder / "verify.html"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = json.loads(done.stdout)
    assert len({row["name"] for row in rows}) == 8
    for row in rows:
        assert row["held"] is (row["wrong"] == -1), row
        assert row["missing"] == 0, row


def test_many_signatures_are_checked_by_a_thread_that_ends_with_them(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    opened = Opened(browser, folder / "verify.html")
    assert opened.verdict(written(tmp_path)).startswith("HOLDS")
    (began,) = opened.began
    assert began.startswith("blob:")
    for _ in range(100):
        if not opened.page.workers:
            break
        opened.page.wait_for_timeout(50)
    assert opened.page.workers == []
    # Neither its policy nor the browser had anything to complain of, and nothing was fetched.
    assert opened.said == []
    assert [url for url in opened.asked if url != began] == [(folder / "verify.html").as_uri()]
    opened.page.close()


@pytest.mark.parametrize("wrong", [0, ROUNDS // 2, ROUNDS - 1])
def test_one_that_does_not_hold_is_named_as_python_names_it(
    browser: Browser, folder: Path, tmp_path: Path, wrong: int
) -> None:
    files = written(tmp_path, wrong)
    opened = Opened(browser, folder / "verify.html")
    assert opened.verdict(files).startswith("DOES NOT HOLD")
    assert "the signature does not match" in files.why
    # Whether a thread began before it was found is a matter of moments.
    assert files.why in opened.page.inner_text(".steps > li:nth-child(5)")
    assert opened.said == []
    opened.page.close()


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize("wrong", [None, ROUNDS - 1])
def test_a_page_without_it_says_the_same(
    browser: Browser, folder: Path, tmp_path: Path, without: str, wrong: int | None
) -> None:
    opened = Opened(browser, folder / "verify.html", WITHOUT[without])
    holds = opened.verdict(written(tmp_path, wrong)).startswith("HOLDS")
    assert holds is (wrong is None)
    assert opened.began == []
    # The browser writes down that the page was refused a name.
    assert [one for one in opened.said if "TrustedTypePolicy" not in one] == []
    opened.page.close()


@pytest.mark.parametrize("header", ["trusted-types 'none'", "worker-src 'none'", "sandbox"])
def test_a_page_that_is_served_under_another_policy_judges_all_the_same(
    browser: Browser, folder: Path, tmp_path: Path, header: str
) -> None:
    """As long as scripts run at all: who serves the page may say more than the page does."""
    header += " allow-scripts" if header == "sandbox" else ""
    files, page = written(tmp_path), browser.new_page()
    headers = {"content-type": "text/html", "content-security-policy": header}
    body = (folder / "verify.html").read_bytes()
    page.route("https://page.test/", lambda route: route.fulfill(body=body, headers=headers))
    page.goto("https://page.test/")
    page.set_input_files("#policy", files.policy)
    page.set_input_files("#bundle", files.bundle)
    page.wait_for_selector("#verdict", timeout=60_000)
    assert page.inner_text("#verdict").startswith("HOLDS")
    page.close()


# --- what it can never do ---

ATTEMPTS = {
    "fetch": "fetch(ADDRESS)",
    "request": "new Promise((yes, no) => { const one = new XMLHttpRequest(); one.onload = yes;"
    " one.onerror = no; one.open('GET', ADDRESS); one.send(); })",
    "events": "new Promise((yes, no) => { const one = new EventSource(ADDRESS); one.onopen = yes;"
    " one.onerror = no; })",
    "script": "(async () => importScripts(ADDRESS))()",
    "module": "import(ADDRESS)",
    "evaluation": "(async () => (0, eval)('1'))()",
    "thread": "new Promise((yes, no) => { const one = new Worker('data:text/javascript,'"
    " + 'postMessage(1)'); one.onmessage = yes; one.onerror = no; })",
}
LOOSE = "default-src * blob: data: 'unsafe-inline' 'unsafe-eval'"


class Heard(NamedTuple):
    address: str
    asked: list[str]


@pytest.fixture
def listening() -> Iterator[Heard]:
    """Serve something to whoever asks, from wherever, and keep what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["accept"] or "")
            events = "event-stream" in asked[-1]
            self.send_response(200)
            self.send_header("content-type", "text/event-stream" if events else "text/javascript")
            self.send_header("access-control-allow-origin", "*")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Heard(f"http://127.0.0.1:{server.server_port}/", asked)
        server.shutdown()
        thread.join()


def grasping(address: str) -> bytes:
    """Give a page of our own policy whose thread tries all of this, and tells what was granted."""
    tried = "".join(
        f"    await ({code.replace('ADDRESS', json.dumps(address))})"
        f".then(() => granted.push({json.dumps(name)}), () => {{}});\n"
        for name, code in ATTEMPTS.items()
    )
    changes = {
        "  globalThis.onmessage = async ({ data }) => {\n": "  globalThis.onmessage = async"
        f" ({{ data }}) => {{\n    const granted = [];\n{tried}",
        "postMessage({ number: data.number, held })": "postMessage({ number: data.number, held,"
        " granted })",
        "({ data: { number, held } }) => answered": "({ data: { number, held, granted } }) =>"
        " (globalThis.granted = granted) && answered",
    }
    folder = files("workseal_protocol.page") / "source"

    def source(name: str) -> str:
        text = (folder / name).read_text()
        # It is waited for, so that it comes to its attempts.
        if name == "signatures.mjs":
            return changed(text, {"    this.lends = false;\n": "    return true;\n"})
        return changed(text, changes) if name == "thread.mjs" else text

    return assembled(source)


def changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def granted(browser: Browser, page: bytes, folder: Path) -> list[str]:
    file = folder / "grasping.html"
    file.write_bytes(page)
    opened = Opened(browser, file)
    opened.verdict(written(folder))
    told: list[str] = opened.page.evaluate("globalThis.granted")
    opened.page.close()
    return told


def test_its_thread_is_granted_nothing(browser: Browser, tmp_path: Path, listening: Heard) -> None:
    assert granted(browser, grasping(listening.address), tmp_path) == []
    assert listening.asked == []


def test_what_is_tried_there_is_granted_under_another_policy(
    browser: Browser, tmp_path: Path, listening: Heard
) -> None:
    page = grasping(listening.address).decode()
    policy = page.partition('Security-Policy" content="')[2].partition('"')[0]
    told = granted(browser, page.replace(policy, LOOSE).encode(), tmp_path)
    assert told == [*ATTEMPTS]
    assert len(listening.asked) >= 5


@pytest.mark.parametrize(
    "attempt",
    [
        "trustedTypes.createPolicy('checking-there', { createScriptURL: (url) => url })",
        "trustedTypes.createPolicy('other', { createScriptURL: (url) => url })",
        "new Worker(URL.createObjectURL(new Blob(['1'])))",
        "new Worker('data:text/javascript,1')",
        "new SharedWorker(URL.createObjectURL(new Blob(['1'])))",
    ],
)
def test_no_other_text_is_run_in_a_thread(browser: Browser, folder: Path, attempt: str) -> None:
    opened = Opened(browser, folder / "verify.html")
    refused = opened.page.evaluate(
        f"() => {{ try {{ {attempt}; return ''; }} catch (error) {{ return error.name; }} }}"
    )
    assert refused == "TypeError"
    assert opened.began == []
    opened.page.close()
