"""`workseal page`: write the offline page, or say whether a file is one.

Rule: a page cannot vouch for itself. Its SHA-256 is compared with this installation's, or with what
the operator of a log published in it, under the caller's policy. docs/spec/page.md
"""

import argparse
from importlib.resources import files

from workseal_protocol.cli.files import read_bytes, write_new
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.text import plain
from workseal_protocol.cli.verification import report_that_holds
from workseal_protocol.digest import Digest
from workseal_protocol.page import assembled
from workseal_protocol.records import LogPolicy
from workseal_protocol.verify import Report

# Ours has some 200 KB.
MAX_PAGE_BYTES = 16_777_216
# Hosts of two releases name two; more would be no help.
_MOST_NAMED = 3


def page(options: argparse.Namespace) -> int:
    """Write the page to a new file, or check one."""
    alone = (options.bundle is None) != (options.policy is None)
    if alone or (options.bundle and not options.check):
        raise CommandError("--bundle and --policy stand together, and with --check")
    if options.check:
        return _check(options)
    data = offline_page()
    write_new(options.out, data)
    print(plain(f"{Digest.of(data)}  {options.out}"))
    return HOLDS


def offline_page() -> bytes:
    """Return the page that this installation holds."""
    folder = files("workseal_protocol.page") / "source"
    # As bytes: no machine's line ends come into the file.
    return assembled(lambda name: (folder / name).read_bytes().decode())


def published_pages(report: Report) -> dict[Digest, int]:
    """Return each page that the operator published in the log, with the newest entry that says so.

    The report holds, so each of these statements is in the log and signed by its operator.
    """
    return {
        entry.record.page: entry.index
        for entry in report.entries
        if isinstance(entry.record, LogPolicy) and entry.record.page is not None
    }


def _check(options: argparse.Namespace) -> int:
    found = Digest.of(read_bytes(options.check, limit=MAX_PAGE_BYTES, what="page"))
    if options.bundle is None:
        expected = Digest.of(offline_page())
        if found != expected:
            raise CommandError(
                f"the page is not the one of this installation: expected {expected}, found {found}",
                DOES_NOT_HOLD,
            )
        print(f"{found}  the page of this installation")
        return HOLDS
    report = report_that_holds(options.bundle, options.policy)
    pages = published_pages(report)
    if found not in pages:
        newest = sorted(pages, key=lambda digest: pages[digest], reverse=True)[:_MOST_NAMED]
        named = " or ".join(map(str, newest))
        known = f"expected {named}" if named else "it published none"
        raise CommandError(
            f"the page is not one that the operator of this log published: {known}, found {found}",
            DOES_NOT_HOLD,
        )
    newer = "" if pages[found] == max(pages.values()) else "; a later one names another page"
    print(plain(f"{found}  entry {pages[found]} of {report.origin} names it{newer}"))
    return HOLDS
