"""`workseal keygen` and `offer`: whose key it is, and what is agreed."""

from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, add

keygen = Later("parties", "keygen")
offer = Later("parties", "offer")


def add_parties(commands: Commands) -> None:
    """Describe keys and offers."""
    one = add(commands, "keygen", keygen, "make a signing key; print its public key, thumbprint")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--show", action="store_true", help="print the public key of an existing FILE")

    one = add(commands, "offer", offer, "sign an offer of terms to a freelancer")
    one.add_argument("--terms", type=Path, required=True, help="TOML file; see docs/tutorial.md")
    one.add_argument("--policy", type=Path, help="take parties and log from this policy file")
    one.add_argument("--key", type=Path, required=True, help="the client's key file")
    one.add_argument("--out", type=Path, required=True, metavar="OFFER.cose")
