"""`workseal page`: write the offline page, and print its SHA-256 for others to compare."""

import argparse
import hashlib
from importlib.resources import files

from workseal_protocol.cli.files import write_new
from workseal_protocol.cli.problem import HOLDS
from workseal_protocol.cli.text import plain
from workseal_protocol.page import assembled


def page(options: argparse.Namespace) -> int:
    """Write the page to a new file."""
    data = offline_page()
    write_new(options.out, data)
    print(plain(f"{hashlib.sha256(data).hexdigest()}  {options.out}"))
    return HOLDS


def offline_page() -> bytes:
    """Return the page that this installation holds."""
    folder = files("workseal_protocol.page") / "source"
    # As bytes: no machine's line ends come into the file.
    return assembled(lambda name: (folder / name).read_bytes().decode())
