"""What was given where a bundle, or a policy, is wanted: another file is named, with its command.

Rule: a hint and no judgement. What it does not know passes, and the examination says what is wrong.
"""

from pathlib import Path
from typing import Final

from workseal_protocol.attestation import MAX_ATTESTATION_BYTES
from workseal_protocol.bundle import read_archive
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.errors import MalformedError

_ARCHIVE: Final = b"PK"
_POLICY: Final = (b"workseal-policy", b"\xef\xbb\xbfworkseal-policy")
_BACKUP: Final = b"WSBACKUP"  # docs/spec/backup.md
_PDF: Final = b"%PDF-"
# Of the root element of the invoices of EN 16931 in the syntax of UN/CEFACT; near the beginning.
_INVOICE: Final = b"CrossIndustryInvoice"
_HEAD: Final = 1_024


def require_no_folder(path: Path) -> None:
    """Refuse a folder, as a case file is one, and say which command reads it."""
    if path.is_dir():
        raise CommandError(
            f"{path} is a folder, as a case file is: workseal case verify {path} --policy POLICY"
        )


def require_no_archive(path: Path) -> None:
    """Refuse what begins as a bundle does where a policy was to be read, and say where each goes.

    Only a file that can be read again is looked at: a pipe would wait for ever.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        if file.read(len(_ARCHIVE)) == _ARCHIVE:
            raise CommandError(
                f"{path} is no policy: it begins as a bundle does. The bundle comes first, and the"
                " policy, a text of your own, after --policy"
            )


def require_no_other(path: Path, data: bytes) -> None:
    """Refuse what is known to be no bundle, and say what it is and which command reads it."""
    told = _told(path, data)
    if told is not None:
        raise CommandError(f"{path} is {told}")


def _told(path: Path, data: bytes) -> str | None:
    if data.startswith(_POLICY):
        return f"a policy, and no bundle: workseal verify BUNDLE --policy {path}"
    if data.startswith(_BACKUP):
        return f"a backup of an agent's home, and no bundle: workseal-agent restore {path}"
    if data.startswith(_PDF) or (data[:1] == b"<" and _INVOICE in data[:_HEAD]):
        return (
            "no bundle: invoices and other papers name the bundle that proves their hours by its"
            " SHA-256; verify that one"
        )
    if _is_attestation(data):
        return f"an attestation, and no bundle: workseal attestation {path} --policy POLICY"
    return None


def _is_attestation(data: bytes) -> bool:
    if not data.startswith(_ARCHIVE) or len(data) > MAX_ATTESTATION_BYTES:
        return False
    try:
        return any(name == "claim.cose" for name, _ in read_archive(data))
    except MalformedError:
        return False
