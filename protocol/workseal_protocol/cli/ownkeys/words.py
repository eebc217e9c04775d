"""What a statement about a key does, in plain words: before it is signed, and after it is logged.

Rule: worded, for the agent says the same in its owner's language.
"""

from collections.abc import Iterator

from workseal_protocol.cli.ownkeys.sending import Logged
from workseal_protocol.cli.text import instant
from workseal_protocol.digest import Digest
from workseal_protocol.worded import Worded, worded


def before_naming(key: Digest, recovery: Digest, url: str) -> Iterator[Worded]:
    """Say what it means to name a recovery key."""
    yield worded("your key {key} names its recovery key at {url}", key=str(key), url=url)
    yield worded("recovery key {recovery}", recovery=str(recovery))
    yield worded("- the recovery key can end your key, and do nothing else: it reads nothing")
    yield worded("- it ends every key, too, that takes the place of this one by rotation")
    yield worded("- whoever has it can do so: keep it where your key is not, and offline")
    yield worded("- a key names one recovery key, once: this cannot be changed or taken back")


def before_revoking(key: Digest, url: str) -> Iterator[Worded]:
    """Say what ends with a key."""
    yield worded("key {key} ends at {url}", key=str(key), url=url)
    yield worded(
        "- from its place in the log on, nothing that this key signs counts; what it signed before"
        " stays"
    )
    yield worded(
        "- work, answers and sums that are not in the log by then are taken from nobody any more"
    )
    yield worded(
        "- whoever has the key, its owner too, reads nothing there; browsers that it signed in are"
        " out, and nobody is told of anything by mail"
    )
    yield worded(
        "- open cases go on without it: nothing is answered, accepted or appealed by this key"
    )
    yield worded(
        "- no other key takes its place: new agreements name another one, and these end with it"
    )
    yield worded("- it cannot be undone, by nobody")


def before_rotating(old: Digest, new: Digest, url: str) -> Iterator[Worded]:
    """Say what it means that a key takes the place of another."""
    yield worded("key {key} ends at {url}", key=str(old), url=url)
    yield worded("key {key} takes its place", key=str(new))
    yield worded("- from its place in the log on, only the new key speaks for you")
    yield worded(
        "- the new key reads 24 hours later, so that the others see it come; the old one reads"
        " nothing from now on: fetch first what you need meanwhile"
    )
    yield worded("- deadlines run on in these 24 hours")
    yield worded("- the recovery key that the old key named ends the new one, too")
    yield worded("- it cannot be undone: the old key never speaks again")


def after_logging(logged: Logged) -> Worded:
    """Say where the log has it: from there on it counts."""
    if logged.by_ms is None:
        return worded("logged, and proved by the log: index {index}", index=logged.index)
    return worded(
        "logged, and proved by the log: index {index}, by {at}",
        index=logged.index,
        at=instant(logged.by_ms),
    )


def after_naming(key: Digest, file: str, url: str) -> Iterator[Worded]:
    """Say what to do with a recovery key."""
    yield worded("Take {file} off this machine now: onto a medium in a drawer, say.", file=file)
    yield worded("Write these two down and keep them with it; they are no secrets:")
    yield worded("  key {key}", key=str(key))
    yield worded("  verifier {url}", url=url)
    yield worded(
        "With it, and the log's policy file, this ends your key on any machine that has Workseal:"
    )
    yield worded(
        "  workseal revoke-key {url} --key {file} --of {key} --reason lost --policy POLICY",
        url=url,
        file=file,
        key=str(key),
    )


def has_ended(key: Digest) -> Worded:
    """Say that nothing more can be done to a key."""
    return worded(
        "key {key} has ended already: it was rotated or revoked before. If it was rotated, and not"
        " by you, revoke the key that took its place: `workseal keys` shows it to the others",
        key=str(key),
    )


def not_its_recovery_key(signer: Digest, key: Digest) -> Worded:
    """Say whose signature would end a key."""
    return worded(
        "expected the key itself, or the recovery key that it named at this verifier; found"
        " {signer}, which may not end {key}",
        signer=str(signer),
        key=str(key),
    )


def named_before(key: Digest) -> Worded:
    """Say that the recovery key of a key is settled."""
    return worded(
        "key {key} was announced here before: the recovery key that it named then stays, and if it"
        " named none, none is named any more; `workseal keys` shows it",
        key=str(key),
    )
