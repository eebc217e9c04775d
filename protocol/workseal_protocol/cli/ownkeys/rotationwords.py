"""What it means that a key takes the place of another, in plain words."""

from collections.abc import Iterator

from workseal_protocol.digest import Digest


def before_rotating(old: Digest, new: Digest, url: str) -> Iterator[str]:
    """Say what it does, before both keys sign."""
    yield f"key {old} ends at {url}"
    yield f"key {new} takes its place"
    yield "- from its place in the log on, only the new key speaks for you in agreements there"
    yield (
        "- the new key reads 24 hours later, so that the others see it come; the old one reads"
        " nothing from now on: fetch first what you need meanwhile"
    )
    yield "- deadlines run on in these 24 hours: act first in the cases that wait for you"
    yield "- tell the verifier anew where you are told of cases: `workseal contact`"
    yield (
        "- the recovery key that the old key named ends the new one, too: in the command that you"
        f" wrote down for it, --of {new} takes the place of the old key"
    )
    yield "- nobody can undo it: the old key never speaks again"
