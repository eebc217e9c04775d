"""An act on the chain, done by the process that records or, when none runs, here.

Rule: there is one writer. Without a recording process the home's lock is held, so that none begins
in the middle.
"""

from collections.abc import Callable

from workseal_agent.chain import OwnChain
from workseal_agent.config import Settings
from workseal_agent.daemon.control import NotRunningError, ask
from workseal_agent.daemon.homelock import HomeLock
from workseal_agent.evidence import Destroyer, withdraw
from workseal_agent.ledger import CaptureRow, Engagement, Ledger
from workseal_protocol.keys import Signer
from workseal_protocol.records import WithdrawalReason


def withdraw_either_way(  # noqa: PLR0913 - what the two ways need
    settings: Settings,
    engagement: Engagement,
    frame: CaptureRow,
    reason: WithdrawalReason,
    *,
    ledger: Ledger,
    vault: Callable[[], Destroyer],
    signer: Callable[[], Signer],
    now_ms: int,
) -> bool:
    """Withdraw a frame; True when the recording process did it, which sends it by itself.

    The signing key is asked for only when it is needed here.
    """
    request = {
        "command": "withdraw",
        "engagement": engagement.id.hex(),
        "frame": str(frame.commitment),
        "reason": int(reason),
    }
    try:
        ask(settings.socket_file, request)
    except NotRunningError:
        with HomeLock(settings.home):
            chain = OwnChain(ledger, engagement, signer())
            withdraw(chain, ledger, vault(), frame, reason, now_ms=now_ms)
        return False
    return True
