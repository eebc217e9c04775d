"""The files for translators are what the sources give, and what is shown is what they say."""

import gettext
import io
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

import texts
from texts import TextsError, brought_up, compiled, read, refused, texts_of, unspoken, written
from workseal_agent.cli import misuse
from workseal_agent.cli.examples import EXAMPLES
from workseal_agent.language.speaking import AGENT, FOLDER, PAGES, translations
from workseal_agent.pages.words import load_words

TEMPLATES = {AGENT: texts.template_of_agent, PAGES: texts.template_of_pages}
FILES = [(tag, domain) for tag in sorted(translations()) for domain in TEMPLATES]
HOW = "type `python3 dev.py texts`"
# What was added since and has no translation yet is shown in English.
MOST_LEFT = 0.1


@pytest.mark.parametrize("domain", TEMPLATES)
def test_the_template_is_what_the_sources_give(domain: str) -> None:
    assert (FOLDER / f"{domain}.pot").read_text() == written(TEMPLATES[domain]()), HOW


@pytest.mark.parametrize(("tag", "domain"), FILES)
def test_a_translation_has_the_texts_of_the_template(tag: str, domain: str) -> None:
    text = (FOLDER / tag / f"{domain}.po").read_text()
    catalog = brought_up(text, TEMPLATES[domain](), tag)
    assert text == written(catalog, tag), HOW
    assert not list(refused(catalog))
    left = [
        one.id for one in catalog if one.id and (one.fuzzy or not all(texts._forms(one.string)))
    ]
    assert len(left) <= MOST_LEFT * len(catalog), left


@pytest.mark.parametrize(("tag", "domain"), FILES)
def test_what_is_shown_is_what_the_translation_says(tag: str, domain: str) -> None:
    text = (FOLDER / tag / f"{domain}.po").read_text()
    fresh = gettext.GNUTranslations(io.BytesIO(compiled(read(text, tag))))
    with (FOLDER / tag / f"{domain}.mo").open("rb") as file:
        kept = gettext.GNUTranslations(file)
    assert {key: told for key, told in vars(kept)["_catalog"].items() if key} == {
        key: told for key, told in vars(fresh)["_catalog"].items() if key
    }, HOW
    assert vars(kept)["plural"](1) == vars(fresh)["plural"](1)


def test_every_text_of_the_pages_is_in_the_template() -> None:
    template = texts.template_of_pages()
    told = {text for one in template if one.id for text in texts._forms(one.id)}
    assert told == set(load_words().values())


def test_marked_raised_and_printed_texts_are_found() -> None:
    source = """
say(phrase("a {b}", b=1)); phrases(n, "one", "{count} of them", x=2); say("printed")
raise AgentError("refused") from error
raise UsageProblem(f"not {this}")
raise ValueError("not ours")
raise CaptureError(kind, "no picture")
"""
    found = list(texts_of(source, "cli/some.py"))
    assert found == [
        ("a {b}",), ("one", "{count} of them"), ("printed",), ("refused",), ("no picture",),
    ]  # fmt: skip
    helped = """
app = typer.Typer(help="of all")
@app.command("name")
def one(it: Annotated[str, typer.Option("--it", help="of an option")]) -> None:
    '''Say one thing.'''
def other() -> None:
    '''Be no command.'''
"""
    assert sorted(texts_of(helped, "cli/some.py")) == [
        ("Say one thing.",), ("of all",), ("of an option",),
    ]  # fmt: skip
    # What is no command prints nothing: `say` of a page takes a name.
    assert ("printed",) not in texts_of(source, "pages/some.py")


# What stands among texts and is none: what is typed or run, and a mistake of the program's own.
NO_TEXTS = {
    "cli/app.py": {"the common options were not read"},
    "cli/casework.py": {
        "{} disclose REQUEST.cose --show x,y,w,h",
        "{} case act",
        "{} case check {} {}",
    },
    "cli/home.py": {"workseal-agent --engagement {}"},
    # What is typed; a test has the parser read it.
    "cli/examples.py": {
        typed
        for words, lines in EXAMPLES.items()
        for typed in (words, *(rest for rest, _ in lines))
        if any(unspoken(f"x = {typed!r}", "cli/some.py"))
    },
    # What the library says of the command line, to be known again.
    "cli/misuse.py": {form for form, _ in misuse._KNOWN},
    # A key of the table beside it, whose value is said.
    "cli/ownhelp.py": {"Show this message and exit."},
    "cli/tray.py": {"from workseal_agent.tray.program import main; raise SystemExit(main())"},
    "cli/recording.py": {"from workseal_agent import record; raise SystemExit(record())"},
}


@pytest.mark.parametrize(
    "path", sorted(texts.SOURCES.rglob("*.py")), ids=lambda one: str(one.relative_to(texts.SOURCES))
)
def test_no_text_of_the_agent_is_outside_the_catalogue(path: Path) -> None:
    name = path.relative_to(texts.SOURCES).as_posix()
    found = {one.split(": ", 1)[1]: one for one in unspoken(path.read_text(), name)}
    exempt = NO_TEXTS.get(name, set())
    assert [one for text, one in found.items() if text not in exempt] == []
    assert exempt <= found.keys(), "it is exempt, and is not there"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('say(f"{count} frames")', "{} frames"),
        ('say("one" if few else "many")', "one"),
        ('say("frames: " + number)', "frames: "),
        ('confirmed(f"Write {out}?")', "Write {}?"),
        ('table(("number",), [("kept", number)])', "kept"),
        ('raise AgentError(f"{path} is gone")', "{} is gone"),
        ('STATES = {1: "waits to be sent"}', "waits to be sent"),
        ('print("it is done")', "it is done"),
        ('told = f"{number} MiB"', "{} MiB"),
    ],
)
def test_a_text_that_nobody_can_translate_is_found(line: str, text: str) -> None:
    assert f"cli/some.py:1: {text}" in list(unspoken(line, "cli/some.py"))


@pytest.mark.parametrize(
    "line",
    [
        'say("it is done")',
        'say(phrase("{count} frames", count=3))',
        'say(phrases(3, "{count} frame of it", "{count} frames of it"))',
        'table(("number", "way in"), rows)',
        'raise AgentError("it is gone") from error',
        'raw(json.dumps({"a long key": f"{x} and y"}))',
        'name = f"{number}.png"',
        'option = typer.Option(help="one of several")',
        'def command():\n    """Say one thing."""',
    ],
)
def test_a_text_that_is_said_or_is_none_is_not_found(line: str) -> None:
    assert list(unspoken(line, "cli/some.py")) == []


def test_outside_the_commands_what_is_raised_is_looked_at_alone() -> None:
    source = 'LONG = "not for people"\nraise AgentError(f"{x} is gone")\nsay(f"{x} page")'
    source += '\nraise MalformedError(f"expected {x} bytes")'
    assert list(unspoken(source, "vault.py")) == ["vault.py:2: {} is gone"]


def test_what_status_tells_of_the_recording_process_is_said_by_a_phrase() -> None:
    source = 'self.trouble = f"{x} waits"\nself._problem = "it is gone"\nself.trouble = None'
    source += '\nself._failing = phrase("it is gone")\nself.name = f"{x} waits"'
    assert list(unspoken(source, "daemon/some.py")) == [
        "daemon/some.py:1: {} waits",
        "daemon/some.py:2: it is gone",
    ]


@pytest.mark.parametrize(
    "call", ['phrase(f"{x}")', "phrase(text)", "phrase()", 'phrases(1, "a", b)']
)
def test_a_phrase_whose_text_is_made_elsewhere_is_refused(call: str) -> None:
    with pytest.raises(TextsError, match=r"some\.py:1"):
        list(texts_of(call, "some.py"))


def test_a_translation_follows_its_template() -> None:
    old, new = Catalog(), Catalog()
    for catalog, added in ((old, "gone"), (new, "A text that was changed since")):
        catalog.add("kept")
        catalog.add(added)
    old.add("A text that was changed later")
    text = written(brought_up("", old, "de"), "de")
    text = text.replace('msgid "kept"\nmsgstr ""', 'msgid "kept"\nmsgstr "behalten"')
    text = text.replace('changed later"\nmsgstr ""', 'changed later"\nmsgstr "Ein Text"')
    catalog = brought_up(text, new, "de")
    assert [one.id for one in catalog if one.id] == ["kept", "A text that was changed since"]
    shown = gettext.GNUTranslations(io.BytesIO(compiled(catalog)))
    assert shown.gettext("kept") == "behalten"
    # A text that was changed is English until somebody has looked at it.
    assert shown.gettext("A text that was changed since") == "A text that was changed since"
    assert "#, fuzzy" in written(catalog, "de")
    assert "nplurals=2" in written(catalog, "de")
    assert shown.info()["pot-creation-date"].startswith("2026-01-01")


def test_a_translation_that_cannot_be_shown_is_named() -> None:
    catalog = Catalog(locale="de")
    catalog.add("{a} left", "{b} übrig")
    catalog.add("{a} right", "{a} rechts")
    catalog.add(("one of {all}", "{count} of {all}"), ("eines", "{count} von {all}"))
    assert list(refused(catalog)) == ["'{a} left': '{b} übrig'", "'one of {all}': 'eines'"]


def test_the_program_for_translators_says_nothing_of_the_day_or_the_machine() -> None:
    for path in [*FOLDER.glob("*.pot"), *FOLDER.glob("*/*.po")]:
        head = path.read_text().partition("\n\n")[0]
        assert "Date" not in head, path
        assert "Generated-By" not in head, path
        assert str(Path.home()) not in path.read_text()


def test_showing_a_translation_needs_no_program_for_translators() -> None:
    load = "from workseal_agent.cli.commands import load_all; load_all()"
    program = f"import sys; {load}; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
