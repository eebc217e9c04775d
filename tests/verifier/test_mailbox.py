import pytest

from support.office import FakeClock
from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.mailbox import Mailbox


def name(word: str) -> Digest:
    return Digest.of(word.encode())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def mailbox(clock: FakeClock) -> Mailbox:
    return Mailbox(clock, count=2, total=10, ttl_ms=1_000)


def test_gives_back_what_was_put(mailbox: Mailbox) -> None:
    mailbox.put(name("a"), b"a", b"first")
    mailbox.put(name("a"), b"a", b"second")
    assert mailbox.get(name("a")) == b"second"


def test_forgets_after_its_time(mailbox: Mailbox, clock: FakeClock) -> None:
    mailbox.put(name("a"), b"a", b"x")
    clock.ms += 999
    assert mailbox.get(name("a")) == b"x"
    clock.ms += 1
    with pytest.raises(RefusedError) as gone:
        mailbox.get(name("a"))
    assert gone.value.reason is Reason.NOT_FOUND


def test_lets_go_of_what_is_dropped_and_of_nothing_else(mailbox: Mailbox) -> None:
    for word in ("a", "b"):
        mailbox.put(name(word), word.encode(), b"x")
    mailbox.drop(name("a"))
    mailbox.drop(name("a"))
    with pytest.raises(RefusedError, match="no package waits"):
        mailbox.get(name("a"))
    assert mailbox.get(name("b")) == b"x"


def test_holds_only_so_many(mailbox: Mailbox, clock: FakeClock) -> None:
    mailbox.put(name("a"), b"a", b"x")
    mailbox.put(name("b"), b"b", b"x")
    with pytest.raises(RefusedError, match="full"):
        mailbox.put(name("c"), b"c", b"x")
    clock.ms += 1_000
    mailbox.put(name("c"), b"c", b"x")


def test_holds_only_so_much_and_pushes_nobody_out(mailbox: Mailbox) -> None:
    mailbox.put(name("a"), b"a", b"12345")
    with pytest.raises(RefusedError, match="full"):
        mailbox.put(name("b"), b"b", b"123456")
    mailbox.put(name("a"), b"a", b"1234567890")
    assert mailbox.get(name("a")) == b"1234567890"


def test_one_engagement_has_a_share_of_the_mailbox(clock: FakeClock) -> None:
    mailbox = Mailbox(clock, count=8, total=100, ttl_ms=1_000)
    mailbox.put(name("a"), b"one", b"x")
    mailbox.put(name("b"), b"one", b"x")
    with pytest.raises(RefusedError, match="full"):
        mailbox.put(name("c"), b"one", b"x")
    mailbox.put(name("a"), b"one", b"again")
    mailbox.put(name("c"), b"other", bytes(90))
    clock.ms += 1_000
    mailbox.put(name("a"), b"one", bytes(30))
    with pytest.raises(RefusedError, match="full"):
        mailbox.put(name("b"), b"one", bytes(21))
    mailbox.put(name("b"), b"one", bytes(20))
