"""`init` and `join`: keys, and the terms that both parties sign before anything is recorded."""

from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.pasted import link_in
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.clock import SystemClock
from workseal_agent.config import Settings, prepare_home, write_default_settings
from workseal_agent.connection import UnreachableError, require_url
from workseal_agent.engagement import fetch_offer, read_invitation
from workseal_agent.engagement import join as join_engagement
from workseal_agent.errors import AgentError
from workseal_agent.keystore import SHORTEST_PASSPHRASE, Keystore
from workseal_agent.language import ENGLISH, own, phrase, spoken
from workseal_agent.ledger import Ledger
from workseal_agent.termsread import sentences_of
from workseal_agent.vault import VaultWriter
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey

_MAX_OFFER_BYTES = 65_536


@app.command()
def init(
    context: typer.Context,
    *,
    verifier: Annotated[str | None, typer.Option(help="The verifier's address.")] = None,
) -> None:
    """Make keys, an empty vault and a settings file in a new home."""
    home = home_of(context)
    settings = Settings(home.folder)
    if settings.keys_file.exists():
        raise AgentError(
            phrase("{folder} has keys already; they are never replaced", folder=home.folder)
        )
    _require_unused(settings)
    _require_url(verifier)
    passphrase = home.passphrase(new=True)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageProblem(
            phrase("a passphrase has at least {least} characters", least=SHORTEST_PASSPHRASE)
        )
    prepare_home(home.folder)
    if not settings.config_file.exists():
        write_default_settings(home.folder, verifier)
    Ledger(settings.ledger_file).close()
    # The keys last: a home that has them is complete, and one that has not can be made again.
    keystore = Keystore.create(settings.keys_file, passphrase)
    VaultWriter(settings.vault_folder, keystore.vault_public)
    say(phrase("home: {folder}", folder=home.folder))
    public = PublicKey.of_raw(keystore.signing_public).text()
    say(phrase("your public key: {key}", key=public))
    say("Give the public key to your client, who sends you a link: `workseal-agent join LINK`.")
    say("Without the passphrase nobody opens the vault,")
    say(
        "you included: `workseal-agent slots add words` makes another way in, for a sheet of paper."
    )


@app.command()
def join(
    context: typer.Context,
    invitation: Annotated[
        str, typer.Argument(help="The client's link, or the file with the signed offer.")
    ],
    *,
    verifier: Annotated[str | None, typer.Option(help="The verifier's address.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept without being asked.")] = False,
) -> None:
    """Read a client's offer, show its terms in plain language, and accept it."""
    home = home_of(context)
    url, data = _invited(home, invitation, verifier)
    try:
        offer = read_invitation(data, home.public_key)
    except MalformedError as error:
        raise UsageProblem(
            phrase("{offer} is no offer: {error}", offer=invitation, error=error)
        ) from error
    if zone_named(offer.terms.zone) is None:
        raise AgentError("this machine does not know the time zone of the terms")
    say("The client offers these terms:")
    for sentence in sentences_of(offer.terms):
        say(f"  - {own(sentence)}")
    if spoken() != ENGLISH.tag:
        say(
            phrase(
                "This is a translation. Signed are the terms themselves, which your client reads in"
                " English; your page of the agreement shows both."
            )
        )
    if not yes and not confirmed(phrase("Do you accept them?")):
        raise AgentError("nothing was signed")
    client = home.client(url)
    try:
        now_ms = SystemClock().wall_ms()
        engagement = join_engagement(offer, home.ledger, client, home.signer, now_ms=now_ms)
    finally:
        client.close()
    say(phrase("accepted and logged: engagement {number}", number=engagement.id.hex()))


def _require_unused(settings: Settings) -> None:
    """Refuse new keys beside evidence of older ones: nothing of it could be continued or opened."""
    vault, ledger = settings.vault_folder, settings.ledger_file
    frames = vault.is_dir() and any(vault.iterdir())
    if frames or (ledger.is_file() and ledger.stat().st_size and _has_engagements(ledger)):
        raise AgentError(
            phrase(
                "{home} holds recorded work and not its keys: restore the file `keys` from a"
                " copy, or name another folder with --home",
                home=settings.home,
            )
        )


def _has_engagements(ledger: Path) -> bool:
    with Ledger(ledger) as opened:
        return bool(opened.engagements())


def _require_url(url: str | None) -> None:
    try:
        if url is not None:
            require_url(url)
    except ValueError as error:
        raise UsageProblem(str(error)) from error


def _invited(home: Home, invitation: str, verifier: str | None) -> tuple[str, bytes]:
    """Return where the verifier is, and the bytes of the offer."""
    link = link_in(invitation)
    if link is None:
        url = verifier or home.settings.verifier.url
        if url is None:
            raise UsageProblem("where is the verifier: --verifier URL")
        return url, _read(Path(invitation))
    if verifier is not None:
        raise UsageProblem("a link says where the verifier is: leave --verifier away")
    _require_url(link.url)
    client = home.client(link.url, signer=home.signer)
    try:
        return client.url, fetch_offer(link, client)
    except UnreachableError as error:
        raise AgentError(
            phrase(
                "nothing was signed: at {url} there is no verifier that can be used now: {error}",
                url=link.url,
                error=error,
            )
        ) from error
    finally:
        client.close()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_OFFER_BYTES + 1)
    except OSError as error:
        raise UsageProblem(
            phrase("{path} cannot be read: {reason}", path=path, reason=error.strerror)
        ) from error
    if len(data) > _MAX_OFFER_BYTES:
        raise UsageProblem(phrase("{path} is too long for an offer", path=path))
    return data
