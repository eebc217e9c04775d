"""Request bodies that go deep: valid ones, valid ones with one thing changed, and nonsense.

For tests that draw thousands of requests. Everything valid is made once, from a live engagement.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import cbor2
from hypothesis import strategies as st

from support.office import Office, stranger_offer, unique
from support.scripted import ScriptedAgent, disclose
from support.simulator import ROUND_MS
from workseal_protocol.encoding import MAX_INTEGER, decode, encode
from workseal_protocol.errors import WorksealError
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import DisclosedFrame, DisputeDisclosure, sign
from workseal_protocol.sealing import MIN_SEALED_BYTES, encode_package
from workseal_protocol.statement import Statement, sign_statement

_ROUNDS = 300
_NUMBERS = st.one_of(
    st.integers(0, 12),
    st.integers(0, MAX_INTEGER),
    st.sampled_from([0, 1, 23, 24, 255, 256, 2**53]),
)
_CBOR = st.recursive(
    st.one_of(
        st.integers(-(2**64), 2**64 - 1),
        st.binary(max_size=40),
        st.text(max_size=20),
        st.booleans(),
        st.none(),
        st.floats(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(st.integers(-3, 20), st.text(max_size=3)), inner, max_size=5),
        inner.map(lambda value: cbor2.CBORTag(18, value)),
    ),
    max_leaves=12,
)


@dataclass(slots=True, repr=False, eq=False)
class Deep:
    """Hold an engagement under way, and what of it is not sent yet."""

    office: Office
    agent: ScriptedAgent
    request: Statement
    package: bytes
    fresh: int = 0
    made: list[bytes] = field(default_factory=list)

    def offer(self) -> bytes:
        """Sign an offer by somebody new."""
        self.fresh += 1
        return stranger_offer(self.office, f"deep {self.fresh}").encode()

    def segment(self) -> bytes:
        """Give the next statement of the chain, or one that was sent."""
        if self.agent.pending:
            return self.agent.pending.pop(0).encode()
        return self.made[-1]


def deepen(office: Office) -> Deep:
    """Work, ask for a frame and show it; record more than is sent."""
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    agent.work(3 * ROUND_MS)
    agent.send()
    frame = agent.frames[0]
    request = agent.request([frame])
    disclosure = disclose(frame, (0, 1))
    record = DisputeDisclosure(
        engagement=agent.engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(frame.tree.commitment, disclosure.digest),),
    )
    package = encode_package([sign(record, office.people.freelancer).encode(), disclosure.encode()])
    agent.work(_ROUNDS * ROUND_MS)
    made = [statement.encode() for statement, _ in agent.made]
    return Deep(office, agent, request, package, made=made[: len(made) - len(agent.pending)])


def statements(deep: Deep) -> st.SearchStrategy[bytes]:
    """Draw bodies for an address that takes statements, one or several."""
    one = statement(deep)
    return st.one_of(one, st.lists(one, min_size=1, max_size=4).map(b"".join))


def statement(deep: Deep) -> st.SearchStrategy[bytes]:
    """Draw a statement: half of them valid."""
    valid = st.one_of(_each(deep.offer), _each(deep.segment), _of(deep.made))
    return st.one_of(valid, valid, _broken(valid), _signed_again(deep), nonsense())


def proof_request(deep: Deep) -> st.SearchStrategy[bytes]:
    """Draw bodies for the proofs of many leaves."""
    size = deep.office.checkpoint().checkpoint.size
    within = st.lists(st.integers(0, size - 1), max_size=6, unique=True).map(sorted)
    good = st.builds(lambda a, b: encode({1: size, 2: a, 3: [n + 1 for n in b]}), within, within)
    loose = st.lists(_NUMBERS.filter(lambda n: n <= MAX_INTEGER), max_size=4)
    odd = st.builds(lambda a, b, c: encode({1: a % (2 * size), 2: b, 3: c}), _NUMBERS, loose, loose)
    return st.one_of(good, odd, _broken(good), nonsense())


def package(deep: Deep) -> st.SearchStrategy[bytes]:
    """Draw bodies for the desk that checks disclosures."""
    good = _of([deep.package])
    return st.one_of(good, _broken(good), statement(deep), nonsense())


def sealed() -> st.SearchStrategy[bytes]:
    """Draw packages that nobody here can open."""
    # The lengths of the least paddings, and what no padding gives.
    taken = st.integers(0, 8).map(lambda more: bytes(MIN_SEALED_BYTES + 1_024 * more))
    return st.one_of(taken, taken.map(lambda body: body + b"x"), st.binary(max_size=200))


def nonsense() -> st.SearchStrategy[bytes]:
    """Draw CBOR that means nothing, and bytes that are not CBOR."""
    return st.one_of(_CBOR.map(cbor2.dumps), st.binary(max_size=300))


def _each(make: Callable[[], bytes]) -> st.SearchStrategy[bytes]:
    # A number that nothing depends on: what draws nothing would be taken for the same each time.
    return st.integers(0, 2**63).map(lambda _: make())


def _of(values: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    # By number: a strategy that holds the bytes is written out with all of them in messages.
    return st.integers(0, len(values) - 1).map(values.__getitem__)


def _broken(valid: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    @st.composite
    def break_(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(valid))
        # Not within the length of what was drawn: that is another one each time.
        at = draw(st.integers(0, 65_535)) % len(data)
        match draw(st.sampled_from(["flip", "cut", "double", "insert"])):
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at:]
            case "double":
                data += bytes(data)
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=4))
        return bytes(data)

    return break_()


def _signed_again(deep: Deep) -> st.SearchStrategy[bytes]:
    """Draw statements of which one field was changed before somebody signed them."""
    people = deep.office.people
    signers: Sequence[SeedSigner] = (
        people.freelancer,
        people.client,
        people.arbitrator,
        SeedSigner(bytes(32)),
    )

    @st.composite
    def again(draw: st.DrawFn) -> bytes:
        body = draw(_of(deep.made))
        known = Statement.parse(body)
        payload: Any = decode(known.payload)
        key = draw(st.sampled_from(sorted(payload)))
        payload[key] = draw(_value_like(payload[key]))
        with suppress(ValueError, WorksealError):
            signer = draw(st.sampled_from(signers))
            return sign_statement(known.kind, known.subject, payload, signer).encode()
        return body

    return again()


def _value_like(value: Any) -> st.SearchStrategy[Any]:
    match value:
        case int():
            return st.one_of(
                _NUMBERS.filter(lambda n: n <= MAX_INTEGER), st.just(max(0, value - 1))
            )
        case bytes():
            return st.binary(min_size=len(value), max_size=len(value))
        case str():
            return st.text(max_size=20)
        case _:
            return st.sampled_from([[], {}, 0, b""])


def known_names(deep: Deep) -> dict[str, list[str]]:
    """List names of what exists, by the kind of thing."""
    digests = [Statement.parse(body).digest for body in deep.made]
    engagements = [deep.agent.engagement, unique(deep.office, "deep 1")]
    size = deep.office.checkpoint().checkpoint.size
    return {
        "statement": [str(digest) for digest in digests],
        "request": [str(deep.request.digest)],
        "engagement": [one.hex() for one in engagements],
        "size": [str(n) for n in range(3, size + 1)],
        "tile": [f"{kind}/000.p/{size}" for kind in ("0", "entries")],
        "period": [str(ROUND_MS)],
        "round": [str(deep.office.now // ROUND_MS - n) for n in range(3)],
        "kid": [deep.office.log_key.key.uri.rpartition(":")[2]],
    }
