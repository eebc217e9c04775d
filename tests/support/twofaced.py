"""A log that can lie: one true history, and others that leave it at a chosen leaf."""

from collections.abc import Sequence

from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner, Signer
from workseal_protocol.merkle import consistency_path, leaf_hash, root_of
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.witness import AddCheckpoint

Leaves = tuple[bytes, ...]


class TwoFacedLog:
    """Sign whatever it is told to, with honest proofs inside each history."""

    def __init__(self, origin: str = "twofaced.example/log", seed: bytes = b"\x01" * 32) -> None:
        self.signer: Signer = SeedSigner(seed)
        self.key = VerifierKey(origin, self.signer.public_key, NoteType.LOG_ED25519)

    def history(self, size: int, fork_at: int | None = None, word: str = "other") -> Leaves:
        """Give `size` leaves: the true ones, or others from leaf `fork_at` on."""
        end = size if fork_at is None else min(fork_at, size)
        true = (leaf_hash(b"leaf %d" % number) for number in range(end))
        lies = (leaf_hash(f"{word} {number}".encode()) for number in range(end, size))
        return (*true, *lies)

    def signed(self, leaves: Sequence[bytes]) -> SignedCheckpoint:
        checkpoint = Checkpoint(self.key.name, len(leaves), Digest(root_of(leaves)))
        return sign_checkpoint(checkpoint, self.signer)

    def request(self, old: int, leaves: Sequence[bytes]) -> bytes:
        """Give the body that asks for a cosignature, with the best proof this history has."""
        proof = consistency_path(leaves, old) if old <= len(leaves) else ()
        return AddCheckpoint(old, proof, self.signed(leaves)).encode()
