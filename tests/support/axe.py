"""What axe-core finds on a page that keeps people out."""

from typing import Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_RUN: Final = """async (contrast) => {
  const rules = {"color-contrast": {enabled: contrast}};
  return (await axe.run({resultTypes: ["violations"], rules})).violations;
}"""


def serious(page: Page, *, contrast: bool = True) -> list[str]:
    """Give what is serious or critical, each with the elements that it was found at.

    Contrast takes four fifths of the time: whoever looks at a page again, where its colours are the
    same, leaves it out.
    """
    # The script stays in a page until another is opened.
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    return [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}"
        for one in page.evaluate(_RUN, contrast)
        if one["impact"] in {"serious", "critical"}
    ]
