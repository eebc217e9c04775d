"""The home of a witness: made once, opened often.

    witness.key        the seed of its Ed25519 key (0600)
    witness-pq.key     the seed of its ML-DSA-44 key, if it was made with one
    witness.db         its logs, what it has seen, forks
    never-restore/     how far it has cosigned; never part of a backup

Rules: the folder is 0700. A key and the database that it signed from belong together: a key without
its database never signs again, and a database answers to no other key.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workseal_protocol.cli.seeds import read_signer, write_seed
from workseal_protocol.keys import SEED_BYTES, Algorithm, SeedSigner
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.witness import NOTHING_SEEN
from workseal_witness.errors import HomeError
from workseal_witness.marks import Marks
from workseal_witness.store import Store
from workseal_witness.witness import Witness

_TYPES = {
    Algorithm.EDDSA: NoteType.COSIGNATURE,
    Algorithm.ML_DSA_44: NoteType.MLDSA_COSIGNATURE,
}


@dataclass(frozen=True, slots=True)
class Home:
    """Where the files of one witness lie."""

    folder: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "witness.db"

    @property
    def marks(self) -> Path:
        """The folder that no backup holds; may be a volume of its own."""
        return self.folder / "never-restore"

    def key_file(self, algorithm: Algorithm) -> Path:
        """Return where the seed of a key lies."""
        name = "witness.key" if algorithm is Algorithm.EDDSA else "witness-pq.key"
        return self.folder / name


def create(home: Home, name: str, *, pq: bool = False) -> None:
    """Make keys and an empty state; `HomeError` where there is something already.

    A name that no key may have is a `ValueError`.
    """
    algorithms = [Algorithm.EDDSA, *([Algorithm.ML_DSA_44] if pq else [])]
    seeds = {one: secrets.token_bytes(SEED_BYTES) for one in algorithms}
    vkeys = [_vkey(name, SeedSigner(seed, one)).encode() for one, seed in seeds.items()]
    try:
        home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(home.folder.iterdir()):
            raise HomeError(f"{home.folder} is not empty, and nothing is overwritten")
        home.folder.chmod(0o700)
        home.marks.mkdir(mode=0o700)
        for one, seed in seeds.items():
            write_seed(home.key_file(one), seed, one)
        # Last: a home with a database is complete.
        Store.create(home.database, name, vkeys).close()
    except OSError as error:
        raise HomeError(f"{home.folder} cannot be used: {error.strerror}") from error


@contextmanager
def opened(home: Home) -> Iterator["State"]:
    """Open what a home remembers, without its keys."""
    if not home.folder.is_dir():
        raise HomeError(f"{home.folder} is no witness: run `workseal-witness init` first")
    if not home.database.is_file():
        raise HomeError(
            f"{home.database} is missing: what this key has cosigned is not known, so it signs no"
            " more; a new witness needs a new folder, name and key"
        )
    store = Store(home.database)
    try:
        with store.write() as reading:
            name, vkeys = reading.identity()
        yield State(
            store, name, tuple(VerifierKey.parse(vkey) for vkey in vkeys), Marks(home.marks)
        )
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class State:
    """What a home remembers: its store, and the name and keys that this belongs to."""

    store: Store
    name: str
    keys: tuple[VerifierKey, ...]
    marks: Marks

    def require_not_restored(self) -> None:
        """Refuse a database that is behind what this witness has cosigned, of any of its logs."""
        # Inside one transaction: a witness that runs moves its marks after its own.
        with self.store.write() as reading:
            for key in reading.logs():
                row = reading.seen(key.name)
                self.marks.require_reached(key.name, NOTHING_SEEN if row is None else row.seen)


def witness_of(
    home: Home, state: State, now_s: Callable[[], int] = lambda: int(time.time())
) -> Witness:
    """Make the witness of an open home; `HomeError` when its keys are others."""
    signers = [
        read_signer(home.key_file(key.key.algorithm), key.key.algorithm) for key in state.keys
    ]
    if any(_vkey(state.name, one) not in state.keys for one in signers):
        raise HomeError(f"{home.database} belongs to another key than the one beside it")
    if not home.marks.is_dir():
        raise HomeError(
            f"{home.marks} is missing: make it again (mkdir -m 700) if you know that the database"
            " is no older copy"
        )
    return Witness(state.store, state.marks, state.name, signers, now_s)


def _vkey(name: str, signer: SeedSigner) -> VerifierKey:
    return VerifierKey(name, signer.public_key, _TYPES[signer.public_key.algorithm])
