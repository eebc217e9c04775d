"""Write the examples of the OpenAPI description, or with --check say whether they are true.

    python tests/support/examples.py [--check]

They are what a real verifier with fixed secrets answers; a test compares them.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "verifier" / "workseal_verifier" / "api" / "openapi" / "examples.json"


def examples_of(folder: Path) -> dict[str, Any]:
    """Give the examples, by operation."""
    from support.exchanges import exchanges  # noqa: PLC0415  (after the path is set)

    return {
        name.replace(":path", ""): _shown(one) for name, one in sorted(exchanges(folder).items())
    }


def encode(examples: dict[str, Any]) -> str:
    """Write them as the file has them."""
    return json.dumps(examples, indent=1, ensure_ascii=False) + "\n"


def parameters_of(template: str, path: str) -> dict[str, str]:
    """Read the variable parts of an address."""
    parts = urlsplit(path)
    names = re.findall(r"\{(\w+)(?::path)?\}", template)
    form = re.sub(r"\\\{\w+(:path)?\\\}", "(.+)", re.escape(template))
    found = re.fullmatch(form, parts.path)
    assert found is not None, (template, path)
    return dict(zip(names, map(unquote, found.groups()), strict=True)) | dict(
        parse_qsl(parts.query)
    )


def _shown(one: Any) -> dict[str, Any]:
    from support.viewed import view  # noqa: PLC0415  (after the path is set)

    shown: dict[str, Any] = {}
    if parameters := parameters_of(one.operation.partition(" ")[2], one.path):
        shown["parameters"] = parameters
    if one.body:
        shown["request"] = view(one.media, one.body)
    answer = one.answer
    if one.operation == "GET /openapi.json":
        # The whole of it would hold itself.
        shown["answer"] = {"openapi": answer.json()["openapi"], "info": {}, "paths": {}}
    elif answer.content:
        shown["answer"] = view(answer.headers["content-type"], answer.content)
    if "location" in answer.headers:
        shown["location"] = answer.headers["location"]
    return shown


def main() -> int:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description="examples of the HTTP interface")
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        text = encode(examples_of(Path(folder)))
    if check:
        return int(FILE.read_text() != text)
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    sys.exit(main())
