"""`workseal case act --offline`: sign the next act into a file, where there is no network.

Rule: nothing is asked of anybody. While what was signed before is not in the case that was carried
here, nothing else is signed: two of them in one place would be a fork.
"""

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path

from workseal_protocol.casefile import Replayed
from workseal_protocol.cli.acting.court import ask_first, folder_of, said_yes
from workseal_protocol.cli.acting.datedat import dated_at
from workseal_protocol.cli.acting.destroying import DESTROY, destroy_key
from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.making import make_act
from workseal_protocol.cli.acting.means import LiveMeans
from workseal_protocol.cli.acting.preview import preview
from workseal_protocol.cli.acting.said import Said
from workseal_protocol.cli.cases import replay_files, said_in
from workseal_protocol.cli.files import require_new, write_new
from workseal_protocol.cli.nextact import place_next, placed_next
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.text import plain
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Signer
from workseal_protocol.statement import Statement

_LATER = re.compile(r"\+([0-9]{1,2})m")

Confirm = Callable[[str], bool]


def act_offline(options: argparse.Namespace, said: Said, confirm: Confirm) -> int:
    """Sign an act of the case in these files, to be sent from elsewhere."""
    require_new(options.offline)
    if options.terms is None or options.url is not None:
        raise CommandError("--offline goes with --terms and the case's files, without --from")
    signer = read_signer(options.key)
    replayed = replay_files(options.terms, [Path(one) for one in options.files])
    case = replayed.case
    if signer.public_key.thumbprint not in case.parties.roles:
        raise CommandError("the terms do not name this key", DOES_NOT_HOLD)
    folder = folder_of(options.key)
    _settle(case, folder, again=options.again)
    now = time.time_ns() // 1_000_000 + _later(options.at)
    at = dated_at(now, now, case.known_at)
    means = LiveMeans(case, said, folder)
    try:
        statement = _signed(replayed, options.act, means, signer, at, confirm)
        folder.keep_unanswered(str(case.case), statement)
        _write_out(options.offline, statement, case, folder)
    except BaseException:
        # What is kept may be sent: what belongs to it stays.
        if not folder.is_kept(str(case.case)):
            means.undo()
        raise
    print(plain(f"signed: {statement.digest}; send {options.offline} within a minute of its time"))
    return HOLDS


def _settle(case: Case, folder: CaseFolder, *, again: bool) -> None:
    before = folder.unanswered(str(case.case))
    if before is None:
        return
    if before.digest not in case.statements and not again:
        raise CommandError(
            f"what you signed before is not in the case: {before.digest}. Send it, and fetch"
            " the case; if the verifier refused it, say --again",
            DOES_NOT_HOLD,
        )
    folder.answered(str(case.case))


def _signed(
    replayed: Replayed, act: str, means: LiveMeans, signer: Signer, at: int, confirm: Confirm
) -> Statement:
    case = replayed.case
    own, said = signer.public_key.thumbprint, means.said
    record = make_act(case, act, said, means, by=case.parties.roles[own], now_ms=at)
    placed = placed_next(case, record, own)
    if act == DESTROY and destroy_key(case, said, means.folder, own, at, confirm):
        confirm = said_yes
    ask_first(preview(placed, case.terms, case, means.notes, said_in(replayed)), confirm)
    return place_next(case, record, signer)


def _write_out(out: Path, statement: Statement, case: Case, folder: CaseFolder) -> None:
    try:
        write_new(out, statement.encode())
    except CommandError:
        # Nobody has it, so nobody waits for what becomes of it.
        folder.answered(str(case.case))
        raise


def _later(text: str | None) -> int:
    found = _LATER.fullmatch(text or "+0m")
    if found is None or int(found[1]) > 60:
        raise CommandError(f"--at: expected minutes from now, as in +10m, found {str(text)[:20]}")
    return int(found[1]) * 60_000
