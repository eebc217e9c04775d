"""`contact` and `sign-in`: where the freelancer is told of cases, and a browser at the verifier.

Rule: the agent's key signs each question; what a verifier keeps of it is shown as it tells it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.printing import say
from workseal_agent.language import phrase
from workseal_client import VerifierClient
from workseal_protocol.cli.contact import Contact


@contextmanager
def _verifier(context: typer.Context) -> Iterator[VerifierClient]:
    home = home_of(context)
    client = home.client(home.engagement().url, signer=home.signer)
    try:
        yield client
    finally:
        client.close()


@app.command()
def contact(
    context: typer.Context,
    *,
    mail: Annotated[
        str | None, typer.Option(help="Where mails go, once the link in the first was opened.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(help="The address of a program of yours that is told.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="The time zone of what you are told.")] = None,
    digest: Annotated[
        bool | None, typer.Option("--digest/--no-digest", help="A mail each week.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete all that you gave.")] = False,
) -> None:
    """Say where you are told of cases, or show it: '' takes an address away."""
    given = {"mail": mail, "webhook": webhook, "zone": zone, "digest": digest}
    with _verifier(context) as client:
        if forget:
            client.delete_contact()
            say(phrase("forgotten: notices stand on the verifier's pages alone"))
            return
        known = Contact.read(client.contact())
        if any(value is not None for value in given.values()):
            client.put_contact(**json.loads(known.changed(given)))
            known = Contact.read(client.contact())
    for line in known.lines():
        say(line)


@app.command("sign-in")
def sign_in(context: typer.Context) -> None:
    """Print a link that signs your browser in at the verifier, once and within minutes."""
    with _verifier(context) as client:
        say(client.sign_in_link())
    say(phrase("works once, within minutes; whoever has it reads what you read"))
