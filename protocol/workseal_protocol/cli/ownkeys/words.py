"""What a statement about a key does, in plain words: before it is signed, and after it is logged.

Rule: worded, for the agent says the same in its owner's language.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote

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
        "- what is not in the log by then is never taken: no work, no answer, no acceptance"
    )
    yield worded(
        "- whoever has the key, its owner too, reads nothing there; browsers that it signed in are"
        " out, and nobody is told of anything by mail"
    )
    yield worded(
        "- nothing is exported or fetched with it any more: do that first; the others still can"
    )
    yield worded(
        "- open cases go on without it: nothing is answered, accepted or appealed by this key"
    )
    yield worded(
        "- no other key takes its place: new agreements name another one, and these end with it"
    )
    yield worded("- nobody can undo it")


def after_logging(logged: Logged) -> Worded:
    """Say where the log has it: from there on it counts."""
    if logged.by_ms is None:
        return worded("logged, and proved by the log: index {index}", index=logged.index)
    return worded(
        "logged, and proved by the log: index {index}, by {at}",
        index=logged.index,
        at=instant(logged.by_ms),
    )


def after_naming(key: Digest, file: Path, policies: Mapping[str, Path]) -> Iterator[Worded]:
    """Say what to do with a recovery key; `policies` are the files of the logs, by address."""
    files = ", ".join(map(str, [file, *policies.values()]))
    yield worded(
        "Take these files off this machine now, to a medium that lies in a drawer: {files}",
        files=files,
    )
    yield worded(
        "With them this ends your key on any machine that has Workseal. Write it down; nothing of"
        " it is secret:"
    )
    for url, policy in policies.items():
        yield worded(
            "  workseal revoke-key {url} --key {file} --of {key} --reason lost --policy {policy}",
            url=quote(url),
            file=quote(str(file)),
            key=str(key),
            policy=quote(str(policy)),
        )


def has_ended(key: Digest) -> Worded:
    """Say that nothing more can be done to a key."""
    return worded(
        "key {key} has ended already: it was rotated or revoked before. If it was rotated, and not"
        " by you, revoke the key that took its place: `workseal keys` shows it to the others",
        key=str(key),
    )


def named_before(key: Digest) -> Worded:
    """Say that the recovery key of a key is settled."""
    return worded(
        "key {key} was announced here before, or the recovery key was, for another key: a recovery"
        " key that was named stays, and where none was named, none is named any more;"
        " `workseal keys` shows it",
        key=str(key),
    )
