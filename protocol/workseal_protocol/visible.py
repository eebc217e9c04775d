"""Texts of others in a form that hides nothing: nothing invisible, and nothing turned round."""


def plain(text: str) -> str:
    """Return the whole text on one line, with everything that is not visible spelled out."""
    return "".join(
        char if char == " " or char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )
