"""The witness that runs beside recording, where its owner wants one (docs/agent.md).

Rules: it is a process of its own, so that what listens on a network holds none of the freelancer's
keys. It never holds up recording: what stops it is one sentence for `status`. It ends with the
recording process, however that ends.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from workseal_agent.config import WitnessSettings
from workseal_agent.language import phrase
from workseal_protocol.errors import MalformedError
from workseal_protocol.note import VerifierKey
from workseal_witness.errors import WitnessError

_STOP_SECONDS = 5.0
_PROGRAM = "from workseal_witness import main; raise SystemExit(main())"
_MAX_LOG = 65_536


class Watch:
    """Run the witness of one home for the logs with these keys."""

    def __init__(
        self,
        folder: Path,
        settings: WitnessSettings,
        logs: Sequence[VerifierKey],
        environment: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._logs = logs
        self._environment = environment
        self._log = folder.parent / "witness.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._problem: str | None = None

    def start(self) -> None:
        """Trust the logs and begin to listen; whatever goes wrong is `trouble`."""
        if not self._folder.is_dir():
            self._problem = phrase("there is none yet: `workseal-agent witness --name NAME`")
            return
        # Loaded by those alone who run a witness.
        from workseal_witness.home import Home, opened  # noqa: PLC0415

        try:
            with opened(Home(self._folder)) as state, state.store.write() as writing:
                for key in self._logs:
                    writing.add_log(key)
            self._process = self._started()
        except (WitnessError, MalformedError) as error:
            self._problem = str(error)
        except OSError as error:
            self._problem = (error.strerror or type(error).__name__).lower()

    @property
    def trouble(self) -> str | None:
        """Say why the witness does not run, in one sentence; None while it does."""
        if self._process is not None and self._process.poll() is not None:
            self._problem = self._last_words()
        if self._problem is None:
            return None
        return phrase("your witness does not run: {problem}", problem=self._problem)

    def stop(self) -> None:
        """End the witness."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _started(self) -> "subprocess.Popen[bytes]":
        host, port = self._settings.host, str(self._settings.port)
        words = ["--home", str(self._folder), "--host", host, "--port", port, "--until-eof"]
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            return subprocess.Popen(  # noqa: S603 - this program, with the settings' words
                [sys.executable, "-c", _PROGRAM, "serve", *words],
                # It reads its standard input to the end: when this process dies, it ends too.
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env=dict(self._environment),
            )

    def _last_words(self) -> str:
        try:
            with self._log.open("rb") as file:
                lines = file.read(_MAX_LOG).decode(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return (
            lines[-1].removeprefix("workseal-witness: ") if lines else phrase("no reason was told")
        )
