"""The documents say what exists: commands, options, steps, words, links, decisions."""

import argparse
import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from workseal_agent.cli import app as agent_app
from workseal_agent.cli.commands import load_all
from workseal_protocol import __version__
from workseal_protocol.cli.program import _parser
from workseal_protocol.statement import Kind
from workseal_protocol.verify import STEPS
from workseal_verifier.cli import app as verifier_app
from workseal_witness.cli import app as witness_app

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("[pav]*/README.md")]
)
PROGRAMS = ("workseal", "workseal-agent", "workseal-verifier", "workseal-witness")
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
SUBSTITUTION = re.compile(r"\$\((workseal[^)]*)\)")
# What another program prints in its place is one word.
OTHERS = re.compile(r"\$\((?!workseal)[^)]*\)")
INSTALL = re.compile(r"pip install ((?:'[^'\n]+'|[-.\w\[\],]+)(?: (?:'[^'\n]+'|[-\w]+))*)")
# Programs that documents name besides: tools of others, pictures for a bench.
OF_OTHERS = ("scitt-cose", "cbor2", "scikit-image", "tzdata")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Options:
    """What a command takes: options with a value, options without, and commands below it."""

    valued: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset({"--help"})
    commands: dict[str, "Options"] = field(default_factory=dict)


def of_argparse(parser: argparse.ArgumentParser) -> Options:
    valued: set[str] = set()
    flags: set[str] = set()
    commands: dict[str, Options] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            commands = {name: of_argparse(one) for name, one in action.choices.items()}
        elif action.option_strings:
            (flags if action.nargs == 0 else valued).update(action.option_strings)
    return Options(frozenset(valued), frozenset(flags), commands)


def of_typer(command: Any) -> Options:
    """Read a command of typer by its shape: typer brings a click of its own."""
    valued: set[str] = set()
    flags = {"--help"}
    for one in command.params:
        if one.param_type_name == "option":
            (flags if one.is_flag else valued).update([*one.opts, *one.secondary_opts])
    commands = {name: of_typer(one) for name, one in getattr(command, "commands", {}).items()}
    return Options(frozenset(valued), frozenset(flags), commands)


@cache
def programs() -> dict[str, Options]:
    load_all()
    return {
        "workseal": of_argparse(_parser()),
        "workseal-agent": of_typer(typer.main.get_command(agent_app)),
        "workseal-verifier": of_typer(typer.main.get_command(verifier_app)),
        "workseal-witness": of_typer(typer.main.get_command(witness_app)),
    }


def commands_in(text: str) -> Iterator[str]:
    """Give every command line of ours, in blocks and between backquotes."""
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            found = line.strip().removeprefix("$ ")
            if found.split(" ")[0] in PROGRAMS:
                yield found
            yield from SUBSTITUTION.findall(line)
    for span in INLINE.findall(FENCE.sub("", text)):
        if span.split(" ")[0] in PROGRAMS:
            yield span


def problem_of(line: str) -> str | None:
    """Say what does not exist in a command line, if anything."""
    program, *words = shlex.split(OTHERS.sub("…printed…", line), comments=True)
    here, left = programs()[program], iter(words)
    for word in left:
        if word in {"|", ">", ">>", "&&", "…"}:
            return None
        if word.startswith("-"):
            name = word.partition("=")[0]
            if name in here.valued:
                if name == word:
                    next(left, None)
            elif name not in here.flags:
                return f"no option {name}"
        elif here.commands:
            if word not in here.commands:
                return f"no command {word}"
            here = here.commands[word]
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_document_exists(document: Path) -> None:
    for line in commands_in(document.read_text()):
        assert problem_of(line) is None, line


@pytest.mark.parametrize(
    "line",
    [
        "workseal frobnicate",
        "workseal verify x --polizei y",
        "workseal-agent --home x stopp",
        "workseal-verifier serve --rehome y",
    ],
)
def test_a_command_that_does_not_exist_would_be_found(line: str) -> None:
    assert list(commands_in(f"`{line}`\n\n```\n$ {line}\n```\n")) == [line, line]
    assert problem_of(line) is not None


def installs_in(text: str) -> Iterator[str]:
    """Give what each `pip install` of a text names, one by one."""
    for words in INSTALL.findall(text):
        yield from (word for word in shlex.split(words, comments=True) if word[0] not in "-…")


def test_every_install_names_what_this_project_has() -> None:
    """Of ours alone: an extra that is none is installed as nothing, with a warning at most."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    told = [(path, path.read_text()) for path in DOCUMENTS if path.name != "CHANGELOG.md"]
    told += [(path, path.read_text()) for path in source_files("protocol", "agent", "verifier")]
    named = [(path, name) for path, text in told for name in installs_in(text)]
    assert len(named) > 25
    written = set()
    for path, name in named:
        own, _, wanted = name.removesuffix("]").partition("[")
        assert own in {".", "workseal", *OF_OTHERS}, (path, name)
        assert set(wanted.split(",")) <= {"", *extras}, (path, name)
        written |= set(wanted.split(","))
    # Whoever may want one finds it named; what brings the tests' own tools is `dev.py`'s.
    assert extras - written == {"dev"}


def test_whoever_has_nothing_yet_installs_from_the_folder() -> None:
    """The name is on no index: there it would be whoever's who takes it."""
    for path in DOCUMENTS:
        for block in FENCE.findall(path.read_text()):
            assert not [one for one in installs_in(block) if one.startswith("workseal")], path


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_whoever_installs_makes_an_environment_first(name: str) -> None:
    """Debian, Ubuntu and others refuse to install into the system's own Python (PEP 668)."""
    blocks = [block for block in FENCE.findall((ROOT / name).read_text()) if "pip install" in block]
    assert blocks
    assert all("-m venv " in block.partition("pip install")[0] for block in blocks)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_options_of_each_program_are_known(program: str) -> None:
    commands = programs()[program].commands
    assert len(commands) >= 4
    assert all(one.flags | one.valued for one in commands.values())
    assert any(one.valued for one in commands.values())


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_is_documented(program: str) -> None:
    lines = [line for one in DOCUMENTS for line in commands_in(one.read_text())]
    for name in programs()[program].commands:
        assert any(re.match(rf"{program} (?:-\S+ \S+ )*{name}\b", line) for line in lines), name


def test_the_specification_has_the_steps_of_the_program() -> None:
    text = (ROOT / "docs" / "spec" / "verification.md").read_text()
    told = re.findall(r"^\| ?([0-9]+) ?\| ?\**([a-z -]+?)\** ?\|", text, re.MULTILINE)
    assert [(int(number), name) for number, name in told] == [(s.number, s.name) for s in STEPS]


def test_every_step_is_named_in_the_code_that_checks_it() -> None:
    code = "".join(path.read_text() for path in source_files("protocol"))
    for step in STEPS:
        assert re.search(rf"# \({step.number}\)|\({step.number}\)", code), step.number


def test_the_specification_has_the_kinds_of_statement_that_there_are() -> None:
    """A reader written from the page refuses every kind that it does not name."""
    text = (ROOT / "docs" / "spec" / "statement.md").read_text()
    rows = re.findall(r"^\| (engagement|issuer) \| (`.*`) \|$", text, re.MULTILINE)
    told = {subject: sorted(re.findall(r"`([\w.]+)`", kinds)) for subject, kinds in rows}
    assert told == {
        "engagement": sorted(kind for kind in Kind if kind.in_engagement),
        "issuer": sorted(kind for kind in Kind if not kind.in_engagement),
    }


def test_the_words_of_the_glossary_exist() -> None:
    code = "\n".join(path.read_text() for path in source_files("protocol", "agent", "verifier"))
    rows = [
        line.split("|")
        for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
        if line.startswith("| ")
    ]
    assert len(rows) > 40
    said = Counter(word for row in rows for word in row[1].strip().split(", "))
    assert [word for word, count in said.items() if count > 1] == []
    for row in rows:
        for word in re.findall(r"`([\w.]+)`", row[3]):
            for part in word.split("."):
                assert re.search(rf"\b{part}\b", code), word


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(document: Path) -> set[str]:
    """Give the anchors of a document's headings, as the usual viewers make them."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


def test_every_specification_is_in_its_index_and_short_enough() -> None:
    folder = ROOT / "docs" / "spec"
    index = (folder / "README.md").read_text()
    for path in sorted(folder.glob("*.md")):
        if path.name != "README.md":
            assert f"({path.name})" in index, path.name
            assert len(path.read_text().split()) <= 1_500, path.name


def test_decisions_are_numbered_indexed_and_short() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "index.md").read_text()
    records = sorted(folder.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text()
        assert f"({path.name})" in index, path.name
        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert len(text.splitlines()) <= 60, path.name
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"## {part}\n" in text, (path.name, part)


def test_the_threat_model_numbers_its_sentences_once_each() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    part = text[text.index("## What they cannot do") :]
    numbers = [int(number) for number in re.findall(r"^([0-9]+)\. ", part, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_tells_what_cannot_be_proved() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.index("## What it proves") < text.index("## What it cannot prove")


def test_the_changelog_has_this_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def source_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_the_changelog_says_nothing_twice() -> None:
    text = (ROOT / "CHANGELOG.md").read_text().partition("\n## [Unreleased]")[2]
    begun = Counter(line[:60] for line in text.splitlines() if line.startswith("- "))
    assert [words for words, times in begun.items() if times > 1] == []
