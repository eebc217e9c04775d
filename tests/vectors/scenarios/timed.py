"""Scenarios in which step 10 or 11 fails."""

from dataclasses import replace

from support.scripted import Story, begin, finish, first_day, tell_story
from support.simulator import START, Simulator
from support.stamp import FixedTsa
from vectors.scenarios.telling import SEED, Scenario, resealed, story
from workseal_protocol.checkpoint import SignedCheckpoint, add_cosignature, cosign
from workseal_protocol.days import HOUR_MS
from workseal_protocol.records import Segment

# --- (10) time-stamp ---


def time_stamp_other_checkpoint() -> Scenario:
    told = story()
    other = told.contents.checkpoints[0].log_signed(told.verifier.log_key)
    return Scenario(
        "the time-stamp is over another checkpoint",
        resealed(token=told.tsa.stamp(other, told.verifier.now)),
        10,
        "the time-stamp is over another message",
    )


def time_stamp_other_authority() -> Scenario:
    return Scenario(
        "the policy names another authority",
        story().bundle().encode(),
        10,
        "does not lead to a trusted root",
        policy="policy-other-tsa.txt",
    )


def time_stamp_disguised_root() -> Scenario:
    told = story()
    forger = FixedTsa.disguised(b"forger")
    message = told.contents.checkpoint.log_signed(told.verifier.log_key)
    return Scenario(
        "the bundle brings a root of its own, whose names for itself differ in capitals alone",
        resealed(token=forger.stamp(message, told.verifier.now), timestamps=(), tsa_ca=forger.pem),
        10,
        "does not lead to a trusted root",
    )


def time_stamp_absent() -> Scenario:
    return Scenario(
        "the policy names an authority, and the bundle has no token",
        resealed(token=None, timestamps=(), tsa_ca=None),
        10,
        "no token in the bundle",
        outcome="not reached",
    )


# --- (11) windows ---


def windows_back_dated() -> Scenario:
    told = tell_story(SEED, careless=True, back_dated=True)
    return Scenario(
        "offline segments tell of rounds ten minutes before they were signed",
        told.bundle().encode(),
        11,
        "after its end",
    )


def windows_before_the_end() -> Scenario:
    told = story()
    return Scenario(
        "a witness saw statements of work that was not over",
        resealed(checkpoints=_cosigned_at(told, told.contents.checkpoints, START)),
        11,
        "before the end that it tells of",
    )


def windows_hidden_anchor() -> Scenario:
    told = story()
    contents = told.contents
    offline = next(
        record
        for _, record in told.agent.made
        if isinstance(record, Segment) and record.verifier_value is None
    )
    left = tuple(one for one in contents.checkpoints if one.checkpoint.size != offline.anchor.size)
    sizes = tuple(one.checkpoint.size for one in left)
    size = contents.checkpoint.checkpoint.size
    return Scenario(
        "offline work was proved late, and the checkpoint that it anchors on is left out",
        resealed(
            checkpoints=left,
            hashes=told.verifier.proof(size, contents.indices, sizes),
            timestamps=tuple(one for one in contents.timestamps if one[0] in sizes),
        ),
        11,
        "its anchor is not in the bundle",
    )


def windows_contradict() -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    first_day(verifier, agent, back_dated=False)
    agent.pause(2 * HOUR_MS)
    verifier.others(1)
    agent.refresh()
    agent.withdraw(agent.frames[0])
    verifier.others(1)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    moved = _cosigned_at(told, told.contents.checkpoints, verifier.now - HOUR_MS)
    contents = replace(told.contents, checkpoints=moved)
    return Scenario(
        "a witness saw a withdrawal an hour before it can have been signed",
        told.bundle(contents).encode(),
        11,
        "before it can have been signed",
    )


def _cosigned_at(
    told: Story, checkpoints: tuple[SignedCheckpoint, ...], instant: int
) -> tuple[SignedCheckpoint, ...]:
    """Let the witnesses have cosigned the newest checkpoint at another instant."""
    *others, newest = checkpoints
    alone = replace(newest, lines=newest.lines[:1])
    for name, signer in told.verifier.witness_signers.items():
        line = cosign(newest.checkpoint, name, signer, instant // 1000)
        alone = add_cosignature(alone, line)
    return (*others, alone)


ALL = (
    time_stamp_other_checkpoint,
    time_stamp_other_authority,
    time_stamp_disguised_root,
    time_stamp_absent,
    windows_back_dated,
    windows_before_the_end,
    windows_hidden_anchor,
    windows_contradict,
)
