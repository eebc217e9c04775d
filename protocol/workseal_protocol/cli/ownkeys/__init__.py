"""The life of a key, told by its person: its recovery key named, replaced, revoked.

`making` signs, `words` say what it does, `keeping` holds what was signed until the log has it, and
`sending` takes it there. The agent uses all of it; `command` is for a key that lies in a file.
"""

from workseal_protocol.cli.ownkeys.drawer import keep_policy
from workseal_protocol.cli.ownkeys.keeping import Unanswered
from workseal_protocol.cli.ownkeys.making import REASONS, announcements, revocation
from workseal_protocol.cli.ownkeys.otherkey import OtherKey
from workseal_protocol.cli.ownkeys.sending import ENDED, Logged, Outgoing, says_the_same
from workseal_protocol.cli.ownkeys.words import (
    after_logging,
    after_naming,
    before_naming,
    before_revoking,
    has_ended,
    named_before,
)

__all__ = [
    "ENDED",
    "REASONS",
    "Logged",
    "OtherKey",
    "Outgoing",
    "Unanswered",
    "after_logging",
    "after_naming",
    "announcements",
    "before_naming",
    "before_revoking",
    "has_ended",
    "keep_policy",
    "named_before",
    "revocation",
    "says_the_same",
]
