"""Whose key speaks in a case file: rotations, with a log and without."""

from dataclasses import replace

import pytest

from support.builders import FREELANCER, NOW, STRANGER, signer
from support.casefiles import Told, work_and_quarrel
from support.cases import Play, case_terms
from workseal_protocol.casefile import Logged, examine_case_file, replay
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, KeyRotate, sign
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Outcome

NEW, NEWER = signer("freelancer's second key"), signer("freelancer's third key")


def rotation(old: SeedSigner, new: SeedSigner, at: int = NOW) -> Statement:
    return sign(KeyRotate.make(claimed_at=at, old=old.public_key, new=new), old)


def succeeded(play: Play, old: SeedSigner, new: SeedSigner) -> Play:
    """Let the play's own case know a new key."""
    pair = (old.public_key.thumbprint, new.public_key.thumbprint)
    play.case = replace(play.case, parties=play.case.parties.succeeded(*pair))
    return play


def answered(by: SeedSigner) -> Play:
    """Let a new key answer a filing."""
    play = succeeded(Play.begin(), FREELANCER, NEW)
    succeeded(play, NEW, NEWER)
    return play.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER, by=by)


def told(play: Play) -> list[Statement]:
    return [one for one, _ in play.told]


# --- without a log ---


def test_a_key_that_came_by_rotation_speaks_for_its_person() -> None:
    play = answered(NEWER)
    keys = [rotation(NEW, NEWER), rotation(FREELANCER, NEW)]
    found = replay([*keys, *told(play)], case_terms())
    assert found.case.head == play.case.head
    assert [one.who for one in found.told] == ["client", "operator", "freelancer"]


def test_without_its_rotation_a_key_is_nobodys() -> None:
    with pytest.raises(VerificationError, match="do not name the key"):
        replay(told(answered(NEW)), case_terms())
    with pytest.raises(VerificationError, match="do not name the key"):
        replay([rotation(NEW, NEWER), *told(answered(NEWER))], case_terms())


def test_rotations_of_other_people_change_nothing() -> None:
    play = Play.begin()
    assert replay([rotation(STRANGER, NEW), *told(play)], case_terms()).case.head == play.case.head


def test_a_rotation_is_signed_by_both_keys() -> None:
    whole = rotation(FREELANCER, NEW)
    forged = sign(KeyRotate.make(claimed_at=NOW, old=FREELANCER.public_key, new=NEW), STRANGER)
    for false in (replace(whole, signature=bytes(64)), forged):
        with pytest.raises(VerificationError):
            replay([false, *told(answered(NEW))], case_terms())


def test_two_rotations_of_one_key_are_refused() -> None:
    with pytest.raises(VerificationError, match="replace one key"):
        replay(
            [rotation(FREELANCER, NEW), rotation(FREELANCER, NEWER), *told(answered(NEW))],
            case_terms(),
        )


def test_a_key_speaks_no_more_once_its_successor_spoke() -> None:
    """Whoever stole the old key says nothing behind its owner's new one."""
    play = answered(NEW).act(Role.FREELANCER, Act.EXHIBIT, by=FREELANCER)
    with pytest.raises(VerificationError, match="statement 3: its key was replaced by one"):
        replay([rotation(FREELANCER, NEW), *told(play)], case_terms())
    # Others, and the same person's new key, go on.
    play = answered(NEW).act(Role.CLIENT, Act.EXHIBIT).act(Role.FREELANCER, Act.EXHIBIT, by=NEW)
    found = replay([rotation(FREELANCER, NEW), *told(play)], case_terms())
    assert found.case.head == play.case.head


# --- in a log ---


def quarrel(*, rotated: bool) -> Told:
    """Let the freelancer's key change in the log before the case, or after it."""

    def act(play: Play) -> None:
        succeeded(play, FREELANCER, NEW).act(Role.OPERATOR, Act.NOTICE)
        play.act(Role.FREELANCER, Act.ANSWER, by=NEW if rotated else FREELANCER)

    change = (rotation(FREELANCER, NEW),)
    if rotated:
        return work_and_quarrel(act, sealer=NEW, before=change)
    return work_and_quarrel(act, sealer=NEW, after=change)


def examine(whole: Told) -> dict[int, str]:
    report = examine_case_file(whole.files(), whole.policy)
    return {one.number: one.why for one in report.steps if one.outcome is Outcome.FAILS}


@pytest.mark.parametrize("rotated", [True, False])
def test_a_key_speaks_where_the_log_has_it(rotated: bool) -> None:  # noqa: FBT001
    whole = quarrel(rotated=rotated)
    assert examine(whole) == {}
    found = replay(whole.statements, whole.play.case.terms, Logged.of(whole.report))
    assert found.told[-1].who == "freelancer"


def test_a_key_that_the_log_ended_says_nothing_more() -> None:
    """A thief of the old key adds to the end, where no log shows it."""
    whole = quarrel(rotated=True)
    whole.play.act(Role.FREELANCER, Act.EXHIBIT, by=NEW)
    assert examine(whole) == {}
    whole.play.act(Role.FREELANCER, Act.EXHIBIT, by=FREELANCER)
    with pytest.raises(VerificationError, match="its key was rotated or revoked before"):
        whole.files()
    unlogged = quarrel(rotated=False)
    unlogged.play.act(Role.FREELANCER, Act.EXHIBIT, by=FREELANCER)
    with pytest.raises(VerificationError, match="its key was rotated or revoked before"):
        unlogged.files()
