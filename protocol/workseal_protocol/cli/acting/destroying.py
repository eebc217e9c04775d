"""The end of a case's key, before the statement that says so.

Rules: what will be gone is named and confirmed first; nothing but the key that was declared in this
case is destroyed, and only where the case takes the statement. The file is destroyed before the
statement is signed, so that the statement is never untrue.
"""

import os
from collections.abc import Callable
from pathlib import Path

from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.said import Said, require_fits
from workseal_protocol.cli.casekeys import require_key_of, wipe
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.text import plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case

DESTROY = "destroy"


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
        print(plain(f"{path} will be destroyed: what is sealed to it can never be opened again"))
        if not confirm("Destroy it, and sign that it is destroyed?"):
            raise CommandError("nothing was destroyed or signed", DOES_NOT_HOLD)
        wipe(path)
        print(plain(f"{path} is destroyed"))
        return True
    if not said.gone:
        raise CommandError(
            f"there is no {path}: say --gone if it is destroyed already", DOES_NOT_HOLD
        )
    return False
