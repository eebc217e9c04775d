"""The parts of a home that commands and the recording process open alike.

Rules: what is missing is told, and never made: a new ledger would begin the chain again. A command
that asks no verifier loads no client.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from workseal_agent.clock import SystemClock
from workseal_agent.config import Settings, load_settings, require_private
from workseal_agent.errors import AgentError, SettingsError, UsageProblem
from workseal_agent.language import phrase

if TYPE_CHECKING:
    from workseal_agent.connection import Trust, VerifierClient
    from workseal_protocol.keys import Signer


def settings_of(folder: Path) -> Settings:
    """Return the settings of a home that `init` made and that is its owner's alone."""
    return load_settings(files_of(folder).home)


def files_of(folder: Path) -> Settings:
    """Return the places of the files of such a home; what its settings say is not read."""
    files = Settings(folder)
    if not files.keys_file.exists():
        if files.ledger_file.exists():
            missing = phrase(
                "the file `keys` is missing in {folder}: restore it from a copy", folder=folder
            )
            raise AgentError(missing)
        raise AgentError(
            phrase(
                "there is no agent in {folder}: name its folder with --home, or make one there"
                " with `workseal-agent init`",
                folder=folder,
            )
        )
    require_private(folder)
    return files


def ledger_file_of(settings: Settings) -> Path:
    """Return the ledger's file, or raise `AgentError` where there is none."""
    file = settings.ledger_file
    # A new one would begin the chain again, and every statement of it would contradict the log.
    if not file.is_file() or not file.stat().st_size:
        raise AgentError(
            phrase("the ledger {file} is missing or empty: restore it from a copy", file=file)
        )
    return file


def trusted_by(settings: Settings) -> "Trust":
    """Return whose certificates are believed: the settings' authority, or else the system's."""
    import ssl  # noqa: PLC0415 - see above

    from workseal_agent.connection import Trust  # noqa: PLC0415 - see above

    file = settings.verifier.ca_file
    try:
        return Trust(file)
    except OSError as error:
        # `ssl.SSLError` is one too, and has the library's words.
        unread = phrase("it holds no certificate in PEM form")
        reason = unread if isinstance(error, ssl.SSLError) else (error.strerror or "").lower()
        raise SettingsError(
            phrase(
                "ca_file in [verifier], {file}, cannot be used: {reason}",
                file=str(file),
                reason=reason,
            )
        ) from error


def client_of(
    settings: Settings,
    url: str,
    *,
    traffic: Path | None = None,
    seconds: float | None = None,
    signer: "Signer | None" = None,
    trusted: "Trust | None" = None,
) -> "VerifierClient":
    """Return a client that writes down what leaves; `UsageProblem` when the address is none.

    `seconds` limits each step, and thrice that a request. With a signer it may ask for what only a
    party reads. Clients of one process may share what `trusted_by` gives.
    """
    from workseal_agent.connection import (  # noqa: PLC0415 - see above
        TOTAL_SECONDS,
        DeadlineTransport,
        DepartureRecorder,
        TrafficRecorder,
        VerifierClient,
    )

    network = DepartureRecorder(
        DeadlineTransport(
            trusted or trusted_by(settings),
            seconds=TOTAL_SECONDS if seconds is None else 3 * seconds,
        ),
        settings.sent_file,
        SystemClock().wall_ms,
    )
    recorded = None if traffic is None else TrafficRecorder(network, traffic)
    try:
        return VerifierClient(url, recorded or network, seconds=seconds, signer=signer)
    except ValueError as error:
        raise UsageProblem(str(error)) from error
