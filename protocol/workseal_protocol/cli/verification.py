"""`workseal verify`: a bundle against the caller's own policy, step by step."""

import argparse
import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo
from importlib.util import find_spec
from pathlib import Path

from workseal_protocol.bundle import read_archive
from workseal_protocol.cli.folding import print_lines
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy, zone_named
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, MALFORMED, CommandError
from workseal_protocol.cli.processes import checker_for
from workseal_protocol.cli.report import report_lines, report_value
from workseal_protocol.cli.text import plain
from workseal_protocol.errors import MalformedError
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.verify import Report, examine_bundle
from workseal_protocol.verify.zone import zone_in

_TOKENS = frozenset({"checkpoint.tsr", "timestamps.cbor"})


def verify(options: argparse.Namespace) -> int:
    """Print the report on one bundle."""
    policy = read_policy(options.policy)
    report, remarks = examine_for_user(read_bundle_bytes(options.bundle), policy)
    if options.json:
        print(json.dumps(report_value(report), indent=2))
        return exit_code(report)
    print_lines(plain(line) for line in (*report_lines(report), *remarks))
    return exit_code(report)


def examine_for_user(data: bytes, policy: TrustPolicy) -> tuple[Report, tuple[str, ...]]:
    """Examine a bundle in the zone of its terms; remarks say what this machine lacks for that."""
    with checker_for(data, policy) as checker, _without_collector():
        zone, remarks = prepare(data, policy)
        return examine_bundle(data, policy, zone=zone, checker=checker), remarks


@contextmanager
def _without_collector() -> Iterator[None]:
    """Leave circles alone: an examination makes none, and looking for them takes a tenth of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def report_that_holds(bundle: Path, policy: Path) -> Report:
    """Examine a bundle that others build on, or raise `CommandError` for what does not hold."""
    report, _ = examine_for_user(read_bundle_bytes(bundle), read_policy(policy))
    if report.malformed:
        raise CommandError(f"the bundle {bundle} is malformed: {report.steps[0].why}")
    problem = report.first_problem
    if problem is not None:
        message = (
            f"the bundle does not hold: step {problem.number} {problem.outcome}: {problem.why}"
        )
        raise CommandError(message, DOES_NOT_HOLD)
    return report


def exit_code(report: Report) -> int:
    """Return 0 when everything holds, 2 when there was nothing to judge, else 1."""
    if report.malformed:
        return MALFORMED
    return HOLDS if report.holds else DOES_NOT_HOLD


def prepare(data: bytes, policy: TrustPolicy) -> tuple[tzinfo, tuple[str, ...]]:
    """Find the zone of the terms, and refuse what this installation cannot check.

    A malformed bundle passes: telling what is wrong with it is the examination's first step.
    """
    try:
        entries = dict(read_archive(data))
        name = zone_in(entries.get("statements.cbor", b""))
    except MalformedError:
        return UTC, ()
    if policy.tsa and _TOKENS & entries.keys() and find_spec("rfc3161_client") is None:
        raise CommandError(
            "this bundle has time-stamps, and checking them needs the time extra:"
            " pip install 'workseal[time]'"
        )
    if name is None:
        return UTC, ()
    zone = zone_named(name)
    if zone is None:
        remark = (
            f"Note: this machine does not know the zone {name}; days and times are UTC's, and where"
            " days are rounded, more or less is billed than was agreed. The package tzdata has all"
            " zones: pip install tzdata"
        )
        return UTC, (remark,)
    return zone, ()
