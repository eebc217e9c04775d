"""The end of a case's key, before the statement that says so.

Rules: what will be gone is named and confirmed first; nothing but the key that was declared in this
case is destroyed, and only where the case takes the statement. The file is destroyed before the
statement is signed, so that the statement is never untrue. Who lost the seat has a key of their
own, which opens what was sealed to them: the case takes no word about it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.said import Said, require_fits
from workseal_protocol.cli.casekeys import require_key_of, wipe
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.seeds import is_wiped_case_key
from workseal_protocol.cli.text import plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case

DESTROY = "destroy"
_COPIES: Final = "copies are not: remove backups of the key, and every picture that was drawn"


def destroy_key(
    case: Case, said: Said, folder: CaseFolder, own: Digest, at: int, confirm: Callable[[str], bool]
) -> bool:
    """Destroy the key of a case that may be destroyed now, or raise `CommandError`.

    Returns whether it was there and its owner said yes; that is a yes to the statement, too.
    """
    require_fits(DESTROY, said)
    if DESTROY not in case.allowed(own, at):
        raise CommandError("the case does not take it now: nothing was destroyed", DOES_NOT_HOLD)
    path = Path(said.case_key) if said.case_key else folder.case_key_file(case.case)
    if os.path.lexists(path):
        require_key_of(case, path)
        _wiped(path, confirm, "Destroy it, and sign that it is destroyed?")
        return True
    if not said.gone:
        raise CommandError(
            f"there is no {path}: say --gone if it is destroyed already", DOES_NOT_HOLD
        )
    return False


def destroy_left(
    case: Digest, said: Said, folder: CaseFolder, confirm: Callable[[str], bool]
) -> None:
    """Destroy the key of a case that its verifier shows no more, or raise `CommandError`.

    Only one that was made here for this case; nothing is signed.
    """
    path = Path(said.case_key) if said.case_key else folder.case_key_file(case)
    if not is_wiped_case_key(path) and folder.made_case_key(case, path) is None:
        raise CommandError(f"there is no {path}", DOES_NOT_HOLD)
    print("the verifier shows you this case no more: whoever sits in it still is shown it")
    _wiped(path, confirm, "Do you sit in it no more, and destroy the key?")
    print("the case takes no statement of yours about it, and none is written")


def _wiped(path: Path, confirm: Callable[[str], bool], question: str) -> None:
    print(plain(f"{path} will be destroyed: it alone opens what was sealed to it"))
    if not confirm(question):
        raise CommandError("nothing was destroyed or signed", DOES_NOT_HOLD)
    wipe(path)
    print(plain(f"{path} is destroyed"))
    print(_COPIES)
