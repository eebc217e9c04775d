import pytest

from workseal_agent.pages.render import typed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing is typed", "nothing is typed"),
        ("see `run --all` or `run`", "see <code>run --all</code> or <code>run</code>"),
        ("`run`", "<code>run</code>"),
        ("one ` alone", "one ` alone"),
        ("<b> & `<i>`", "&lt;b&gt; &amp; <code>&lt;i&gt;</code>"),
        ("", ""),
    ],
)
def test_what_is_typed_is_set_off_and_nothing_is_markup(text: str, shown: str) -> None:
    assert typed(text) == shown
