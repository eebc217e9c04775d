"""Every policy that this log has published, and whether it still keeps what they promised.

Terms name a policy by its text, and receipts are checked under it for as long as an engagement
lives. So a log may publish another policy, with other witnesses, only while what it publishes can
satisfy all earlier ones too.
"""

from collections.abc import Sequence

from workseal_protocol.policy import TlogPolicy
from workseal_protocol.records import LogPolicy, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.errors import ConfigError, StoreCorruptError
from workseal_verifier.services.identity import CLOCK_WITNESS, Identity
from workseal_verifier.store.records import RecordStore


def logged_policies(records: RecordStore, size: int) -> list[LogPolicy]:
    """Read the log's policies from its first `size` statements, oldest first."""
    found = []
    for entry in records.of_kinds([Kind.LOG_POLICY.value], below=size):
        record = read_record(Statement.parse(entry.body))
        if not isinstance(record, LogPolicy):
            raise StoreCorruptError(f"statement {entry.position} is no log policy")
        found.append(record)
    return found


def require_continued(logged: Sequence[LogPolicy], identity: Identity) -> None:
    """Refuse settings under which an earlier policy of this log could not be satisfied."""
    for record in logged:
        earlier = TlogPolicy.parse(record.policy)
        same = (
            record.origin == identity.origin
            and earlier.logs == (identity.log_key,)
            and earlier.witnesses.get(CLOCK_WITNESS) == identity.policy.witnesses[CLOCK_WITNESS]
        )
        if not same:
            raise ConfigError(
                "the log was begun with another origin or other keys; new keys need a new home"
            )
        _require_satisfiable(earlier, identity)


def policies_in_force(logged: Sequence[LogPolicy], identity: Identity) -> list[TlogPolicy]:
    """List each policy that a published checkpoint must satisfy, the configured one included."""
    texts = dict.fromkeys([*(record.policy for record in logged), identity.policy.encode()])
    return [TlogPolicy.parse(text) for text in texts]


def _require_satisfiable(earlier: TlogPolicy, identity: Identity) -> None:
    keys = set(identity.policy.witnesses.values())
    kept = {name for name, key in earlier.witnesses.items() if key in keys}
    if not earlier.is_satisfied_by(kept):
        missing = ", ".join(sorted(earlier.witnesses.keys() - kept))
        raise ConfigError(
            "an earlier policy of this log needs witnesses that are not configured any more"
            f" ({missing}): engagements under it would get no more receipts"
        )
