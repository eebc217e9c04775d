"""One file out of the page's sources: modules in the order of their imports, style, and policy.

Rules: a module imports by name, from beside it, at its top; names are declared once over all
modules, so that leaving out `import` and `export` changes no meaning. What breaks that is a mistake
of ours, and a `ValueError`.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final, TypeAlias

# Gives a source of the page by its name.
Sources: TypeAlias = Callable[[str], str]

ENTRY: Final = "view.mjs"

_IMPORT = re.compile(r'^import \{ ([A-Za-z0-9_, ]+) \} from "\./([a-z0-9]+\.mjs)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_DECLARED = re.compile(
    r"^(export )?(?:async function|function|class|const|let) ([A-Za-z0-9_]+)", re.MULTILINE
)
_SCRIPT = re.compile(r'<script type="module">\n(.*)</script>', re.DOTALL)


def assembled(sources: Sources) -> bytes:
    """Return the page's bytes."""
    script, style = f"\n{_joined_modules(sources)}", f"\n{sources('page.css')}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " worker-src blob:; base-uri 'none'; form-action 'none';"
        " require-trusted-types-for 'script'; trusted-types checking-there"
    )
    page = sources("page.html")
    for place, content in (("POLICY", policy), ("STYLE", style), ("SCRIPT", script)):
        if page.count(f"{{{{{place}}}}}") != 1:
            raise ValueError(f"the page has one place for its {place.lower()}")
        page = page.replace(f"{{{{{place}}}}}", content)
    return page.encode()


def script_of(page: bytes) -> str:
    """Return the one script of an assembled page."""
    form = _SCRIPT.search(page.decode())
    if form is None:
        raise ValueError("the page has no script")
    return form[1]


def _joined_modules(sources: Sources) -> str:
    order: dict[str, str] = {}
    _add_module(ENTRY, sources, order, ())
    names: dict[str, str] = {}
    for module, text in order.items():
        for _, name in _DECLARED.findall(text):
            if name in names:
                raise ValueError(f"{name} is declared in {names[name]} and in {module}")
            names[name] = module
    script = "\n".join(
        f"// --- {module} ---\n{_EXPORT.sub('', _IMPORT.sub('', text))}"
        for module, text in order.items()
    )
    if re.search(r"^(import|export)\b", script, re.MULTILINE) or "</script" in script.lower():
        raise ValueError("the page's script has an import or export of an unknown form, or its end")
    return script


def _add_module(name: str, sources: Sources, order: dict[str, str], above: tuple[str, ...]) -> None:
    """Add a module after those that it imports, each once."""
    if name in order:
        return
    if name in above:
        raise ValueError(f"{name} imports itself by way of {', '.join(above)}")
    text = sources(name)
    for names, other in _IMPORT.findall(text):
        _add_module(other, sources, order, (*above, name))
        exported = {found for export, found in _DECLARED.findall(order[other]) if export}
        missing = {one.strip() for one in names.split(",")} - exported
        if missing:
            raise ValueError(f"{name} imports {', '.join(sorted(missing))}, unknown to {other}")
    order[name] = text


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
