"""What the pages work with: the home's files, the recording process, and the way to the verifier.

Rules: nothing of the vault and no signing key is open here until a passphrase is given, and then
for as long as `unlocked` says. What is asked of the recording process names its engagement.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from workseal_agent.cases import OwnCases
from workseal_agent.clock import Clock
from workseal_agent.config import Settings
from workseal_agent.connection import VerifierClient
from workseal_agent.daemon import NotRunningError, ask
from workseal_agent.day import labels_over, notes_of, signed_ms
from workseal_agent.errors import AgentError
from workseal_agent.keystore import Keystore
from workseal_agent.ledger import Engagement, Ledger, LedgerKey
from workseal_agent.localzone import zone_of
from workseal_agent.pages.marks import Marked, Readings, Suggest, no_marks
from workseal_agent.pages.unlocked import Keys, Unlocked
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_agent.vault import VaultReader, VaultWriter
from workseal_protocol.cli.acting import CaseFolder
from workseal_protocol.commitment import Note
from workseal_protocol.digest import Digest
from workseal_protocol.keys import PublicKey, Signer
from workseal_protocol.labels import Labelled
from workseal_protocol.records import Evidence
from workseal_protocol.window import Entry

_SEND_STEPS = 64


class Connect(Protocol):
    """Reach a verifier; what is sent is written down on the way."""

    def __call__(self, url: str, *, signer: Signer | None = None) -> VerifierClient:
        """Return a client."""
        ...


@dataclass(slots=True)
class Desk:
    """Hold what every page needs; `chosen` is the engagement that the pages are about."""

    settings: Settings
    keystore: Callable[[], Keystore]
    ledger: Ledger
    connect: Connect
    clock: Clock
    chosen: bytes | None
    suggest: Suggest = no_marks
    unlocked: Unlocked = field(init=False)
    _readings: Readings = field(init=False)
    # What was signed of which day, and of which state of the ledger that is.
    _signed: tuple[object, int] = field(init=False, default=(None, 0))

    def __post_init__(self) -> None:
        self.unlocked = Unlocked(self.elapsed_ms)
        self._readings = Readings(self.settings.names_file)

    def marked(self, reader: VaultReader, frame: Digest) -> Marked:
        """Return what is marked on a frame; reading one for the first time takes its time."""
        return self._readings.of(frame, lambda: self.suggest(reader.frame(frame)))

    def elapsed_ms(self) -> int:
        """Return a time that never goes back, for what ends by itself."""
        return self.clock.boottime_ns() // 1_000_000

    def engagement(self) -> Engagement | None:
        """Return the chosen engagement, else the one joined last; None before the first."""
        known = self.ledger.engagements()
        found = [one for one in known if one.id == self.chosen]
        return next(iter(found or known[-1:]), None)

    def zone(self, engagement: Engagement | None) -> ZoneInfo:
        """Return the zone of the owner's days as it is now; before any agreement the machine's."""
        return zone_of(self.settings.display, engagement.terms.zone if engagement else "UTC")

    def need(self) -> Engagement:
        """Return the engagement, or raise `AgentError` before the first one."""
        engagement = self.engagement()
        if engagement is None:
            raise AgentError("no engagement yet: `workseal-agent join LINK`")
        return engagement

    def signed_ms(self, engagement: Engagement, day: date, zone: ZoneInfo) -> int:
        """Return what is signed of a day: added up anew only when the ledger holds something new.

        An open page asks all day long, and a long day has thousands of statements.
        """
        state = (engagement.id, day, zone.key, self.ledger.counts(engagement.id))
        if self._signed[0] != state:
            self._signed = state, signed_ms(self.ledger, engagement, day, zone)
        return self._signed[1]

    def recorded(self, engagement: Engagement) -> dict[str, Any] | None:
        """Return what the recording process says, if it records this engagement."""
        running = self.running()
        return running if running and running["engagement"] == engagement.id.hex() else None

    def running(self) -> dict[str, Any] | None:
        """Return what the recording process says of itself, whichever engagement; None without."""
        with suppress(NotRunningError):
            return ask(self.settings.socket_file, {"command": "status"})
        return None

    def tell(self, engagement: Engagement, command: str, **more: Any) -> dict[str, Any]:
        """Ask the recording process to do something for an engagement."""
        request = {"command": command, "engagement": engagement.id.hex(), **more}
        return ask(self.settings.socket_file, request)

    def unlock(self, passphrase: str) -> None:
        """Open the vault for looking; `WrongPassphraseError`."""
        keystore = self.keystore()
        # The signing key only makes the ledger's key, and is dropped.
        ledger = LedgerKey(keystore.unlock_signer(passphrase))
        self.unlocked.keep(Keys(keystore.unlock_vault(passphrase), ledger))

    def signer(self, passphrase: str) -> Signer:
        """Return the signing key, for the one act that the passphrase was typed for."""
        return self.keystore().unlock_signer(passphrase)

    def send_now(self, engagement: Engagement) -> bool:
        """Send what is unsent, once; True when nothing is left. Failures wait for the next time."""
        client = self.connect(engagement.url)
        try:
            uplink = Uplink(self.ledger, client, Log.of(engagement), wall_ms=self.clock.wall_ms)
            return uplink.drain(_SEND_STEPS)
        finally:
            client.close()

    def cases(self, client: VerifierClient, engagement: Engagement) -> OwnCases:
        """Return what answering inside a case needs."""
        folder = CaseFolder(self.settings.cases_folder)
        key = PublicKey.of_raw(self.keystore().signing_public)
        return OwnCases(self.ledger, client, engagement, folder, key)

    def reader(self) -> VaultReader | None:
        """Return the open vault, None while it is locked."""
        keys = self.unlocked.use()
        return None if keys is None else VaultReader(self.settings.vault_folder, keys.vault)

    def notes(self, engagement: Engagement, begin_ms: int, end_ms: int) -> tuple[Note, ...] | None:
        """Return the agent's remarks about a stretch, None while they are locked."""
        keys = self.unlocked.use()
        if keys is None:
            return None
        with Ledger(self.settings.ledger_file, keys.ledger) as opened:
            return notes_of(opened, engagement, begin_ms, end_ms)

    def labelled(
        self, engagement: Engagement, entries: Sequence[Entry], zone: ZoneInfo
    ) -> Labelled | None:
        """Return what time was for, None while the words for it are locked."""
        if not self.ledger.of_kind(engagement.id, Evidence.KIND.value):
            return Labelled()
        keys = self.unlocked.use()
        if keys is None:
            return None
        with Ledger(self.settings.ledger_file, keys.ledger) as opened:
            return labels_over(opened, engagement, entries, zone)

    def writer(self) -> VaultWriter:
        """Return the vault as one can write to it and destroy in it, without its key."""
        return VaultWriter(self.settings.vault_folder, self.keystore().vault_public)
