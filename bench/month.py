"""A month's bundle, for `verify.py` and `page.py`: told once, kept in a folder for further runs.

20,000 segments of 30 seconds on 21 days, a session each day; one round in twenty draws a capture,
so about 1,000 frames. An arbitrator asks for 14 of them, which are of 1920 by 1080 pixels, and is
shown all but a window and some lines of text. The agent sends what it has every minute, and each
checkpoint of these stands in the bundle, as many as an export keeps so that every segment is seen
in time. Each statement has its receipt, as in an export.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from frame import HIDE

from support.acting import KeptFrame, ScriptedAgent
from support.scripted import Story, finish
from support.simulator import DAY_MS, ORIGIN, START, Simulator
from workseal_protocol.bundle import Bundle
from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
)
from workseal_protocol.cose import Sign1, sig_structure
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, open_frame
from workseal_protocol.keys import PublicKey
from workseal_protocol.merkle import Frontier, path_from_nodes, sparse_nodes
from workseal_protocol.note import VerifierKey
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.receipt import cose_receipt
from workseal_protocol.statement import Statement

SEGMENTS = 20_000
DISCLOSED = 14
ROUND_MS = 30_000
# Eight hours of rounds, sent two at a time.
A_DAY, AT_ONCE = 960, 2
# One capture in twenty rounds.
RATE = 3_413
SCREEN = 1920, 1080

# What one check of a signature takes: the key, the signature, and what it is over.
Check = tuple[PublicKey, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Month:
    """Hold the bundle's bytes, whom to trust, and how much is in it."""

    data: bytes
    policy: TrustPolicy
    about: str


def month(segments: int = SEGMENTS, kept: Path | None = None) -> Month:
    """Tell the month, or read what an earlier run kept in a folder."""
    names = [None if kept is None else kept / f"{segments}.{end}" for end in ("ws", "policy")]
    bundle, policy = names
    about = f"{segments} segments"
    if bundle is not None and policy is not None and bundle.exists() and policy.exists():
        return Month(bundle.read_bytes(), TrustPolicy.parse(policy.read_text()), about)
    story = told(segments)
    found = Month(story.bundle().encode(), story.policy, about)
    if bundle is not None and policy is not None:
        bundle.write_bytes(found.data)
        policy.write_text(found.policy.encode())
    return found


def told(segments: int) -> Story:
    """Tell an engagement of so many segments."""
    verifier = _Verifier(b"bench", round_ms=ROUND_MS)
    verifier.publish_rules()
    days = -(-segments // A_DAY)
    verifier.start_beacon(START // ROUND_MS - 360, days * DAY_MS // ROUND_MS + 1_000)
    terms = verifier.terms(capture_rate=RATE, max_withdrawn_percent=20)
    agent = _Agent(verifier, terms=terms)
    for day in range(days):
        verifier.now = START + day * DAY_MS
        agent.open_session(rounds=A_DAY)
        rounds = min(A_DAY, segments - day * A_DAY)
        for begun in range(0, rounds, AT_ONCE):
            agent.work(min(AT_ONCE, rounds - begun) * ROUND_MS)
            agent.send()
            # Somebody else's statement: the tree is not this engagement's alone.
            verifier.others(1)
        agent.close_session()
    disclosures = agent.disclose()
    verifier.now += 60_000
    verifier.others(2)
    contents, tsa = finish(verifier, agent, disclosures)
    receipts = tuple(verifier.cose_receipt(one.digest) for one in contents.statements)
    return Story(verifier, agent, replace(contents, receipts=receipts), tsa)


def checks_of(month: Month) -> Mapping[str, Sequence[Check]]:
    """Give every check of a signature that the bundle asks for, but those in its time-stamps.

    Those are two, by another algorithm, with certificates: no check alone would be fair to them.
    """
    bundle = Bundle.parse(month.data)
    contents = bundle.contents
    keys = {key.thumbprint: key for keys in month.policy.parties.values() for key in keys}
    statements = [
        (
            keys[one.issuer],
            one.signature,
            sig_structure(Sign1.parse(one.encode()).protected, one.payload),
        )
        for one in (bundle.manifest, *contents.statements)
    ]
    checkpoints: list[Check] = []
    for signed in (contents.checkpoint, *contents.checkpoints):
        (log,) = month.policy.tlog.logs
        checkpoints.append((log.key, _line(signed, log), signed.checkpoint.encode()))
        for witness in month.policy.tlog.witnesses.values():
            line = _line(signed, witness)
            time = f"cosignature/v1\ntime {int.from_bytes(line[:8])}\n".encode()
            checkpoints.append((witness.key, line[8:], time + signed.checkpoint.encode()))
    receipts: list[Check] = []
    for receipt in contents.receipts:
        parts = Sign1.parse(receipt)
        # Every receipt of the month leads to the bundle's own root.
        root = contents.checkpoint.checkpoint.root.raw
        receipts.append((log.key, parts.signature, sig_structure(parts.protected, root)))
    return {"statements": statements, "checkpoints": checkpoints, "receipts": receipts}


def _line(signed: SignedCheckpoint, key: VerifierKey) -> bytes:
    line = signed.line_of(key)
    if line is None:
        raise SystemExit(f"a checkpoint has no line of {key.name}")
    return line.signature


class _Verifier(Simulator):
    """Keep the tree's nodes: what the tests' simulator hashes anew, for its trees are small."""

    def __init__(self, seed: bytes, *, round_ms: int) -> None:
        super().__init__(seed, round_ms=round_ms)
        self._frontier = Frontier()
        self._nodes: tuple[int, Mapping[tuple[int, int], bytes]] = (0, {})

    def checkpoint(self) -> SignedCheckpoint:
        size = len(self.leaves)
        for leaf in self.leaves[self._frontier.size :]:
            self._frontier.append(leaf)
        if size not in self.checkpoints:
            checkpoint = Checkpoint(ORIGIN, size, Digest(self._frontier.root()))
            signed = sign_checkpoint(checkpoint, self.log_signer)
            for name, signer in self.witness_signers.items():
                signed = add_cosignature(signed, cosign(checkpoint, name, signer, self.now // 1000))
            self.checkpoints[size] = signed
            self.signed_at[size] = self.now
        return self.checkpoints[size]

    def submit(self, statements: Iterable[Statement], _old: object = None) -> None:  # type: ignore[override]
        # Nobody here asks for the proof.
        self.admit(tuple(statements))
        self.checkpoint()

    def cose_receipt(self, digest: Digest) -> bytes:
        checkpoint = self.checkpoint().checkpoint
        size, index = checkpoint.size, self.places[digest]
        if self._nodes[0] != size:
            leaves = dict(enumerate(self.leaves))
            root = checkpoint.root.raw
            nodes = sparse_nodes(size=size, root=root, leaves=leaves, earlier={}, hashes=())
            self._nodes = size, nodes
        return cose_receipt(
            checkpoint.root.raw,
            size,
            index,
            path_from_nodes(self._nodes[1], index, size),
            signer=self.log_signer,
            issuer=self.log_signer.public_key.uri,
            subject=self.statements[index].subject,
        )


class _Agent(ScriptedAgent):
    """Take a whole screen wherever a frame may be disclosed, and a small one elsewhere."""

    _taken = 0
    _large: tuple[int, ...] = ()

    @property
    def size(self) -> tuple[int, int]:  # type: ignore[override]
        return SCREEN if self._taken % 71 == 0 else (64, 48)

    def _pixels(self, number: int) -> bytes:
        width, height = self.size
        self._taken += 1
        # Between a flat desktop and noise: four lines in 24 have something like text.
        flat = bytes((32, 34, 37)) * width
        noise = (number.to_bytes(8) * (3 * width))[: 3 * width]
        return b"".join(noise if y % 24 < 4 else flat for y in range(height))

    def disclose(self) -> tuple[Disclosure, ...]:
        """Let the arbitrator ask for the whole screens, and show them but for what is hidden."""
        asked = [one for one in self.frames if one.tree.header.width == SCREEN[0]][:DISCLOSED]
        # `finish` takes the first frames for those that were asked for.
        self.frames.sort(key=lambda one: one not in asked)
        self.verifier.now += 3_600_000
        request = self.request(asked)
        self.verifier.now += 3_600_000
        return self.answer(request, asked, asked[0].tree.header.grid.tiles_to_show(hide=HIDE))

    def answer(
        self, request: Statement, frames: list[KeptFrame], shown: tuple[int, ...] = ()
    ) -> tuple[Disclosure, ...]:
        """Disclose deflated: a whole screen fits in no stored block, as the tests have it."""
        with mock.patch("support.acting.disclose", _disclose):
            return super().answer(request, frames, shown)


def _disclose(frame: KeptFrame, shown: tuple[int, ...]) -> Disclosure:
    return open_frame(frame.tree, shown, pixels=frame.pixels, seed=frame.seed)
