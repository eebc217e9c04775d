"""`workseal attestation` and `countersign`."""

from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, Parser, add

attestation = Later("attestation", "attestation")
countersign = Later("attestation", "countersign")


def add_attestations(commands: Commands) -> None:
    """Describe what is done with attestations."""
    one = add(commands, "attestation", attestation, "check what a freelancer attests of past work")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties")
    _add_record(one, required=False)
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")

    one = add(commands, "countersign", countersign, "say that an attestation is what a record says")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    _add_record(one, required=True)
    one.add_argument("--key", type=Path, required=True, help="your key file")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")


def _add_record(one: Parser, *, required: bool) -> None:
    one.add_argument(
        "--opening", type=Path, required=required, help="names the record; from the freelancer"
    )
    one.add_argument("--bundle", type=Path, required=required, help="the record itself")
