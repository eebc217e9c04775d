"""What lies beside a recovery key, so that it is of use on a machine that has nothing else."""

import os
from pathlib import Path
from typing import Final

from workseal_protocol.cli.files import read_text, write_new
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.policy import TlogPolicy, TrustPolicy

_MOST: Final = 64


def keep_policy(recovery: Path, log: TlogPolicy) -> Path:
    """Write by which policy a log is known, beside a recovery key; once for each log."""
    text = TrustPolicy(log).encode()
    for number in range(1, _MOST + 1):
        digits = "" if number == 1 else f".{number}"
        path = recovery.with_name(f"{recovery.name}{digits}.policy")
        if not os.path.lexists(path):
            write_new(path, text.encode())
            return path
        if read_text(path, what="policy") == text:
            return path
    raise CommandError(f"there are {_MOST} policies beside {recovery}: move some of them away")
