import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from support.carried import Carrying
from support.office import LiveServer, Office, new_home
from support.rig import Rig
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_agent import listing
from workseal_agent.connection import PAGE, UnreachableError, VerifierClient
from workseal_agent.ledger import Engagement
from workseal_agent.listing import listed, most_of, pages
from workseal_client import client
from workseal_protocol.checkpoint import sign_checkpoint
from workseal_protocol.encoding import Value, encode
from workseal_protocol.keys import SeedSigner

NOBODY = bytes(16)


class Lister(Carrying):
    """List `total` statements of one byte at every second index, or as a test says."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked = 0
        self.lie: Callable[[list[int]], list[Value]] = list
        self.bodies = 1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert self.asked < 1_000, "it reads for ever"
        query = request.url.params
        since, count = int(query["from"]), int(query["count"])
        first = (since + 1) // 2 * 2
        last = min(first + 2 * count, 2 * self.total, int(query["size"]))
        found = list(range(first, last, 2))
        if request.url.path.endswith("indices"):
            return httpx.Response(200, content=encode(self.lie(found)))
        return httpx.Response(200, content=b"\x07" * (len(found) * self.bodies))


def client_of(lister: Lister) -> VerifierClient:
    return VerifierClient("http://localhost", lister)


def test_a_hundred_thousand_statements_come_page_by_page() -> None:
    lister = Lister(100_000)
    found = pages(client_of(lister), NOBODY, size=10**6, most=100_000)
    assert next(found) == (0, b"\x07")
    assert lister.asked == 2, "no page is asked for before it is needed"
    assert [index for index, _ in found] == list(range(2, 200_000, 2))
    assert lister.asked == 2 * -(-100_000 // PAGE)


@pytest.mark.parametrize("total", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_a_listing_ends_where_it_ends(total: int) -> None:
    assert len(list(pages(client_of(Lister(total)), NOBODY, size=10**6))) == total


def test_nothing_is_listed_beyond_the_size_that_was_asked_for() -> None:
    found = list(pages(client_of(Lister(10**6)), NOBODY, size=5_001))
    assert [index for index, _ in found] == list(range(0, 5_001, 2))


def test_a_verifier_that_never_comes_to_an_end_is_left() -> None:
    lister = Lister(10**12)
    found = pages(client_of(lister), NOBODY, size=10**13, most=5_000)
    with pytest.raises(UnreachableError, match="more than the 5000 statements"):
        list(found)
    assert lister.asked <= 2 * (5_000 // PAGE + 1)


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda _: [], id="none of what came"),
        pytest.param(lambda found: found[:-1], id="one fewer"),
        pytest.param(lambda found: [*found, found[-1] + 1], id="one more"),
        pytest.param(lambda found: [found[0], *found[:-1]], id="one twice"),
        pytest.param(lambda found: found[::-1], id="backwards"),
        pytest.param(lambda found: [0, *found[1:]], id="from before the page"),
        pytest.param(lambda found: [*found[:-1], 10**6], id="beyond the log"),
        pytest.param(lambda found: [*found[:-1], -1], id="below zero"),
        pytest.param(lambda found: [*found[:-1], "x"], id="no number"),
        pytest.param(lambda _: 5, id="no list"),
    ],
)
def test_a_page_that_is_not_of_its_indices_is_no_answer(
    lie: Callable[[list[int]], list[Value]],
) -> None:
    lister = Lister(3 * PAGE)
    found = pages(client_of(lister), NOBODY, size=10**6)
    for _ in range(PAGE):
        next(found)
    lister.lie = lie
    with pytest.raises(UnreachableError, match="not in the right form"):
        next(found)


def test_a_page_has_no_more_than_was_asked_for() -> None:
    lister = Lister(2 * PAGE)
    lister.bodies = 2
    lister.lie = lambda found: [*found, *(10_000 + n for n in range(len(found)))]
    with pytest.raises(UnreachableError, match="at most"):
        next(pages(client_of(lister), NOBODY, size=10**6))


# --- the bound is the agent's own ---

HOUR_MS = 3_600_000


@pytest.mark.parametrize("round_ms", [1_000, 10_000, 30_000, 600_000])
def test_no_honest_year_comes_near_the_most(tmp_path: Path, round_ms: int) -> None:
    """Sixteen hours of each day, every round cut in two, and a beacon for each hour."""
    rig = Rig(tmp_path, round_ms=round_ms)
    for days in (1, 30, 366, 3_660):
        segments = 2 * days * 16 * HOUR_MS // round_ms
        operators = 24 * days if days <= 366 else 2 * days
        now = rig.engagement.agreed_at + days * 24 * HOUR_MS
        assert segments + operators < most_of(rig.engagement, now)


def test_a_clock_that_is_behind_leaves_room(tmp_path: Path) -> None:
    assert most_of(Rig(tmp_path).engagement, 0) == listing.MOST_BESIDE_ROUNDS


def test_a_checkpoint_of_another_log_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    stranger = SeedSigner(b"\x77" * 32)
    forged = sign_checkpoint(rig.simulator.checkpoint().checkpoint, stranger).encode()
    for lie in (b"x", forged):
        monkeypatch.setattr(rig.client, "checkpoint", lambda lie=lie: lie)
        with pytest.raises(UnreachableError, match="newest checkpoint is not the log's"):
            next(listed(rig.client, rig.engagement))


# --- a real verifier ---


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(new_home(tmp_path)).open()
    made.now = START
    yield made
    made.close()


def test_a_real_verifier_lists_the_same_in_pages_while_its_log_grows(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    agent.work(120_000)
    agent.send()
    office.others(3)
    reader = office.verifier.services.reader
    whole = [(one.position, one.body) for one in reader.listing(agent.engagement)]
    offer, acceptance = (statement.encode() for statement, _ in agent.made[:2])
    for module in (client, listing):
        monkeypatch.setattr(module, "PAGE", 4)
    with LiveServer(office) as live:
        engagement = Engagement(agent.engagement, offer, acceptance, live.url, ())
        asking = VerifierClient(
            live.url, signer=office.people.freelancer, now_ms=lambda: office.now
        )
        found = listed(asking, engagement)
        first = list(itertools.islice(found, 4))
        agent.work(30_000)
        agent.send()
        assert first + list(found) == whole
        assert len(whole) > 12
        assert len(list(listed(asking, engagement))) > len(whole)
        asking.close()
