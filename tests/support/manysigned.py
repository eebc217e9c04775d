"""An engagement with more signatures than the page checks by itself: it begins a second thread."""

from support.acting import Twist
from support.scripted import Story, begin, finish
from support.simulator import Simulator
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import Record, Segment

ROUNDS = 4_000
# One answer is for no more.
AT_ONCE = 200


def many_signed(wrong: int | None = None) -> Story:
    """Tell of 4,000 rounds of work; the signature of the segment `wrong`, if any, does not hold."""
    verifier = Simulator(b"many", careless=wrong is not None)
    agent = begin(verifier, twist=None if wrong is None else _scribbled(wrong))
    agent.open_session(rounds=ROUNDS + 1)
    for _ in range(0, ROUNDS, AT_ONCE):
        agent.work(AT_ONCE * verifier.round_ms)
        agent.send()
    agent.close_session()
    contents, tsa = finish(verifier, agent, ())
    return Story(verifier, agent, contents, tsa)


class _Scribbler(SeedSigner):
    """Sign for a key with what it never signed."""

    def __init__(self, signer: SeedSigner) -> None:
        self._public = signer.public_key

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002
        return bytes(64)


def _scribbled(wrong: int) -> Twist:
    place = -1

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        nonlocal place
        if not isinstance(record, Segment):
            return record, signer
        place += 1
        return record, _Scribbler(signer) if place == wrong else signer

    return twist
