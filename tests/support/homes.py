"""A home as it lies on a disk, made by the rig: keys, ledger, and a vault with real objects."""

from functools import cache
from pathlib import Path

from support.rig import Rig
from support.simulator import seeded
from support.vaults import PRIVATE, PUBLIC
from workseal_agent.backupfile import Door, TypedDoor
from workseal_agent.backupmaker import keep_maker
from workseal_agent.config import Settings
from workseal_agent.evidence import find_frame, withdraw
from workseal_agent.keystore import Cost, Key, Keystore, SlotKind
from workseal_agent.ledger import Ledger
from workseal_agent.recoverywords import words_of
from workseal_agent.vault import VaultWriter
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import WithdrawalReason

PASSPHRASE = "a passphrase for tests"  # noqa: S105
SEED = seeded(b"workseal", "party", "freelancer")
_SECRET = bytes(range(32))
# What opens the home here: unlike a passphrase it is not stretched, so it costs a test no time.
WORDS = " ".join(words_of(_SECRET))


@cache
def keystore() -> Keystore:
    """Give the keys of every such home."""
    keys = {Key.SIGNING: SEED, Key.VAULT: PRIVATE}
    made = Keystore.seal(SEED, PRIVATE, PASSPHRASE)
    return made.with_secret(SlotKind.WORDS, keys, dict.fromkeys(Key, _SECRET))


def by_words(file_key: bytes) -> Door:
    """Seal a backup under the recovery words."""
    return TypedDoor.seal(SlotKind.WORDS, WORDS, file_key, Cost())


class RigHome:
    """Hold a home whose agent has recorded some rounds, each with a frame."""

    def __init__(self, folder: Path, seconds: float = 50, *, witnesses: int = 1) -> None:
        self.settings = Settings(folder)
        folder.mkdir(mode=0o700)
        self.rig = Rig(folder, capture_rate=65_536, witnesses=witnesses)
        self.keystore = keystore()
        self.settings.keys_file.write_bytes(self.keystore.encode())
        keep_maker(self.settings.maker_file, SeedSigner(SEED))
        self.settings.config_file.write_text('[screen]\nkind = "auto"\n')
        self.writer = VaultWriter(self.settings.vault_folder, PUBLIC)
        self.rig.recorder.start()
        self.work(seconds)

    @property
    def ledger(self) -> Ledger:
        return self.rig.ledger

    def work(self, seconds: float) -> None:
        """Record on, and keep the frames on the disk."""
        before = set(self.rig.vault.frames)
        self.rig.work(seconds)
        for digest, frame in self.rig.vault.frames.items():
            if digest not in before:
                self.writer.put_frame(frame.header, digest, frame.pixels, frame.seed)

    def withdraw(self, place: int) -> None:
        """Withdraw a frame, on the disk too."""
        frame = find_frame(self.ledger, self.rig.engagement.id, str(place))
        now_ms = self.rig.clock.wall_ms()
        reason = WithdrawalReason.PRIVATE
        withdraw(self.rig.chain, self.ledger, self.writer, frame, reason, now_ms=now_ms)
        self.rig.vault.destroy(frame.commitment)
