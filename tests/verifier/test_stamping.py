import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from support.office import Office, new_home, stranger_offer
from support.simulator import START
from support.stamp import FixedTsa
from support.tsa import POLICY_OID, LocalTsa
from support.tsa import Authority as Certified
from support.tsahttp import REJECTION, Dripping, ServedTsa
from workseal_protocol.timestamp import Stamp, token_request, verify_token
from workseal_verifier.services.health import STAMPING
from workseal_verifier.services.stamping import AHEAD_MS, Authority, Stamper
from workseal_verifier.tsa import TsaClient

OTHER_POLICY = "1.3.6.1.4.1.32473.2"
FIXED = FixedTsa.from_seed(b"stamping")
DEAD = "http://127.0.0.1:1/"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa.make(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def now(office: Office) -> int:
    """Set the office's clock to the time that `openssl ts` will tell."""
    office.now = time.time_ns() // 1_000_000
    office.post([stranger_offer(office, "now")])
    return office.now


@pytest.fixture
def second(tsa: LocalTsa) -> Iterator[ServedTsa]:
    with ServedTsa(tsa.answer) as served:
        yield served


def authority(
    send: Callable[[bytes], bytes], root: bytes, name: str = "first", policy: str = POLICY_OID
) -> Authority:
    return Authority(name=name, send=send, roots=(root,), policy=policy)


def stamper_of(office: Office, *authorities: Authority) -> Stamper:
    verifier = office.verifier
    return Stamper(
        verifier.log,
        verifier.publisher,
        verifier.identity,
        authorities,
        clock=office.clock,
        health=verifier.health,
    )


def tokens(office: Office) -> list[tuple[int, bytes]]:
    return office.verifier.services.reader.tokens(0, 99)


def stamp_of(office: Office, token: bytes, root: bytes) -> Stamp:
    message = office.checkpoint().log_signed(office.log_key)
    return verify_token(token, message=message, roots=[root])


@pytest.mark.usefixtures("now")
def test_stamps_once_for_each_growth(office: Office, tsa: LocalTsa) -> None:
    stamper = stamper_of(office, authority(tsa.answer, tsa.root.der))
    for _ in range(3):
        office.verifier.health.failed(STAMPING)
    assert stamper.stamp()
    assert office.verifier.health.failing() == ()
    assert not stamper.stamp()
    office.post([stranger_offer(office, 1)])
    assert stamper.stamp()
    assert [size for size, _ in tokens(office)] == [4, 5]


@pytest.mark.usefixtures("now")
def test_the_first_authority_that_works_is_the_only_one_asked(
    office: Office, tsa: LocalTsa, second: ServedTsa
) -> None:
    stamper = stamper_of(
        office,
        authority(tsa.answer, tsa.root.der),
        authority(TsaClient(second.url).send, tsa.root.der, "second"),
    )
    assert stamper.stamp()
    assert second.asked == 0


# How a first authority may fail, and what is told of it.
HOSTILE = {
    "down": "did not answer: ConnectError",
    "silent": "did not answer in 0.5 s",
    "dripping": "did not answer in 0.5 s",
    "ill": "answered 500",
    "redirecting": "answered 302",
    "huge": "exceeds 65536 bytes",
    "large": "has 20000 bytes",
    "garbage": "expected a time-stamp response in DER",
    "refusing": "did not grant",
    "policy": "under another policy",
    "nonce": "its nonce differs",
    "message": "over another message",
    "root": "does not lead to a trusted root",
    "chain": "does not lead to a trusted root",
    "behind": "s behind this one",
    "ahead": "s ahead of this one",
}


def hostile(
    how: str, office: Office, tsa: LocalTsa, good: str, folder: Path
) -> AbstractContextManager[ServedTsa | Dripping | None]:
    """Make the authority that fails in this way."""
    kept = tsa.answer(token_request(office.checkpoint().log_signed(office.log_key), 1))

    def other(request: bytes) -> bytes:
        return tsa.answer(request[:24] + bytes(32) + request[56:])

    def at(shift: int) -> ServedTsa:
        return ServedTsa(lambda request: FIXED.answer(request, office.now + shift))

    middle = Certified.root().issue("Middle", authority=True)
    makers: dict[str, Callable[[], ServedTsa | Dripping]] = {
        "silent": lambda: Dripping(b"", b""),
        "dripping": lambda: Dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"),
        "ill": lambda: ServedTsa(tsa.answer, status=500),
        "redirecting": lambda: ServedTsa(tsa.answer, status=302, location=good),
        "huge": lambda: ServedTsa(lambda _: bytes(70_000)),
        "large": lambda: ServedTsa(lambda _: bytes(20_000)),
        "garbage": lambda: ServedTsa(lambda _: b"garbage"),
        "refusing": lambda: ServedTsa(lambda _: REJECTION),
        "policy": lambda: ServedTsa(
            LocalTsa.make(folder, root=tsa.root, policy=OTHER_POLICY).answer
        ),
        "nonce": lambda: ServedTsa(lambda _: kept),
        "message": lambda: ServedTsa(other),
        "root": lambda: ServedTsa(LocalTsa.make(folder).answer),
        "chain": lambda: ServedTsa(
            LocalTsa.make(folder, root=tsa.root, leaf=middle.issue_leaf()).answer
        ),
        "behind": lambda: at(-3_600_000),
        "ahead": lambda: at(AHEAD_MS + 1_001),
    }
    return makers[how]() if how in makers else nullcontext()


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.usefixtures("now")
def test_a_second_authority_steps_in(
    office: Office,
    tsa: LocalTsa,
    second: ServedTsa,
    tmp_path: Path,
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    with hostile(how, office, tsa, second.url, tmp_path / "hostile") as bad:
        url = (DEAD if bad is None else bad.url).replace("http://", "http://user:secret@")
        root = FIXED.root_der if how in {"behind", "ahead"} else tsa.root.der
        hurry = 0.5 if isinstance(bad, Dripping) else 20.0
        first = authority(TsaClient(f"{url}?key=secret", timeout_s=hurry).send, root)
        alone = stamper_of(office, first)
        for _ in range(3):
            assert not alone.stamp()
        assert tokens(office) == []
        assert office.verifier.health.failing() == (STAMPING, f"{STAMPING} by first")
        fine = authority(TsaClient(second.url).send, tsa.root.der, "second")
        assert stamper_of(office, first, fine).stamp()
    ((size, token),) = tokens(office)
    assert size == 4
    stamp_of(office, token, tsa.root.der)
    # The checkpoint has its token: that the first one fails is told beside.
    assert office.verifier.health.failing() == (f"{STAMPING} by first",)
    assert not office.verifier.health.down()
    assert "no time-stamp by first: " in caplog.text
    assert HOSTILE[how] in caplog.text
    assert "secret" not in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.usefixtures("now")
def test_an_intermediate_that_the_token_leaves_out_comes_from_the_settings(
    office: Office, tsa: LocalTsa, tmp_path: Path
) -> None:
    """As with `openssl ts`, whose tokens hold the signer's certificate alone."""
    middle = tsa.root.issue("Middle", authority=True)
    below = LocalTsa.make(tmp_path, root=tsa.root, leaf=middle.issue_leaf())
    helped = Authority(
        name="below",
        send=below.answer,
        roots=(tsa.root.der,),
        policy=POLICY_OID,
        intermediates=(middle.der,),
    )
    assert stamper_of(office, helped).stamp()


def test_one_that_is_no_longer_asked_is_not_asked(office: Office, tsa: LocalTsa) -> None:
    former = Authority(name="former", send=None, roots=(tsa.root.der,), policy=POLICY_OID)
    stamper = stamper_of(office, former)
    for _ in range(3):
        assert not stamper.stamp()
    assert office.verifier.health.failing() == (STAMPING,)
    assert tokens(office) == []


def test_the_newest_checkpoint_is_stamped_also_while_the_clock_is_behind(
    office: Office, now: int, tsa: LocalTsa
) -> None:
    """Nothing new is signed then; what is signed can still get its token."""
    office.now = now - AHEAD_MS // 2
    assert stamper_of(office, authority(tsa.answer, tsa.root.der)).stamp()


def test_a_log_without_an_authority_works(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    office.post([stranger_offer(office, 1)])
    assert tokens(office) == []
    office.close()
