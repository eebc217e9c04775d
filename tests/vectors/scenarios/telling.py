"""How scenarios are made: the story, twisted records, resealed contents."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from support.scripted import Story, Twist, tell_story
from support.simulator import Simulator
from support.stamp import FixedTsa
from workseal_protocol.checkpoint import (
    SignedCheckpoint,
    add_cosignature,
    cosign,
)
from workseal_protocol.cli.report import report_value
from workseal_protocol.keys import SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.possession import HeldReport
from workseal_protocol.records import (
    Record,
)
from workseal_protocol.verify import examine_bundle

SEED = b"workseal"
T = TypeVar("T", bound=Record)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Hold one vector: its bundle, and the step that does not hold."""

    text: str
    data: bytes
    step: int | None = None
    why: str = ""
    policy: str = "policy.txt"
    outcome: str = "fails"
    malformed: bool = False

    def describe(self, name: str) -> bytes:
        """Write what stands beside the bundle."""
        expect = "holds" if self.step is None else "malformed" if self.malformed else "fails"
        value: dict[str, Any] = {
            "scenario": self.text,
            "bundle": f"{name}.bundle",
            "policy": self.policy,
            "expect": expect,
        }
        if self.step is None:
            value |= self._figures()
        else:
            value |= {"step": self.step, "outcome": self.outcome, "why": self.why}
        return (json.dumps(value, indent=2) + "\n").encode()

    def _figures(self) -> dict[str, Any]:
        """Give what everybody computes from it: for each statement its bounds and grade, sums."""
        policy = TrustPolicy.parse(policies()[self.policy])
        report = examine_bundle(self.data, policy, zone=ZoneInfo("Europe/Berlin"))
        shown = report_value(report)
        return {
            "windows": [
                [one.window.lower, one.window.upper, one.grade and str(one.grade)]
                for one in report.entries
            ],
            "totals": shown["totals"],
            "diary": shown["diary"],
            "not_proven": len(report.not_proven),
        } | {
            name: shown[name]
            for name, told in (
                ("activity", report.activity),
                ("labels", report.labelled.projects),
                ("timesheets", report.timesheets),
                ("possession", report.possessions != HeldReport()),
            )
            if told
        }


def story() -> Story:
    """Tell the story that holds."""
    return tell_story(SEED)


def twisted(twist: Twist) -> bytes:
    """Tell it to a careless verifier, with records changed before they are signed."""
    return tell_story(SEED, careless=True, twist=twist).bundle().encode()


def nth(
    kind: type[T], number: int, change: Callable[[T], T], *, signer: SeedSigner | None = None
) -> Twist:
    """Change one record of a kind, or who signs it; numbers begin at 0."""
    seen = count()

    def twist(record: Record, usual: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, kind) and next(seen) == number:
            return change(record), signer or usual
        return record, usual

    return twist


def same(record: T) -> T:
    """Change nothing."""
    return record


def resealed(**changes: Any) -> bytes:
    """Change contents of the story, and let the freelancer sign a manifest over them."""
    told = story()
    return told.bundle(replace(told.contents, **changes)).encode()


def policies() -> dict[str, str]:
    """Give the policy files of the callers."""
    told = story()
    full = told.policy
    return {
        "policy.txt": full.encode(),
        "policy-without-tsa.txt": replace(full, tsa=()).encode(),
        "policy-nobody-independent.txt": replace(full, independent=frozenset()).encode(),
        "policy-other-tsa.txt": replace(
            full, tsa=(FixedTsa.from_seed(b"another authority").root_der,)
        ).encode(),
        "policy-no-witnesses.txt": TrustPolicy(
            Simulator(SEED, witnesses=0).policy, full.parties
        ).encode(),
    }


def cosigned(told: Story, signed: SignedCheckpoint) -> SignedCheckpoint:
    for name, signer in told.verifier.witness_signers.items():
        line = cosign(signed.checkpoint, name, signer, told.verifier.now // 1000)
        signed = add_cosignature(signed, line)
    return signed
