"""The begin with the log-in on the page of settings: shown to the byte, then exactly that."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.paged import PagedHome, Visitor
from workseal_agent.autostart import own as own_module

PLACE = "/machine/settings"
AGENT, ICON = "workseal-agent.desktop", "workseal-tray.desktop"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    home = PagedHome(tmp_path_factory.mktemp("login"))
    yield home
    home.rig.ledger.close()
    home.rig.client.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the entries of a person lie, on a desktop that systemd did not begin."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(own_module, "session_is_of_systemd", lambda: False)
    return tmp_path / "config" / "autostart"


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} if folder.exists() else set()


def offered(visitor: Visitor, act: str) -> tuple[str, list[str]]:
    """Look at what an offer would write: what its button sends, and the files' texts."""
    offers = visitor.get(PLACE).text.split("<details>")
    offer = next(one for one in offers if f'name="act" value="{act}"' in one)
    seen = offer.partition('name="seen" value="')[2].partition('"')[0]
    return seen, [
        html.unescape(one) for one in re.findall(r"<pre[^>]*>(.*?)</pre>", offer, re.DOTALL)
    ]


@pytest.mark.parametrize(("act", "names"), [("on", {AGENT}), ("on-tray", {AGENT, ICON})])
def test_exactly_what_was_shown_is_written_and_removed(
    visitor: Visitor, folder: Path, act: str, names: set[str]
) -> None:
    assert "Nothing begins with your log-in." in visitor.get(PLACE).text
    seen, texts = offered(visitor, act)
    assert names_in(folder) == set()
    assert visitor.post("/machine/login", act=act, seen=seen).status_code == 303
    assert names_in(folder) == names
    assert {(folder / name).read_text().strip() for name in names} == {
        text.strip() for text in texts
    }
    assert "nothing is recorded before you go on" in visitor.get(PLACE).text
    text = visitor.get(PLACE).text
    assert "When you log in, your agent begins, paused." in text
    assert all(f"{folder / name}" in text for name in names)
    visitor.post("/machine/login", act="off")
    assert names_in(folder) == set()


def test_what_was_not_shown_is_not_written(visitor: Visitor, folder: Path) -> None:
    seen, _ = offered(visitor, "on")
    for fields in ({"act": "on"}, {"act": "on-tray", "seen": seen}):
        answer = visitor.post("/machine/login", **fields)
        assert answer.status_code == 409
        assert "is not what was shown to you" in answer.text
    assert visitor.post("/machine/login", act="maybe").status_code == 422
    assert names_in(folder) == set()


def test_what_somebody_changed_is_told_and_stays(visitor: Visitor, folder: Path) -> None:
    seen, _ = offered(visitor, "on")
    visitor.post("/machine/login", act="on", seen=seen)
    (folder / AGENT).write_text("[Desktop Entry]\n")
    assert "What somebody changed stays" in visitor.get(PLACE).text
    answer = visitor.post("/machine/login", act="off")
    assert (answer.status_code, "so it stays" in answer.text) == (409, True)
    assert names_in(folder) == {AGENT}
    (folder / AGENT).unlink()
    visitor.post("/machine/login", act="off")


@pytest.mark.usefixtures("folder")
def test_a_damaged_list_is_told_beside_all_other_settings(
    visitor: Visitor, home: PagedHome
) -> None:
    home.settings.autostart_file.write_text("{")
    text = visitor.get(PLACE).text
    home.settings.autostart_file.unlink()
    assert "the list of what was written for the log-in is damaged" in text
    assert 'name="display.hours"' in text
    assert 'action="/machine/login"' not in text
