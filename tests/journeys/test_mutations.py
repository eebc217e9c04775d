"""A thousand ways to change the demo's bundle: each is refused, with a step number.

Half change one byte of one entry; half are done by the freelancer, who signs the manifest (and any
statement) anew with the real key.
"""

import random
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from workseal_agent.config import load_settings
from workseal_agent.keystore import Keystore
from workseal_protocol.bundle import (
    Bundle,
    Contents,
    FrameDisclosure,
    read_archive,
    seal_bundle,
    write_archive,
)
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.keys import SeedSigner, Signer
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import CHAINED, Segment, read_record, sign
from workseal_protocol.statement import Statement
from workseal_protocol.verify import examine_bundle

from .conftest import DemoRun

pytestmark = pytest.mark.journey

PASSPHRASE = "a demo passphrase"  # noqa: S105 - the demo's own
STRANGER = SeedSigner(b"\x77" * 32)
EACH = 50


class Tamperer:
    """Change one thing in the contents, at a random place."""

    def __init__(self, contents: Contents, signer: Signer, dice: random.Random) -> None:
        self.contents = contents
        self.signer = signer
        self.dice = dice

    def _statements(self, statements: list[Statement]) -> Contents:
        return replace(self.contents, statements=tuple(statements))

    def _segment(self) -> tuple[int, Segment]:
        records = [(n, read_record(s)) for n, s in enumerate(self.contents.statements)]
        number, record = self.dice.choice([p for p in records if isinstance(p[1], Segment)])
        assert isinstance(record, Segment)
        return number, record

    def _replaced(self, number: int, statement: Statement) -> Contents:
        statements = list(self.contents.statements)
        statements[number] = statement
        return self._statements(statements)

    def reordered(self) -> Contents:
        """Swap two neighbours."""
        statements = list(self.contents.statements)
        at = self.dice.randrange(len(statements) - 1)
        statements[at], statements[at + 1] = statements[at + 1], statements[at]
        return self._statements(statements)

    def dropped(self) -> Contents:
        """Leave a statement and its index out."""
        at = self.dice.randrange(len(self.contents.statements))
        keep = [n for n in range(len(self.contents.statements)) if n != at]
        receipts = self.contents.receipts
        return replace(
            self.contents,
            statements=tuple(self.contents.statements[n] for n in keep),
            indices=tuple(self.contents.indices[n] for n in keep),
            receipts=tuple(receipts[n] for n in keep) if receipts else (),
        )

    def duplicated(self) -> Contents:
        """Put a statement in the place of another."""
        statements = list(self.contents.statements)
        one, other = self.dice.sample(range(len(statements)), 2)
        statements[one] = statements[other]
        return self._statements(statements)

    def signed_by_a_stranger(self) -> Contents:
        """Sign a statement of the chain with another key."""
        chained = [n for n, s in enumerate(self.contents.statements) if s.kind in CHAINED]
        number = self.dice.choice(chained)
        record = read_record(self.contents.statements[number])
        return self._replaced(number, sign(record, STRANGER))

    def shifted_times(self) -> Contents:
        """Move a segment by some milliseconds and sign it anew."""
        number, segment = self._segment()
        by = self.dice.choice([-1, 1]) * self.dice.randrange(1, 10**7)
        moved = replace(segment, begin=segment.begin + by, end=segment.end + by)
        return self._replaced(number, sign(moved, self.signer))

    def more_work(self) -> Contents:
        """Claim one more millisecond and sign it anew."""
        number, segment = self._segment()
        return self._replaced(
            number, sign(replace(segment, worked=segment.worked + 1), self.signer)
        )

    def wrong_index(self) -> Contents:
        """Say that the last statement stands one place further."""
        indices = (*self.contents.indices[:-1], self.contents.indices[-1] + 1)
        return replace(self.contents, indices=indices)

    def other_proof_hash(self) -> Contents:
        """Flip a bit of the log proof, or add or drop a hash."""
        hashes = list(self.contents.hashes)
        at = self.dice.randrange(len(hashes)) if hashes else 0
        way = self.dice.randrange(3) if hashes else 0
        if way == 0:
            hashes.insert(at, self.dice.randbytes(32))
        elif way == 1:
            del hashes[at]
        else:
            hashes[at] = bytes([hashes[at][0] ^ 1]) + hashes[at][1:]
        return replace(self.contents, hashes=tuple(hashes))

    def _disclosure(self) -> tuple[int, FrameDisclosure]:
        at = self.dice.randrange(len(self.contents.disclosures))
        return at, self.contents.disclosures[at]

    def _with(self, at: int, disclosure: Disclosure) -> Contents:
        items = list(self.contents.disclosures)
        items[at] = replace(items[at], disclosure=disclosure)
        return replace(self.contents, disclosures=tuple(items))

    def other_tile(self) -> Contents:
        """Change one byte of one shown tile."""
        at, item = self._disclosure()
        pixels = bytearray(item.disclosure.pixels)
        pixels[self.dice.randrange(len(pixels))] ^= 1 << self.dice.randrange(8)
        return self._with(at, replace(item.disclosure, deflated=zlib.compress(bytes(pixels))))

    def other_seed(self) -> Contents:
        """Change one byte of one seed."""
        at, item = self._disclosure()
        seeds = bytearray(item.disclosure.seeds)
        seeds[self.dice.randrange(len(seeds))] ^= 1
        return self._with(at, replace(item.disclosure, seeds=bytes(seeds)))

    def other_cover_hash(self) -> Contents:
        """Change one hash of a hidden part."""
        at, item = self._disclosure()
        hashes = bytearray(item.disclosure.hashes)
        hashes[self.dice.randrange(len(hashes))] ^= 1
        return self._with(at, replace(item.disclosure, hashes=bytes(hashes)))

    def swapped_disclosures(self) -> Contents:
        """Show one frame's tiles as another's."""
        first, second = self.contents.disclosures[:2]
        return replace(
            self.contents,
            disclosures=(
                replace(first, disclosure=second.disclosure),
                replace(second, disclosure=first.disclosure),
            ),
        )

    def token_of_another_checkpoint(self) -> Contents:
        """Pass an earlier checkpoint's time-stamp off as the last one's."""
        return replace(self.contents, token=self.contents.timestamps[0][1])


def read_contents(demo: DemoRun) -> tuple[bytes, Bundle, TrustPolicy, Signer]:
    data = (demo.out / "bundle.workseal").read_bytes()
    policy = TrustPolicy.parse((demo.out / "policy").read_text())
    settings = load_settings(demo.work / "freelancer" / "agent")
    signer = Keystore.load(settings.keys_file).unlock_signer(PASSPHRASE)
    return data, Bundle.parse(data), policy, signer


def assert_refused(data: bytes, policy: TrustPolicy, what: str) -> None:
    report = examine_bundle(data, policy)
    problem = report.first_problem
    assert problem is not None, f"{what} was accepted"
    assert problem.number >= 1
    assert problem.why


def test_the_unchanged_bundle_holds(demo: DemoRun) -> None:
    data, _, policy, _ = read_contents(demo)
    report = examine_bundle(data, policy)
    assert report.holds, report.first_problem


def test_500_single_bytes_of_any_entry(demo: DemoRun) -> None:
    data, _, policy, _ = read_contents(demo)
    entries = read_archive(data)
    dice = random.Random(500)
    for number in range(500):
        # Every entry as often as every other, however short it is.
        at = number % len(entries)
        name, content = entries[at]
        changed = bytearray(content)
        place = dice.randrange(len(changed))
        changed[place] ^= dice.randrange(1, 256)
        others = [*entries[:at], (name, bytes(changed)), *entries[at + 1 :]]
        assert_refused(write_archive(others), policy, f"byte {place} of {name}")


TAMPERINGS: list[Callable[[Tamperer], Contents]] = [
    Tamperer.reordered,
    Tamperer.dropped,
    Tamperer.duplicated,
    Tamperer.signed_by_a_stranger,
    Tamperer.shifted_times,
    Tamperer.more_work,
    Tamperer.wrong_index,
    Tamperer.other_proof_hash,
    Tamperer.other_tile,
    Tamperer.other_seed,
    Tamperer.other_cover_hash,
    Tamperer.swapped_disclosures,
    Tamperer.token_of_another_checkpoint,
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda f: f.__name__)
def test_what_the_freelancer_signs_anew_is_refused(
    demo: DemoRun, tampering: Callable[[Tamperer], Contents]
) -> None:
    _, bundle, policy, signer = read_contents(demo)
    manifest = bundle.manifest_record()
    tamperer = Tamperer(bundle.contents, signer, random.Random(tampering.__name__))
    for _ in range(EACH):
        contents = tampering(tamperer)
        forged = seal_bundle(
            contents, engagement=manifest.engagement, claimed_at=manifest.claimed_at, signer=signer
        )
        assert_refused(forged.encode(), policy, tampering.__name__)


def test_a_manifest_signed_by_a_stranger_is_refused(demo: DemoRun) -> None:
    _, bundle, policy, _ = read_contents(demo)
    manifest = bundle.manifest_record()
    forged = seal_bundle(
        bundle.contents,
        engagement=manifest.engagement,
        claimed_at=manifest.claimed_at,
        signer=STRANGER,
    )
    report = examine_bundle(forged.encode(), policy)
    assert report.first_problem is not None
    assert report.first_problem.number == 2


@pytest.mark.parametrize("where", ["front", "middle", "end"])
def test_a_truncated_file_is_malformed_with_step_1(demo: DemoRun, where: str) -> None:
    data, _, policy, _ = read_contents(demo)
    cut = {"front": data[1:], "middle": data[: len(data) // 2], "end": data[:-1]}[where]
    report = examine_bundle(cut, policy)
    assert report.malformed
    assert report.first_problem is not None
    assert report.first_problem.number == 1
