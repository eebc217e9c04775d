from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path

import pytest
from dbus_fast import Message

from support.buses import Answer, FakeService, private_bus
from support.pseudo import speaking
from support.wayland import WAYLAND_MARKS
from workseal_agent.bus import BusError
from workseal_agent.language import Language, phrase
from workseal_agent.notices import Notice, show

pytestmark = WAYLAND_MARKS[1]
NAME = "org.freedesktop.Notifications"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        yield address


def desktop(bus: str, *able: str) -> FakeService:
    """Be a desktop that shows notices, and can do these things with them."""

    def answer(message: Message) -> Answer:
        match message.member, message.signature:
            case "GetCapabilities", "":
                return "as", [list(able)]
            case "Notify", "susssasa{sv}i":
                return "u", [7]
        return "org.freedesktop.DBus.Error.UnknownMethod"

    return FakeService(bus, NAME, answer)


def test_the_desktop_gets_a_line_and_a_sentence_and_no_button(bus: str) -> None:
    with desktop(bus, "body", "actions") as shown:
        show(bus, Notice("Workseal: a line", "A sentence, with 1 < 2 & 3."))
    (message,) = [one for one in shown.calls if one.member == "Notify"]
    assert message.body == [
        "Workseal", 0, "", "Workseal: a line", "A sentence, with 1 < 2 & 3.", [], {}, -1,
    ]  # fmt: skip


def test_where_markup_is_read_every_sign_means_itself(bus: str) -> None:
    with desktop(bus, "body-markup") as shown:
        show(bus, Notice("Workseal: <b>", "1 < 2 & 3 <img src='http://example.test/'>"))
    body = shown.calls[-1].body
    assert body[3] == "Workseal: <b>"
    assert body[4] == "1 &lt; 2 &amp; 3 &lt;img src='http://example.test/'&gt;"


def test_a_notice_is_in_the_owners_language_and_never_markup(bus: str) -> None:
    translated = NullTranslations()
    translated.gettext = {"a {what}": "ein <b>{what}</b>"}.get  # type: ignore[assignment]
    notice = Notice("Workseal: none of it", phrase("a {what}", what="<i>"))
    with speaking(Language("de", lambda _domain: translated)), desktop(bus, "body-markup") as shown:
        show(bus, notice)
    assert shown.calls[-1].body[3:5] == ["Workseal: none of it", "ein &lt;b&gt;&lt;i&gt;&lt;/b&gt;"]


def test_who_shows_no_notices_is_told(bus: str, tmp_path: Path) -> None:
    for address in (bus, None, f"unix:path={tmp_path}/none"):
        with pytest.raises(BusError):
            show(address, Notice("Workseal: a line", "A sentence."))
