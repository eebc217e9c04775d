"""Files turned into values: policies, bundles, statements; each failure says which file and why."""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workseal_protocol.bundle import Bundle
from workseal_protocol.cli.files import MAX_BUNDLE_BYTES, read_bytes, read_typed
from workseal_protocol.cli.kinds import require_no_archive, require_no_folder, require_no_other
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.encoding import MAX_BYTES
from workseal_protocol.errors import MalformedError
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.statement import Statement


def read_policy(path: Path) -> TrustPolicy:
    """Read the caller's policy file."""
    try:
        text = read_typed(path, what="policy")
    except CommandError:
        require_no_archive(path)
        raise
    try:
        return TrustPolicy.parse(text)
    except MalformedError as error:
        raise CommandError(f"the policy {path} is malformed: {error}") from error


def read_bundle_bytes(path: Path) -> bytes:
    """Read the bytes of a bundle; another file of ours is refused by its name."""
    require_no_folder(path)
    data = read_bytes(path, limit=MAX_BUNDLE_BYTES, what="bundle")
    require_no_other(path, data)
    return data


def read_bundle(path: Path) -> Bundle:
    """Read a bundle; nothing in it is verified."""
    try:
        return Bundle.parse(read_bundle_bytes(path))
    except MalformedError as error:
        raise CommandError(f"the bundle {path} is malformed: {error}") from error


def read_statement(path: Path, what: str) -> Statement:
    """Read one statement; its signature is not verified."""
    try:
        return Statement.parse(read_bytes(path, limit=MAX_BYTES, what=what))
    except MalformedError as error:
        raise CommandError(f"the {what} {path} is malformed: {error}") from error


def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone of terms, or None where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: a name that is a folder of the zone database.
        return None
