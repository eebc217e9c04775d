"""Be the log of a witness: grow, fork, go on; with aics-tlog's tree and aics-witness's client.

Runs in an environment of its own that has only those packages. Usage: `feed_witness.py vkey` prints
the log's key; `feed_witness.py URL WITNESS_VKEY` asks the witness, and prints one JSON object: the
sizes that it cosigned, and how each lie ended.
"""

import json
import sys

from aics_tlog import Checkpoint, MerkleTree, format_vkey, sign_checkpoint, vkey_from_ed25519
from aics_witness import FeederError, WitnessClient, merge_cosignatures
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "aics.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x0a" * 32)
SIZES = (1, 2, 3, 7, 7, 64, 65, 300)


def tree_of(size: int, fork_at: int | None = None) -> MerkleTree:
    end = size if fork_at is None else fork_at
    tree = MerkleTree()
    for number in range(size):
        tree.append(b"leaf %d" % number if number < end else b"lie %d" % number)
    return tree


def note_of(tree: MerkleTree) -> bytes:
    checkpoint = Checkpoint(origin=ORIGIN, size=tree.size, root=tree.root())
    return bytes(sign_checkpoint(checkpoint, KEY, ORIGIN).to_bytes())


def submit(client: WitnessClient, tree: MerkleTree) -> bytes:
    note = note_of(tree)
    lines = client.submit(note, tree.consistency_proof)
    # Verifies the lines against the witness's key, as a log does that publishes them.
    return bytes(merge_cosignatures(note, lines))


def main(url: str, vkey: str) -> None:
    cosigned, lies = [], []
    for size in SIZES:
        # A client that knows nothing: it learns from the 409 where the witness is.
        submit(WitnessClient(url, vkey), tree_of(size))
        cosigned.append(size)
    for size, fork_at in ((300, 299), (300, 0), (310, 150), (301, 299)):
        try:
            submit(WitnessClient(url, vkey, max_attempts=1), tree_of(size, fork_at))
        except FeederError as error:
            lies.append(type(error).__name__)
        else:
            lies.append("cosigned")
    submit(WitnessClient(url, vkey), tree_of(310))
    print(json.dumps({"cosigned": [*cosigned, 310], "lies": lies}))


if sys.argv[1] == "vkey":
    print(format_vkey(vkey_from_ed25519(ORIGIN, KEY.public_key())))
else:
    main(*sys.argv[1:])
