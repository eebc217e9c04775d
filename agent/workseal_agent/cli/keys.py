"""`keys`: whose key is whose in an engagement, and which changes are under way."""

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.printing import say
from workseal_agent.clock import SystemClock
from workseal_agent.connection import RefusedError
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_protocol.cli.keylines import key_lines


@app.command()
def keys(context: typer.Context) -> None:
    """Show the parties' keys as the verifier tells them: a change is seen here before it reads."""
    home = home_of(context)
    engagement = home.engagement()
    client = home.client(engagement.url, signer=home.signer)
    try:
        told = client.keys(engagement.id)
    except RefusedError as error:
        if error.name != "not-found":
            raise
        raise AgentError(
            phrase("{error}, for this key: one that has ended reads nothing", error=error)
        ) from error
    finally:
        client.close()
    for line in key_lines(told, SystemClock().wall_ms()):
        say(line)
