"""`workseal fetch`, `keys`, `sign-in`, `contact`, `invite`, `accept`: what a verifier is asked."""

from argparse import BooleanOptionalAction
from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, add

accept = Later("asking", "accept")
contact = Later("contact", "contact")
fetch = Later("asking", "fetch")
invite = Later("asking", "invite")
keys = Later("asking", "keys")
sign_in = Later("asking", "sign_in")


def add_asking(commands: Commands) -> None:
    """Describe what a verifier is asked, and how one comes in."""
    one = add(commands, "fetch", fetch, "fetch from a verifier what only a party may read")
    one.add_argument("url", metavar="URL", help="such as the address of a sealed package")
    one.add_argument("--key", type=Path, required=True, help="your key file")
    one.add_argument("--out", type=Path, required=True, metavar="FILE")

    one = add(commands, "keys", keys, "show the parties' keys, and changes under way")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("--engagement", required=True, metavar="NUMBER")
    one.add_argument("--key", type=Path, required=True, help="your key file")

    one = add(commands, "sign-in", sign_in, "print a link that signs your browser in, once")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("--key", type=Path, required=True, help="your key file")

    one = add(commands, "contact", contact, "say where you are told of cases; show what you gave")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("--key", type=Path, required=True, help="your key file")
    one.add_argument("--mail", metavar="ADDRESS", help="confirmed by a link; '' for none")
    one.add_argument("--webhook", metavar="URL", help="a program of yours; '' for none")
    one.add_argument("--zone", metavar="ZONE", help="the time zone of what you are told")
    one.add_argument("--digest", action=BooleanOptionalAction, help="a mail each week")
    one.add_argument("--forget", action="store_true", help="delete all that you gave")

    one = add(commands, "invite", invite, "have your offer logged; print the freelancer's link")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("offer", type=Path, metavar="OFFER.cose")
    one.add_argument("--key", type=Path, required=True, help="the client's key file")

    one = add(commands, "accept", accept, "accept an operator's invitation with your key")
    one.add_argument("link", metavar="LINK")
    one.add_argument("--key", type=Path, required=True, help="your key file")
