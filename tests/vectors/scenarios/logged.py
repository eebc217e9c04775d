"""Scenarios in which step 3 or 4 fails."""

from dataclasses import replace

from support.builders import STRANGER
from support.scripted import Story
from support.simulator import ORIGIN
from vectors.scenarios.telling import Scenario, cosigned, resealed, story
from workseal_protocol.checkpoint import (
    Checkpoint,
    sign_checkpoint,
)
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    DisputeFinding,
    sign,
)

# --- (3) checkpoint ---


def checkpoint_other_key() -> Scenario:
    told = story()
    checkpoint = told.contents.checkpoint.checkpoint
    forged = sign_checkpoint(checkpoint, STRANGER)
    return Scenario(
        "another key signed for the log",
        resealed(checkpoint=cosigned(told, forged)),
        3,
        "no line of a log of the policy",
    )


def checkpoint_no_witness() -> Scenario:
    told = story()
    alone = replace(told.contents.checkpoint, lines=told.contents.checkpoint.lines[:1])
    return Scenario(
        "no witness cosigned the checkpoint",
        resealed(checkpoint=alone),
        3,
        "the witness quorum is not reached",
    )


def checkpoint_other_time() -> Scenario:
    told = story()
    line = told.contents.checkpoint.lines[1]
    moved = replace(line, signature=bytes(7) + b"\x01" + line.signature[8:])
    signed = replace(told.contents.checkpoint, lines=(told.contents.checkpoint.lines[0], moved))
    return Scenario(
        "a cosignature tells another time than it signed",
        resealed(checkpoint=signed),
        3,
        "does not verify",
    )


# --- (4) log ---


def log_not_in_tree() -> Scenario:
    told = story()
    *others, _ = told.contents.statements
    other = sign(
        DisputeFinding(
            engagement=told.agent.engagement,
            claimed_at=told.verifier.now,
            disclosure=others[-1].digest,
            findings=_finding_of(told).findings,
        ),
        told.verifier.people.operator,
    )
    return Scenario(
        "a signed statement stands in the place of the logged one",
        resealed(statements=(*others, other), receipts=()),
        4,
        "does not lead to the root",
    )


def _finding_of(told: Story) -> DisputeFinding:
    return next(record for _, record in told.agent.made if isinstance(record, DisputeFinding))


def log_forked() -> Scenario:
    told = story()
    first = told.contents.checkpoints[2]
    fork = Checkpoint(ORIGIN, first.checkpoint.size, Digest.of(b"another history"))
    signed = cosigned(told, sign_checkpoint(fork, told.verifier.log_signer))
    earlier = (*told.contents.checkpoints[:2], signed, *told.contents.checkpoints[3:])
    return Scenario(
        "an earlier checkpoint, well signed, is of another history",
        resealed(checkpoints=earlier),
        4,
        "is not a prefix of this one",
    )


def log_proof_too_long() -> Scenario:
    hashes = (*story().contents.hashes, bytes(32))
    return Scenario(
        "the proof has a hash too many", resealed(hashes=hashes), 4, "the sparse proof is too long"
    )


def log_other_receipt() -> Scenario:
    told = story()
    first, second, *others = told.contents.receipts
    return Scenario(
        "a receipt is another statement's",
        resealed(receipts=(second, first, *others)),
        4,
        "the receipt of statement 1",
    )


ALL = (
    checkpoint_other_key,
    checkpoint_no_witness,
    checkpoint_other_time,
    log_not_in_tree,
    log_forked,
    log_proof_too_long,
    log_other_receipt,
)
