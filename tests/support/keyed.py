"""A page used by key presses alone, as by somebody who has no pointer."""

import re
from pathlib import Path

from playwright.sync_api import Page

# What a screen reader says of what has the keyboard.
_NAME = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return "";
  const labels = [...(one.labels ?? [])].map((each) => each.textContent);
  const name = one.ariaLabel ?? (labels.join(" ") || one.textContent) ?? "";
  return name.trim().replace(/\\s+/g, " ");
}"""


def tab_to(page: Page, name: str, *, most: int = 150) -> None:
    """Press Tab until what is called so, from its beginning, has the keyboard."""
    came: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        came.append(page.evaluate(_NAME))
        if came[-1].startswith(name):
            return
    raise AssertionError(f"{name!r} is not among {came}")


def follow(page: Page, name: str, to: str | re.Pattern[str]) -> None:
    """Go to a link or a button by Tab, press Enter, and wait for the page it leads to."""
    tab_to(page, name)
    page.keyboard.press("Enter")
    page.wait_for_url(to)
    page.wait_for_load_state()


def send_file(page: Page, label: str, file: Path) -> None:
    """Choose a file in the field of a label, send it, and wait for the page that comes of it.

    The browser is told early to hand its choosers over (`page.on("filechooser", ...)`): a key press
    would be there first.
    """
    tab_to(page, label)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    tab_to(page, "Send it to the log")
    with page.expect_navigation():
        page.keyboard.press("Enter")
