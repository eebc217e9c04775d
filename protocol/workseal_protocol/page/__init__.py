"""The offline page `verify.html`: the thirteen steps in one file, for whoever has a browser.

Rules: its sources are JavaScript modules without dependency and without build step; `assembled`
puts them into one file, the same bytes on every machine. The file's own policy refuses everything
but that one script and that one style, by their hashes: it can load and send nothing.
docs/spec/page.md
"""

from workseal_protocol.page.assembly import assembled, script_of

__all__ = ["assembled", "script_of"]
