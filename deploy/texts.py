"""The agent's texts for translators: the templates from the sources, and what is shown from them.

`python3 dev.py texts` writes the templates anew (`*.pot`), brings every translation up to them
(`*.po`; what has no translation yet is left empty, and what only resembles an old text is marked
fuzzy and not shown), and compiles what is shown (`*.mo`). A new language is a new folder with
two empty files, named as BCP 47 has it: `mkdir .../language/fr; touch .../language/fr/agent.po`.

Rules: nothing in the files depends on the day, the machine or the place in a source file, so that a
change of a text is the only change of a template. A translation that could not be shown, because
its places for values differ, is an error here, with its text.
"""

import ast
import builtins
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from workseal_agent.language.phrase import fits
from workseal_agent.language.speaking import AGENT, FOLDER, PAGES
from workseal_agent.pages.guard import Denial
from workseal_agent.pages.marks import sentence_of
from workseal_agent.pages.words import ALONE, load_words
from workseal_agent.recorder import RecorderState
from workseal_agent.suggestions import Kind, Why
from workseal_client import errors
from workseal_protocol import worded
from workseal_protocol.cli.ownkeys import words
from workseal_protocol.terms import plain

SOURCES = FOLDER.parent
# What the agent shows of the packages below it: the terms, what a statement about a key does, and
# why a verifier did not answer.
OTHERS = (
    Path(worded.__file__),
    Path(plain.__file__),
    Path(words.__file__),
    *sorted(Path(errors.__file__).parent.glob("*.py")),
)
_WIDTH = 98
_WITH_HELP = frozenset({"Typer", "Option", "Argument"})
_NAMES = frozenset(vars(builtins))
# What says a text, and which of its arguments are forms of it.
_MARKS = {
    "phrase": slice(1),
    "phrases": slice(1, 3),
    "worded": slice(1),
    "counted": slice(1, 3),
}
# What prints a text as it is given one.
_PRINTED = frozenset({"say", "confirmed", "secret_typed_twice", "table"})
# What a part of the recording process keeps for `status`.
_TROUBLES = frozenset({"trouble", "problem", "failing"})
# What is wrong with bytes: told with the bytes' own words.
_FORMAL = frozenset({"MalformedError"})
_WORD = re.compile(r"[A-Za-z]{2,}")
_SENTENCE = re.compile(
    r"(?:[A-Za-z]{2,}|\{\})[^A-Za-z{}]* [^A-Za-z{}]*[A-Za-z]{2,}|[A-Za-z]{2,} \{\}"
)
# The files' own heads would have the day in them.
_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_ENUMERATIONS: tuple[tuple[type[Enum], Callable[[Enum], str]], ...] = (
    (RecorderState, lambda one: str(one.value)),
    (Denial, lambda one: str(one.value)),
    (Kind, lambda one: str(one.value)),
    # A page writes it as a sentence of its own, a command as a part of one.
    (Why, lambda one: sentence_of(str(one.value))),
    (Why, lambda one: str(one.value)),
)


class TextsError(Exception):
    """Say which text of the sources or of a translation cannot be used."""


def template_of_agent() -> Catalog:
    """Gather what is marked in the sources, the agent's literal errors, and literal lines."""
    template = Catalog()
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        for texts in texts_of(path.read_text("utf-8"), name):
            template.add(texts[0] if len(texts) == 1 else texts, locations=[(name, 0)])
    for path in OTHERS:
        name = f"{path.parent.name}/{path.name}"
        for texts in texts_of(path.read_text("utf-8"), name):
            template.add(texts[0] if len(texts) == 1 else texts, locations=[(name, 0)])
    for kind, said in _ENUMERATIONS:
        for one in kind:
            place = kind.__module__.removeprefix("workseal_agent.").replace(".", "/")
            template.add(said(one), locations=[(f"{place}.py", 0)])
    return template


def texts_of(source: str, name: str) -> Iterator[tuple[str, ...]]:
    """Yield the texts of one module: alone, or one and many."""
    tree = ast.parse(source)
    if name.startswith("cli/"):
        yield from ((text,) for text in _helps(tree))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
    for node in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
        called = _name_of(node)
        if called in _MARKS:
            wanted = node.args[_MARKS[called]]
            texts = tuple(_literal(one) for one in wanted)
            if not texts or None in texts:
                raise TextsError(f"{name}:{node.lineno}: the text of a phrase stands in its call")
            yield tuple(text for text in texts if text is not None)
        elif _speaks(called, printing=name.startswith("cli/")):
            # Found by where they stand: what is raised or printed as it is needs no mark.
            for text in map(_literal, _arguments(node, called)):
                if text and not {"{", "}"} & set(text):
                    yield (text,)


def unspoken(source: str, name: str) -> Iterator[str]:
    """Yield the texts of a module that a reader would see in English, whatever they speak.

    A text is said where it stands by itself in a call that prints or raises, or in `phrase`. One
    that is put together in such a call is not found for translators. In `cli/`, where all is for
    people, no text of several words may stand anywhere else either.
    """
    tree = ast.parse(source)
    printing = name.startswith("cli/")
    said: set[int] = set()
    built: set[int] = set()
    for node in ast.walk(tree):
        said.update(map(id, _said(node, printing=printing)))
        built.update(map(id, _built(node, printing=printing)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in said:
            text = _shown(node)
            if (printing and _SENTENCE.search(text)) or (id(node) in built and _WORD.search(text)):
                yield f"{name}:{node.lineno}: {text}"


def _said(node: ast.AST, *, printing: bool) -> Iterator[ast.AST]:
    """Yield the texts in a node that are found for translators, or are read by no person."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr):
            yield first.value
    elif isinstance(node, ast.JoinedStr):
        yield from node.values
    elif isinstance(node, ast.Call):
        called = _name_of(node)
        if called in {"phrase", "phrases"}:
            yield from node.args
        elif called == "raw":
            yield from ast.walk(node)
        elif _speaks(called, printing=printing):
            yield from (one for one in _arguments(node, called) if isinstance(one, ast.Constant))
        yield from (one.value for one in node.keywords if one.arg in {"help", "name"})


def _built(node: ast.AST, *, printing: bool) -> Iterator[ast.AST]:
    """Yield what texts are put together from in a call that prints or raises, or in a trouble."""
    called = _name_of(node) if isinstance(node, ast.Call) else ""
    if isinstance(node, ast.Assign) and any(map(_is_trouble, node.targets)):
        yield from _pieces(node.value)
    if isinstance(node, ast.Call) and called not in _FORMAL and _speaks(called, printing=printing):
        for one in node.args:
            yield from _pieces(one)


def _is_trouble(target: ast.expr) -> bool:
    """Tell whether what is assigned is shown to the owner by `status`, from another process."""
    return isinstance(target, ast.Attribute) and target.attr.strip("_") in _TROUBLES


def _pieces(node: ast.expr) -> Iterator[ast.AST]:
    """Yield what a value is made of, where it is not what another call answers."""
    if isinstance(node, ast.Call | ast.Subscript | ast.Compare):
        return
    yield node
    for below in ast.iter_child_nodes(node):
        if isinstance(below, ast.expr):
            yield from _pieces(below)


def _arguments(call: ast.Call, called: str) -> list[ast.expr]:
    """Return what is shown as it stands: of a table, its heads."""
    if called == "table":
        return call.args[0].elts if isinstance(call.args[0], ast.Tuple) else []
    return call.args


def _speaks(called: str, *, printing: bool) -> bool:
    return _is_own_error(called) or (printing and called in _PRINTED)


def _name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _shown(node: ast.Constant | ast.JoinedStr) -> str:
    """Return a text with {} for its values."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(_literal(one) or "{}" for one in node.values)


def _helps(tree: ast.Module) -> Iterator[str]:
    """Yield what `--help` shows: of each command what its function says of itself, of options."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(map(_is_command, node.decorator_list)):
            yield ast.get_docstring(node) or ""
        elif isinstance(node, ast.Call) and _called(node) in _WITH_HELP:
            yield from filter(
                None, (_literal(one.value) for one in node.keywords if one.arg == "help")
            )


def _is_command(decorator: ast.expr) -> bool:
    called = decorator if isinstance(decorator, ast.Call) else None
    return called is not None and _called(called) in {"command", "callback"}


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def template_of_pages() -> Catalog:
    """Gather the texts of the pages; the name of each is its context."""
    template = Catalog()
    words = load_words()
    for name, text in words.items():
        if name.endswith(ALONE) and name.removesuffix(ALONE) in words:
            continue
        alone = words.get(f"{name}{ALONE}")
        template.add(text if alone is None else (alone, text), context=name)
    return template


def read(text: str, tag: str) -> Catalog:
    """Read a translation."""
    catalog = read_po(io.StringIO(text), locale=tag.replace("-", "_"))
    catalog.creation_date = catalog.revision_date = _DAY
    return catalog


def written(catalog: Catalog, tag: str = "") -> str:
    """Write a catalogue, or without a tag a template."""
    head = ["Project-Id-Version: workseal", f"Language: {tag}", "MIME-Version: 1.0"]
    head += ["Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit"]
    if tag:
        head.append(f"Plural-Forms: {catalog.plural_forms}")
    lines = "".join(f'"{line}\\n"\n' for line in head)
    body = io.BytesIO()
    write_po(
        body, catalog, width=_WIDTH, omit_header=True, include_lineno=False, ignore_obsolete=True
    )
    return f'msgid ""\nmsgstr ""\n{lines}\n{body.getvalue().decode()}'


def brought_up(text: str, template: Catalog, tag: str) -> Catalog:
    """Return a translation with exactly the texts of the template."""
    catalog = read(text, tag)
    catalog.update(template)
    # It takes over the day on which the template was made.
    catalog.creation_date = _DAY
    return catalog


def refused(catalog: Iterable[Message]) -> Iterator[str]:
    """Yield what could not be shown of a translation."""
    for message in catalog:
        if message.id and not message.fuzzy:
            one, *more = _forms(message.id)
            for form in filter(None, _forms(message.string)):
                if not fits(form, one, *more):
                    yield f"{one!r}: {form!r}"


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (str(text or ""),)


def compiled(catalog: Catalog) -> bytes:
    """Return what gettext reads."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_own_error(name: str) -> bool:
    return name.endswith(("Error", "Problem")) and name not in _NAMES


def main() -> int:
    """Write every file anew; returns 1 when a translation is refused."""
    wrong: list[str] = []
    for domain, template in ((AGENT, template_of_agent()), (PAGES, template_of_pages())):
        (FOLDER / f"{domain}.pot").write_text(written(template), "utf-8")
        for folder in sorted(one for one in FOLDER.iterdir() if (one / f"{AGENT}.po").exists()):
            file = folder / f"{domain}.po"
            old = file.read_text("utf-8") if file.exists() else ""
            catalog = brought_up(old, template, folder.name)
            file.write_text(written(catalog, folder.name), "utf-8")
            file.with_suffix(".mo").write_bytes(compiled(catalog))
            left = sum(
                1 for one in catalog if one.id and (one.fuzzy or not all(_forms(one.string)))
            )
            print(f"{folder.name} {domain}: {len(catalog)} texts, {left} in English still")
            wrong += [f"{file.relative_to(Path.cwd())}: {one}" for one in refused(catalog)]
    for one in wrong:
        sys.stderr.write(f"not the places of the English text: {one}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
