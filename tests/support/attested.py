"""Attestations of a told engagement with timesheets, right and wrong, for tests and as vectors.

`python -m support.attested`, from the folder of the tests, writes the vectors anew.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from support.scripted import Story, begin, finish
from support.shownrecords import record_vectors
from support.simulator import DAY_MS, START, Simulator
from workseal_protocol.attestation import (
    Attestation,
    Check,
    Claim,
    RecordOpening,
    ShownRecord,
    Signed,
    examine_attestation,
    figures_of,
    sign_said,
)
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import DeclarationForm, SegmentState, SheetAnswer
from workseal_protocol.timesheets import day_number
from workseal_protocol.verify import Report, examine_bundle

VECTORS = Path(__file__).parents[1] / "vectors" / "attestation.json"
ZONE = ZoneInfo("Europe/Berlin")
FIRST = datetime.fromtimestamp(START / 1000, tz=UTC).date()
LAST = FIRST + timedelta(days=6)
SALT = bytes(range(16))


@cache
def told() -> Story:
    """Tell two days of work, offline in part, with one timesheet accepted and one not."""
    verifier = Simulator(b"attested")
    agent = begin(verifier)
    agent.open_session()
    agent.work(64_000)
    agent.send()
    agent.work(20_000, SegmentState.OFF_SCREEN)
    agent.work(20_000, SegmentState.SEALED)
    agent.send()
    agent.online = False
    agent.work(30_000)
    agent.online = True
    verifier.now += 600_000
    agent.send()
    agent.close_session()
    accepted = agent.sum_up(FIRST, FIRST)
    agent.reply(accepted, SheetAnswer.ACCEPTED)
    verifier.now += DAY_MS
    agent.open_session()
    agent.work(40_000)
    agent.close_session()
    verifier.now += DAY_MS
    end = verifier.now - 1_000
    agent.declare(DeclarationForm.LATE, end - 3_600_000, end, 1_800_000)
    agent.send()
    asked = agent.sum_up(FIRST + timedelta(days=1), LAST)
    agent.reply(asked, SheetAnswer.QUESTION, "all of it?")
    verifier.others(2)
    contents, tsa = finish(verifier, agent, ())
    return Story(verifier, agent, contents, tsa)


@cache
def bundle() -> bytes:
    """Give the bundle of what was told."""
    return told().bundle().encode()


@cache
def report() -> Report:
    """Give what the reader of the bundle finds."""
    return examine_bundle(bundle(), told().policy, zone=ZONE)


def claim(first: date = FIRST, last: date = LAST, **changes: Any) -> tuple[Claim, RecordOpening]:
    """Make the claim of some days, or a changed one, and what says which record it is of."""
    story = told()
    checkpoint = story.contents.checkpoint
    found = figures_of(report(), ZONE, first, last, size=checkpoint.checkpoint.size)
    opening = RecordOpening(SALT, story.agent.engagement, found.head)
    terms = report().terms
    assert terms is not None
    made = Claim(
        public_key=story.verifier.people.freelancer.public_key,
        claimed_at=story.verifier.now,
        first=day_number(first),
        last=day_number(last),
        hours=found.hours,
        level=terms.level,
        checkpoint=checkpoint.digest,
        record=opening.commitment,
        purpose="to work with Nova, asked 2026-11-29",
    )
    return replace(made, **changes), opening


def attested(signer: SeedSigner | None = None, **changes: Any) -> Attestation:
    """Sign the claim, or a changed one; the checkpoint goes along with all its lines."""
    maker = signer or told().verifier.people.freelancer
    said, _ = claim(public_key=maker.public_key, **changes)
    return Attestation(sign_said(said, maker), told().contents.checkpoint)


def checked_by(signer: SeedSigner, attestation: Attestation) -> Signed[Check]:
    """Say that the attestation is right, whether it is or not."""
    check = Check(
        public_key=signer.public_key,
        claimed_at=told().verifier.now + 1_000,
        about=attestation.claim.digest,
    )
    return sign_said(check, signer)


def shown(**changes: Any) -> ShownRecord:
    """Give the record as somebody is shown it."""
    _, opening = claim()
    return replace(ShownRecord(opening, report(), ZONE), **changes)


def _own_word() -> Attestation:
    return attested()


def _checked_by_the_operator() -> Attestation:
    made = attested()
    return made.with_check(checked_by(told().verifier.people.operator, made))


def _checked_by_a_stranger() -> Attestation:
    made = attested()
    return made.with_check(checked_by(SeedSigner(bytes(32)), made))


def _another_key() -> Attestation:
    return attested(SeedSigner(bytes(range(32))))


def _broken_signature() -> Attestation:
    made = attested()
    broken = replace(made.claim, signature=bytes(64))
    return replace(made, claim=broken)


def _broken_check() -> Attestation:
    made = _checked_by_the_operator()
    (check,) = made.checks
    return replace(made, checks=(replace(check, signature=bytes(64)),))


def _no_witness() -> Attestation:
    signed = told().contents.checkpoint
    alone = replace(signed, lines=signed.lines[:1])
    said, _ = claim(checkpoint=alone.digest)
    made = Attestation(sign_said(said, told().verifier.people.freelancer), alone)
    return made.with_check(checked_by(told().verifier.people.operator, made))


def _another_log() -> Attestation:
    other = Simulator(b"another log")
    other.others(3)
    said, _ = claim(checkpoint=other.checkpoint().digest)
    return Attestation(sign_said(said, told().verifier.people.freelancer), other.checkpoint())


SCENARIOS: dict[str, Callable[[], Attestation]] = {
    "own word": _own_word,
    "checked by the operator": _checked_by_the_operator,
    "checked by a stranger": _checked_by_a_stranger,
    "another key": _another_key,
    "broken signature": _broken_signature,
    "broken check": _broken_check,
    "no witness": _no_witness,
    "another log": _another_log,
}


def vectors() -> dict[str, Any]:
    """Give all scenarios with what a reader must say, and the two values that are committed to."""
    policy = told().policy
    said, opening = claim()
    return {
        "note": "attestations of one record; each outcome is that of the reader with this policy",
        "policy": policy.encode(),
        "opening": opening.encode().hex(),
        "record": str(said.record),
        "scenarios": [
            {
                "name": name,
                "file": made.encode().hex(),
                "outcomes": [
                    str(one.outcome) for one in examine_attestation(made.encode(), policy).steps
                ],
            }
            for name, make in SCENARIOS.items()
            for made in (make(),)
        ],
        "records": record_vectors(),
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
