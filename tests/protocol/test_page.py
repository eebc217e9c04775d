"""The offline page as a file: how it is put together, and what it can never do."""

import base64
import hashlib
import re
from collections.abc import Callable
from importlib.resources import files

import pytest

from workseal_protocol.bundle import README
from workseal_protocol.cli.page import offline_page
from workseal_protocol.page import assembled, script_of
from workseal_protocol.verify import STEPS
from workseal_protocol.verify.unproven import ALWAYS, FAILED

PAGE = offline_page().decode()
SCRIPT = script_of(PAGE.encode())
HTML = (
    '<meta content="{{POLICY}}"><style>{{STYLE}}</style><script type="module">{{SCRIPT}}</script>'
)


def sources(**modules: str) -> Callable[[str], str]:
    files = {"page.html": HTML, "page.css": "p { color: red; }\n"}
    files |= {f"{name}.mjs": text for name, text in modules.items()}
    return files.__getitem__


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def between(start: str, end: str) -> str:
    return PAGE.partition(start)[2].partition(end)[0]


# --- the file ---


def test_is_the_same_file_each_time() -> None:
    assert offline_page() == offline_page()


def test_its_policy_names_its_one_script_and_its_one_style_and_nothing_else() -> None:
    script = between('<script type="module">', "</script>")
    style = between("<style>", "</style>")
    policy = between('http-equiv="Content-Security-Policy" content="', '"').split("; ")
    assert policy == [
        "default-src 'none'",
        f"script-src {hash_of(script)}",
        f"style-src {hash_of(style)}",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types checking-there",
    ]
    assert PAGE.count("<script") == PAGE.count("<style") == PAGE.count("</script") == 1


def test_its_policy_stands_before_everything_that_it_is_about() -> None:
    assert PAGE.index("Content-Security-Policy") < PAGE.index("<style>") < PAGE.index("<script")


def test_names_no_address_and_loads_nothing() -> None:
    assert not re.search(r"https?:|//[a-z0-9.]+/|\bsrc=|\bhref=\"(?!#)|url\(|@import", PAGE)


@pytest.mark.parametrize(
    "word",
    [
        "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
        "fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "import(",
        "importScripts", "SharedWorker", "localStorage", "sessionStorage", "indexedDB", "cookie",
        "location", "window.open",
        "Math.random", "getRandomValues", "Date.now", "javascript:",
    ],
)  # fmt: skip
def test_its_script_never_uses(word: str) -> None:
    assert word not in SCRIPT


def test_its_script_begins_one_thread_from_one_text() -> None:
    once = ("Worker(", "createObjectURL(", "new Blob(", "createPolicy(", "createScriptURL(")
    assert [SCRIPT.count(word) for word in once] == [1] * len(once)
    assert "new Blob([TEXT]" in SCRIPT
    assert "const TEXT = `(${checkingThere})();\\n`;" in SCRIPT


def test_has_no_handler_and_no_style_in_its_markup() -> None:
    markup = PAGE.partition("<body>")[2].partition("<script")[0]
    assert not re.search(r"\son[a-z]+=|\sstyle=", markup)


# --- one text in two languages ---


def test_knows_the_readme_by_its_digest() -> None:
    assert hashlib.sha256(README).hexdigest() in SCRIPT


def test_has_the_steps_of_python_with_their_numbers_names_and_needs() -> None:
    table = SCRIPT.partition("const STEPS = [\n")[2].partition("\n];")[0]
    rows = re.findall(r'^  \[(\d+), "([a-z -]+)", .*, \[([\d, ]*)\]\],$', table, re.MULTILINE)
    found = [
        (int(number), name, tuple(int(one) for one in needs.split(", ") if one))
        for number, name, needs in rows
    ]
    assert found == [(one.number, one.name, one.needs) for one in STEPS]


@pytest.mark.parametrize("sentence", [*ALWAYS, FAILED])
def test_says_what_is_not_proven_in_the_same_words(sentence: str) -> None:
    assert f'"{sentence}"' in SCRIPT


# --- putting it together ---


def test_puts_modules_in_the_order_of_their_imports_without_import_and_export() -> None:
    page = assembled(
        sources(
            view='import { b } from "./b.mjs";\nimport { a } from "./a.mjs";\nb(a);\n',
            b='import { a } from "./a.mjs";\nexport function b(x) { return x + a; }\n',
            a="export const a = 1;\n",
        )
    )
    assert script_of(page) == (
        "// --- a.mjs ---\nconst a = 1;\n\n"
        "// --- b.mjs ---\nfunction b(x) { return x + a; }\n\n"
        "// --- view.mjs ---\nb(a);\n"
    )


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        pytest.param(
            {
                "view": 'import { a } from "./a.mjs";\nconst c = a;\n',
                "a": "const c = 1;\nexport const a = c;\n",
            },
            "c is declared in a.mjs and in view.mjs",
            id="one name twice",
        ),
        pytest.param(
            {"view": 'import { b } from "./a.mjs";\n', "a": "export const a = 1;\n"},
            "view.mjs imports b, unknown to a.mjs",
            id="a name that is not exported",
        ),
        pytest.param(
            {"view": 'import { a } from "./a.mjs";\n', "a": "const a = 1;\n"},
            "imports a, unknown",
            id="a name that is not shared",
        ),
        pytest.param(
            {
                "view": 'import { a } from "./a.mjs";\n',
                "a": 'import { b } from "./b.mjs";\nexport const a = b;\n',
                "b": 'import { a } from "./a.mjs";\nexport const b = a;\n',
            },
            "a.mjs imports itself",
            id="a circle",
        ),
        pytest.param({"view": 'import a from "./a.mjs";\n'}, "unknown form", id="another import"),
        pytest.param({"view": "export default 1;\n"}, "unknown form", id="another export"),
        pytest.param({"view": 'const end = "</script>";\n'}, "or its end", id="the script's end"),
    ],
)  # fmt: skip
def test_refuses_sources_that_would_change_their_meaning(modules: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        assembled(sources(**modules))


def test_refuses_a_page_without_a_place_for_its_script() -> None:
    with pytest.raises(ValueError, match="one place for its script"):
        assembled({"page.html": "{{POLICY}}{{STYLE}}", "page.css": "", "view.mjs": ""}.__getitem__)
    with pytest.raises(ValueError, match="no script"):
        script_of(b"<p>")


def test_every_module_uses_what_it_imports() -> None:
    for text in SCRIPT_SOURCES.values():
        for names in re.findall(r"^import \{ (.+) \} from", text, re.MULTILINE):
            body = re.sub(r"^import .*\n", "", text, flags=re.MULTILINE)
            for name in names.split(", "):
                assert re.search(rf"\b{name}\b", body), f"{name} is imported and not used"


def _read_sources() -> dict[str, str]:
    folder = files("workseal_protocol.page") / "source"
    return {one.name: one.read_text() for one in folder.iterdir() if one.name.endswith(".mjs")}


SCRIPT_SOURCES = _read_sources()


def test_every_source_is_part_of_the_page() -> None:
    for name in SCRIPT_SOURCES:
        assert f"// --- {name} ---" in SCRIPT
