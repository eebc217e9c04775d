"""`workseal recovery-key`, `revoke-key`, `rotate-key`: the life of a key that lies in a file."""

import argparse
import os
import time
from collections.abc import Callable, Iterable
from typing import Final

from workseal_protocol.cli.acting.command import confirmation
from workseal_protocol.cli.inputs import read_policy
from workseal_protocol.cli.ownkeys.drawer import keep_policy
from workseal_protocol.cli.ownkeys.keeping import Unanswered
from workseal_protocol.cli.ownkeys.making import (
    REASONS,
    announcements,
    named_key,
    revocation,
    rotation,
)
from workseal_protocol.cli.ownkeys.otherkey import OtherKey
from workseal_protocol.cli.ownkeys.rotationwords import before_rotating
from workseal_protocol.cli.ownkeys.sending import ENDED, Logged, Outgoing, says_the_same
from workseal_protocol.cli.ownkeys.words import (
    after_logging,
    after_naming,
    before_naming,
    before_revoking,
    has_ended,
    named_before,
)
from workseal_protocol.cli.parties import read_agreed
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.server import RefusalError, address_of, clock_of, submit_all
from workseal_protocol.cli.text import plain
from workseal_protocol.keys import Role
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.statement import Statement
from workseal_protocol.worded import Worded

_CONFLICT: Final = "(conflict)"


def recovery_key(options: argparse.Namespace) -> int:
    """Name the recovery key of a key, and announce both."""
    place = _Place(options)
    signer = read_signer(options.key)
    recovery = OtherKey(options.recovery)
    own, url = signer.public_key.thumbprint, place.url

    def make() -> tuple[Statement, ...]:
        role = Role[options.role.upper()]
        return announcements(signer, recovery.signer, role, now_ms=place.now_ms())

    words = before_naming(own, recovery.signer.public_key.thumbprint, url)
    try:
        logged = place.say(make, words, recovery, yes=options.yes)
    except RefusalError as refusal:
        if _CONFLICT in str(refusal):
            raise CommandError(str(named_before(own)), DOES_NOT_HOLD) from refusal
        raise
    policy = keep_policy(options.recovery, place.policy)
    place.tell(logged, after_naming(own, options.recovery, {url: policy}))
    return HOLDS


def revoke_key(options: argparse.Namespace) -> int:
    """End a key, by itself or by its recovery key."""
    place = _Place(options)
    signer = read_signer(options.key)
    own = signer.public_key.thumbprint
    key = own if options.of is None else named_key(options.of)

    def make() -> tuple[Statement, ...]:
        return (revocation(signer, key, REASONS[options.reason], now_ms=place.now_ms()),)

    try:
        logged = place.say(make, before_revoking(key, place.url), None, yes=options.yes)
    except RefusalError as refusal:
        if ENDED in str(refusal):
            raise CommandError(str(has_ended(key)), DOES_NOT_HOLD) from refusal
        if key != own:
            text = (
                "expected the key itself, or the recovery key that it named at this verifier;"
                f" found {own}, which may not end {key}; {refusal}"
            )
            raise CommandError(text, DOES_NOT_HOLD) from refusal
        raise
    place.tell(logged, ())
    return HOLDS


def rotate_key(options: argparse.Namespace) -> int:
    """Let a new key take the place of an old one."""
    place = _Place(options)
    old, new = read_signer(options.key), OtherKey(options.new)
    ends, comes = old.public_key.thumbprint, new.signer.public_key.thumbprint

    def make() -> tuple[Statement, ...]:
        return (rotation(old, new.signer, now_ms=place.now_ms()),)

    try:
        logged = place.say(make, before_rotating(ends, comes, place.url), new, yes=options.yes)
    except RefusalError as refusal:
        if f"its key {ENDED}" in str(refusal):
            raise CommandError(str(has_ended(ends)), DOES_NOT_HOLD) from refusal
        raise
    place.tell(logged, ())
    print(new.signer.public_key.text())
    folder = options.key.with_name(f"{options.key.name}.cases")
    if os.path.lexists(folder):
        print(plain(f"your cases' files are in {folder}: name the folder {options.new}.cases now"))
    return HOLDS


class _Place:
    """Hold the verifier that a command names, whose log is known, and what goes there."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._address = address_of(options.url)._replace(path="", query="", fragment="")
        self.policy = _log_of(options)
        self._out = Outgoing(Unanswered(options.key, self.url), self._submit, RefusalError)

    @property
    def url(self) -> str:
        """Return the address."""
        return self._address.geturl()

    def now_ms(self) -> int:
        """Return the time, and no later one than the verifier's: that it would refuse."""
        return min(time.time_ns() // 1_000_000, clock_of(self._address))

    def say(
        self,
        make: Callable[[], tuple[Statement, ...]],
        words: Iterable[Worded | str],
        other: OtherKey | None,
        *,
        yes: bool,
    ) -> Logged:
        """Have statements logged that a person was shown and confirmed."""
        wanted = make()
        before = self._out.settled()
        if before is not None:
            print(f"sent what you signed before: {before.statements[0].digest}")
            if says_the_same(before.statements[0], wanted[0]):
                return before
            self.tell(before, ())
        for line in words:
            print(plain(str(line)))
        if not confirmation(yes=yes)("Sign it, and have it logged?"):
            raise CommandError("nothing was signed", DOES_NOT_HOLD)
        if other is None:
            return self._out.send(make())
        other.write()
        try:
            return self._out.send(make())
        except RefusalError:
            other.take_back()
            raise

    def tell(self, logged: Logged, then: Iterable[Worded]) -> None:
        """Say that it is logged, and only then let go of it."""
        for line in (after_logging(logged), *then):
            print(plain(str(line)), flush=True)
        self._out.told()

    def _submit(self, statements: tuple[Statement, ...]) -> Logged:
        try:
            indices, verified = submit_all(self._address, None, statements, self.policy)
        except RefusalError:
            raise
        except CommandError as error:
            text = f"not finished: {error}; it is kept, and the same command sends it again"
            raise CommandError(text, DOES_NOT_HOLD) from error
        return Logged(statements, indices[0], verified.existed_by)


def _log_of(options: argparse.Namespace) -> TlogPolicy:
    """Take the log's policy from the caller's own file, or from what both parties signed."""
    if options.policy is not None:
        return read_policy(options.policy).tlog
    return TlogPolicy.parse(read_agreed(options.terms).terms.log_policy)
