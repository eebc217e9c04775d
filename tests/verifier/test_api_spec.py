"""The pages on HTTP against the application: operations, problems, and the example's sizes."""

import re
from pathlib import Path

import httpx

from support.office import LiveServer, Office, new_home, stranger_offer
from support.simulator import ROUND_MS
from workseal_verifier.api.problems import MEDIA, PREFIX, TABLE
from workseal_verifier.app import create_app

SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec"
PAGE = SPEC / "api.md"
NAMES = ("api", "access", "cases", "keys", "notices", "signin", "public", "scrapi")
PAGES = tuple(SPEC / f"{name}.md" for name in NAMES)
OPERATION = re.compile(r"^### `([A-Z]+) (/\S+)`$", re.MULTILINE)
PROBLEM = re.compile(r"^\| `([a-z-]+)` \| ([0-9]{3}) \|", re.MULTILINE)


def unnamed(path: str) -> str:
    """Drop the names of a path's variable parts: code and page may choose their own."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def text_of_all() -> str:
    return "\n".join(page.read_text() for page in PAGES)


def test_the_pages_have_exactly_the_operations_of_the_application(tmp_path: Path) -> None:
    paths = create_app(new_home(tmp_path)).openapi()["paths"]
    real = {(method.upper(), unnamed(path)) for path, one in paths.items() for method in one}
    told = [(method, unnamed(path)) for method, path in OPERATION.findall(text_of_all())]
    assert len(real) > 10
    assert sorted(told) == sorted(real)


def test_the_pages_have_exactly_the_problems_of_the_application() -> None:
    told = [(name, int(status)) for name, status in PROBLEM.findall(text_of_all())]
    assert sorted(told) == sorted((reason.value, status) for reason, (status, _) in TABLE.items())


def test_each_operation_names_problems_that_exist() -> None:
    parts = re.findall(r"Problems: (.*?)(?=\n\n)", text_of_all(), re.DOTALL)
    named = {word for part in parts for word in re.findall(r"`([a-z-]+)`", part)}
    assert len(parts) > 10
    assert named - {"old", "item"} <= {reason.value for reason in TABLE}


def test_the_example_has_the_sizes_of_a_real_exchange(office: Office) -> None:
    text = PAGE.read_text()
    offer = stranger_offer(office, 1).encode()
    after = office.now // ROUND_MS + 1
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        checkpoint = client.get("/v1/log/checkpoint")
        size = int(checkpoint.text.splitlines()[1])
        answer = client.post(f"/v1/statements?old={size}", content=offer)
        early = client.get(f"/v1/beacon/{ROUND_MS}/{after}")
    assert f"< 200, {checkpoint.headers['content-type']}, {len(checkpoint.content)} bytes" in text
    assert f"> POST /v1/statements?old={size}, application/cbor-seq, {len(offer)} bytes" in text
    assert f"< 200, {answer.headers['content-type']}, {len(answer.content)} bytes" in text
    assert f"> GET /v1/beacon/{ROUND_MS}/{after}\n" in text
    wait = early.headers["retry-after"]
    assert f"< 425, {MEDIA}, retry-after: {wait}, {len(early.content)} bytes" in text
    assert f'"{PREFIX}too-early"' in early.text
    assert early.text in text
