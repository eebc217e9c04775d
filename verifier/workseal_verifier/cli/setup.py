"""Commands about who this verifier is: its home, its keys, its policy."""

import re
from pathlib import Path
from typing import Annotated

import typer

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_verifier.authorities import configured
from workseal_verifier.cli.home import Home
from workseal_verifier.config import SETTINGS_FILE, Settings, render
from workseal_verifier.errors import ConfigError, SettingsError
from workseal_verifier.homekeys import load_identity, make_keys
from workseal_verifier.keyfiles import create_secret, replace_file

# c2sp.org/tlog-tiles: a URL without its scheme and without a slash at the end. Asked of a new log
# alone: the name of one that exists can no longer be changed.
_ADDRESS = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?(?:/[A-Za-z0-9._~-]+)*"
)


def init(
    home: Home,
    origin: Annotated[
        str, typer.Option(help="The log's name for ever, such as log.example.com/2026.")
    ],
    period_ms: Annotated[
        list[int] | None,
        typer.Option(help="A round length in milliseconds; may be given several times."),
    ] = None,
    continues: Annotated[
        Path | None,
        typer.Option(help="The last good checkpoint of a log that ended: this one names it."),
    ] = None,
    *,
    pq: Annotated[
        bool, typer.Option("--pq", help="Also cosign checkpoints with ML-DSA-44.")
    ] = False,
) -> None:
    """Make a home: settings and keys."""
    path = home / SETTINGS_FILE
    if path.exists():
        raise ConfigError(f"{home} is already a verifier home")
    if _ADDRESS.fullmatch(origin) is None:
        raise SettingsError(
            "an origin is the log's address for ever, without https:// and without a slash at its"
            " end, such as log.example.com/2026"
        )
    text = render(origin, tuple(period_ms or [30_000]))
    settings = Settings(home=home, origin=origin)
    last = None if continues is None else _last_good(continues, origin)
    make_keys(settings, pq=pq)
    if last is not None:
        replace_file(settings.continued, last.encode())
    # Last: the settings say that the home is complete. What is half made is finished by a repeat.
    replace_file(path, text.encode())
    typer.echo(f"made {home} for the log {origin}")
    typer.echo(f"next: workseal-verifier serve --home {home}")


def _last_good(path: Path, origin: str) -> SignedCheckpoint:
    try:
        signed = SignedCheckpoint.parse(path.read_bytes())
    except MalformedError as error:
        raise SettingsError(f"{path} is no signed checkpoint: {error}") from error
    if signed.checkpoint.origin == origin:
        raise SettingsError("a log that continues another has another origin")
    return signed


def keygen(
    out: Annotated[Path, typer.Argument(help="The new file for the seed, readable by you alone.")],
    *,
    pq: Annotated[bool, typer.Option("--pq", help="An ML-DSA-44 key, for keys/pq.seed.")] = False,
) -> None:
    """Make a key ahead of `init`, say on a machine that is never online; print its public part."""
    if out.exists() or out.is_symlink():
        raise SettingsError(f"{out} exists: it is not replaced")
    if not out.absolute().parent.is_dir():
        raise SettingsError(f"{out} cannot be written: expected a folder at {out.parent}")
    seed = create_secret(out)
    signer = SeedSigner(seed, Algorithm.ML_DSA_44) if pq else SeedSigner(seed)
    typer.echo(signer.public_key.text())


def rotate(home: Home) -> None:
    """Replace the operator's key, as a statement in the log; the server must not run."""
    from workseal_verifier.rotation import rotate_operator  # noqa: PLC0415

    settings = Settings.load(home)
    key = rotate_operator(settings)
    typer.echo(f"the operator's key is now {key.text()}")
    typer.echo("offers from now on must name it; what is agreed goes on as it was")


def policy(home: Home) -> None:
    """Print the lines of a trust policy that describe this verifier."""
    settings = Settings.load(home)
    identity = load_identity(settings)
    described = TrustPolicy(
        identity.policy,
        {Role.OPERATOR: (identity.operator.public_key,)},
        tsa=tuple(dict.fromkeys(root for one in configured(settings) for root in one.roots)),
    )
    # The caller begins the file and adds the other parties.
    _, _, lines = described.encode().partition("\n")
    typer.echo(lines, nl=False)
