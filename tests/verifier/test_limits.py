"""How often somebody may ask, and that nobody can read who was counted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.office import LiveServer, Office, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START
from workseal_protocol.encoding import encode
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import SessionOpen, sign
from workseal_verifier.api import log
from workseal_verifier.api.guard import READ, SUBMISSION, kind_of
from workseal_verifier.api.sender import sender_of
from workseal_verifier.api.values import CBOR
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.limits import Limiter


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


def limiter(clock: Clock, **changes: Any) -> Limiter:
    options: dict[str, Any] = {"rate": 2, "burst": 4, "what": "requests", "now": clock}
    return Limiter(**(options | changes))


def refused(limits: Limiter, name: bytes, cost: int = 1) -> RefusedError | None:
    try:
        limits.require(name, cost)
    except RefusedError as refusal:
        return refusal
    return None


def test_a_burst_then_so_many_a_second() -> None:
    clock = Clock()
    limits = limiter(clock)
    assert [refused(limits, b"a") for _ in range(4)] == [None] * 4
    refusal = refused(limits, b"a")
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after) == (Reason.TOO_MANY, 1)
    # Another name has a burst of its own.
    assert refused(limits, b"b") is None
    clock.s += 1
    assert [refused(limits, b"a") is None for _ in range(3)] == [True, True, False]
    clock.s += 1_000
    assert [refused(limits, b"a") is None for _ in range(5)] == [True] * 4 + [False]


def test_a_cost_above_the_burst_can_still_be_met() -> None:
    clock = Clock()
    limits = limiter(clock)
    assert refused(limits, b"a", 100) is None
    told = refused(limits, b"a", 100)
    assert told is not None
    assert told.retry_after == 2
    clock.s += 2
    assert refused(limits, b"a", 100) is None


def test_a_rate_of_0_counts_nothing() -> None:
    limits = limiter(Clock(), rate=0)
    assert all(refused(limits, b"a", 10**9) is None for _ in range(9))
    assert not limits._left


def test_the_longest_unused_name_is_forgotten_first() -> None:
    limits = limiter(Clock(), burst=1, most=2)
    for name in (b"a", b"b", b"a"):
        refused(limits, name)
    limits.require(b"c")
    assert len(limits._left) == 2
    assert refused(limits, b"a") is not None
    assert refused(limits, b"b") is None


def test_no_name_is_kept_and_none_can_be_recomputed() -> None:
    one, other = limiter(Clock()), limiter(Clock())
    for limits in (one, other):
        limits.require(b"192.0.2.7")
    assert not set(one._left) & set(other._left)
    assert not [name for name in one._left if b"192" in name or bytes([192, 0, 2, 7]) in name]


def scope(client: str | None = None, *headers: tuple[str, str]) -> dict[str, Any]:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "client": client and (client, 1), "headers": raw}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_sender_is_its_address_or_its_network(one: str, other: str, alike: bool) -> None:  # noqa: FBT001
    assert (sender_of(scope(one), "") == sender_of(scope(other), "")) is alike


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", None, "a socket"])
def test_who_asks_from_this_machine_is_not_counted(client: str | None) -> None:
    assert sender_of(scope(client), "") is None


def test_a_header_counts_only_where_it_is_trusted_and_by_its_last_value() -> None:
    told = ("x-real-ip", "192.0.2.1, 192.0.2.2")
    assert sender_of(scope("127.0.0.1", told), "") is None
    found = sender_of(scope("127.0.0.1", told), "x-real-ip")
    assert found == sender_of(scope("192.0.2.2"), "")
    assert sender_of(scope("127.0.0.1", *[("x-real-ip", "1.2.3.4"), told]), "x-real-ip") == found
    # What a proxy does not tell apart is one sender.
    assert sender_of(scope("127.0.0.1"), "x-real-ip") == b""


def test_a_sender_beyond_its_rate_is_told_so(tmp_path: Path) -> None:
    settings = new_home(tmp_path, sender_rate=1, sender_burst=3, sender_header="x-real-ip")
    office = Office(settings).open()
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False) as client,
    ):
        answers = [
            client.get("/v1/log/checkpoint", headers={"x-real-ip": "192.0.2.1"}) for _ in range(9)
        ]
        codes = [one.status_code for one in answers]
        assert codes[:3] == [200] * 3
        assert 429 in codes
        late = answers[codes.index(429)]
        assert late.json()["detail"] == "too many requests from one sender"
        assert int(late.headers["retry-after"]) >= 1
        other = client.get("/v1/log/checkpoint", headers={"x-real-ip": "192.0.2.2"})
        assert other.status_code == 200
    office.close()


def test_a_large_proof_counts_as_many_requests_of_its_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_HASHES_A_REQUEST", 1)
    settings = new_home(tmp_path, sender_rate=1, sender_burst=4, sender_header="x-real-ip")
    office = Office(settings).open()
    office.post([stranger_offer(office, number) for number in range(200)])
    size = office.checkpoint().checkpoint.size
    asked = encode({1: size, 2: [0, size // 2], 3: []})
    own, other = ({"x-real-ip": f"192.0.2.{n}", "content-type": CBOR} for n in (1, 2))
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False) as client,
    ):
        answer = client.post("/v1/log/proof", content=asked, headers=own)
        assert answer.status_code == 200
        late = client.get("/v1/log/checkpoint", headers=own)
        assert late.status_code == 429
        # Of fourteen and more hashes, three were left; one comes back each second.
        assert int(late.headers["retry-after"]) >= 8
        assert client.post("/v1/log/proof", content=asked, headers=other).status_code == 200
    office.close()


def test_what_a_header_tells_counts_for_nothing_unless_it_is_named(tmp_path: Path) -> None:
    """Else anybody behind a proxy on this machine would choose who they are."""
    settings = new_home(tmp_path, sender_rate=1, sender_burst=3)
    office = Office(settings).open()
    told = {"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1"}
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, headers=told) as client,
    ):
        codes = {client.get("/v1/log/checkpoint").status_code for _ in range(9)}
    assert codes == {200}
    office.close()


def test_a_signer_beyond_its_rate_is_told_so_and_nobody_else(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path, signer_rate=1, signer_burst=6)).open()
    office.now = START
    agent = ScriptedAgent(office)
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        agent.open_session()
        agent.work(12 * ROUND_MS)
        pending = [one.encode() for one in agent.pending]
        first = client.post("/v1/statements", content=b"".join(pending[:5]))
        assert first.status_code == 200
        # What goes beyond is taken, and the signer waits for as long as that was worth.
        beyond = client.post("/v1/statements", content=b"".join(pending[5:10]))
        assert beyond.status_code == 200
        late = client.post("/v1/statements", content=pending[10])
        assert int(late.headers["retry-after"]) >= 2
        assert late.status_code == 429
        assert late.json()["detail"] == "too many statements by one signer"
        # Whoever pretends to be the signer uses up nothing: only who surely signed is counted.
        forged = replace(stranger_offer(office, 1), signature=bytes(64)).encode()
        for _ in range(9):
            assert client.post("/v1/statements", content=forged).status_code == 422
        assert (
            client.post("/entries", content=stranger_offer(office, 1).encode()).status_code == 201
        )
        stranger = sign(agent.made[-1][1], SeedSigner(bytes(32))).encode()
        for _ in range(9):
            assert client.post("/v1/statements", content=stranger).status_code == 403
    assert office.check() == []
    office.close()


def test_what_is_sent_again_costs_its_signer_nothing(tmp_path: Path) -> None:
    """Whoever reads a statement can send it again: that must neither shut its signer out nor tell
    how much the signer says elsewhere."""
    office = Office(new_home(tmp_path, signer_rate=1, signer_burst=9)).open()
    office.now = START
    agent = ScriptedAgent(office)
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        signers = live.app.state.services.signers
        signers._now = lambda: 0.0
        agent.open_session()
        agent.work(12 * ROUND_MS)
        pending = [one.encode() for one in agent.pending]
        again = agent.made[1][0].encode()
        for content in (again, again * 9, again * 9, again + pending[0] * 2, pending[0] * 9):
            assert client.post("/v1/statements", content=content).status_code == 200
        assert [left for left, _ in signers._left.values()] == [8]
        # What is refused is not new either.
        opened = agent.made[2][1]
        assert isinstance(opened, SessionOpen)
        forked = sign(replace(opened, agent="another"), office.people.freelancer).encode()
        assert client.post("/v1/statements", content=forked).status_code == 409
        assert [left for left, _ in signers._left.values()] == [8]
        assert client.post("/v1/statements", content=b"".join(pending[1:11])).status_code == 200
        assert client.post("/v1/statements", content=pending[11]).status_code == 429
    assert office.check() == []
    office.close()


def test_who_is_charged_beyond_what_is_left_waits_for_it() -> None:
    clock = Clock()
    limits = limiter(clock)
    limits.require_credit(b"a")
    assert not limits._left
    limits.charge(b"a", 10)
    with pytest.raises(RefusedError) as caught:
        limits.require_credit(b"a")
    assert (caught.value.reason, caught.value.retry_after) == (Reason.TOO_MANY, 3)
    limits.require_credit(b"b")
    clock.s += 3
    limits.require_credit(b"a")
    limits.charge(b"a", 1)
    with pytest.raises(RefusedError):
        limits.require_credit(b"a")


def test_submissions_are_shed_before_reads(office: Office) -> None:
    with (
        LiveServer(office, max_submissions=1) as live,
        httpx.Client(base_url=live.url, trust_env=False) as client,
        live.connect() as held,
    ):
        held.sendall(b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc")
        while live.app.state.arrivals.count < 1:
            pass
        shed = client.post("/v1/statements", content=stranger_offer(office, 1).encode())
        assert shed.status_code == 503
        assert shed.headers["retry-after"] == "2"
        for _ in range(5):
            assert client.get("/v1/log/checkpoint").status_code == 200
            assert client.post("/v1/log/proof", content=b"").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/statements/x", READ),
        ("HEAD", "/x", READ),
        ("OPTIONS", "/v1/statements", READ),
        ("POST", "/v1/log/proof", READ),
        ("POST", "/v1/statements", SUBMISSION),
        ("PUT", "/v1/sealed/x", SUBMISSION),
        ("DELETE", "/x", SUBMISSION),
    ],
)
def test_reads_and_submissions_are_told_apart(method: str, path: str, kind: str) -> None:
    assert kind_of({"method": method, "path": path}) == kind
