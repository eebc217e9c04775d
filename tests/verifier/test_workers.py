"""Several workers, several hosts, one log: whoever is killed, there is one history."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from support.asking import SignedBy
from support.command import COMMAND, run
from support.office import ORIGIN
from support.postgres import Cluster
from support.racing import PERIOD_MS, Facts, Sender
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import Segment, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.config import SETTINGS_FILE, Settings
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.store.engine import Database
from workseal_verifier.store.records import RecordStore

pytestmark = pytest.mark.postgres

# The short form runs everywhere; WORKSEAL_LONG=1 is an hour's worth of 120 agents' segments.
LONG = bool(os.environ.get("WORKSEAL_LONG"))
SENDERS, REQUESTS, BATCH = (120, 40, 3) if LONG else (8, 12, 5)
CRASHES = 40 if LONG else 4
# Who is killed is loaded anew, for two seconds of a processor in which nobody else gets on: in the
# short form as many as there are workers, and as many again.
KILLS = None if LONG else 8


@contextmanager
def supervised(
    home: Path, workers: int = 2, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [COMMAND, "serve", "--home", home, "--port", "0", "--workers", str(workers), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    try:
        assert found is not None, process.communicate(timeout=30)
        yield found[0], process
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert "Traceback" not in said, said
    assert "Fatal Python error" not in said, said


def children(process: subprocess.Popen[str]) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
    found = []
    for word in listed.split():
        words = Path(f"/proc/{word}/cmdline").read_bytes()
        if b"workseal_verifier.workers" in words:
            found.append(int(word))
    return found


@pytest.fixture
def home(tmp_path: Path, cluster: Cluster) -> Path:
    return new_host(tmp_path / "one", cluster)


def new_host(made: Path, cluster: Cluster) -> Path:
    words = ("--origin", ORIGIN, "--period-ms", str(PERIOD_MS))
    assert run("init", "--home", made, *words).returncode == 0
    with (made / SETTINGS_FILE).open("a") as file:
        file.write(f'database_url = "{cluster.database()}"\n')
    return made


def second_host(home: Path) -> Path:
    """Make the home of another host: the same settings and keys, a lock folder of its own."""
    other = home.with_name("two")
    other.mkdir(mode=0o700)
    shutil.copy(home / SETTINGS_FILE, other)
    (other / "keys").symlink_to(home / "keys")
    (other / "lock").mkdir(mode=0o700)
    return other


def race(senders: list[Sender], until: threading.Event | None = None) -> None:
    failed: list[BaseException] = []

    def work(sender: Sender) -> None:
        try:
            sender.join()
            sent = 0
            # A fast machine does not end the race before what it is to live through.
            while sent < REQUESTS or not (until is None or until.is_set() or failed):
                sender.send(sender.segments(BATCH))
                sent += 1
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)
        finally:
            sender.close()

    threads = [threading.Thread(target=work, args=(one,)) for one in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]


def kill_now_and_then(
    processes: list[subprocess.Popen[str]], stop: threading.Event, killed: list[int]
) -> None:
    choose = random.Random(7)
    while not stop.wait(choose.uniform(0.5, 1.5)):
        workers = [pid for process in processes for pid in children(process)]
        if len(workers) > len(processes) and (KILLS is None or len(killed) < KILLS):
            victim = choose.choice(workers)
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)


def test_two_hosts_with_two_workers_each_keep_one_history_whoever_is_killed(home: Path) -> None:
    other = second_host(home)
    stop, killed = threading.Event(), []  # type: ignore[var-annotated]
    with ExitStack() as stack:
        urls, processes = [], []
        for one in (home, other):
            url, process = stack.enter_context(supervised(one))
            urls.append(url)
            processes.append(process)
        facts = Facts.of(urls[0])
        killer = threading.Thread(target=kill_now_and_then, args=(processes, stop, killed))
        killer.start()
        senders = [Sender(urls, facts, number) for number in range(SENDERS)]
        try:
            race(senders)
        finally:
            stop.set()
            killer.join()
    assert killed
    require_one_history(home, senders)
    require_one_history(other, senders)


def require_one_history(home: Path, senders: list[Sender]) -> None:
    done = run("check-log", "--home", home)
    assert done.returncode == 0, done.stdout + done.stderr
    database = Database(Settings.load(home).store)
    records = RecordStore(database)
    places: dict[tuple[bytes, int], int] = {}
    for entry in records.all():
        record = read_record(Statement.parse(entry.body))
        if not isinstance(record, Segment):
            continue
        # One leaf for each number of each chain.
        assert places.setdefault((record.engagement, record.seq), entry.position) == entry.position
    assert len(places) == sum(sender.seq - 1 for sender in senders)
    for sender in senders:
        assert records.positions(list(sender.acknowledged)) == sender.acknowledged
    database.close()


@pytest.mark.usefixtures("cluster")
def test_a_database_that_crashes_under_load_takes_back_nothing(tmp_path: Path) -> None:
    own = Cluster()
    try:
        home = new_host(tmp_path / "one", own)
        with supervised(home) as (url, _):
            senders = [Sender([url], Facts.of(url), number) for number in range(SENDERS // 2)]
            over = threading.Event()
            with ThreadPoolExecutor() as pool:
                racing = pool.submit(race, senders, over)
                try:
                    for _ in range(CRASHES):
                        # Some are acknowledged between two crashes.
                        before = sum(len(sender.acknowledged) for sender in senders)
                        while sum(len(sender.acknowledged) for sender in senders) <= before:
                            assert not wait([racing], timeout=0.05).done, racing.result()
                        time.sleep(0.5)
                        own.stop("immediate")
                        own.start()
                finally:
                    over.set()
            racing.result()
        require_one_history(home, senders)
    finally:
        own.close()


def test_a_worker_that_is_killed_is_started_again(home: Path) -> None:
    with supervised(home) as (url, process):
        before = set(children(process))
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        while len(set(children(process)) - before) < 1:
            time.sleep(0.05)
        for _ in range(8):
            assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200


def test_a_second_server_on_one_home_is_refused(home: Path) -> None:
    with supervised(home) as (url, process):
        for words in (("--workers", "2"), ()):
            done = run("serve", "--home", home, "--port", "0", *words)
            assert (done.returncode, done.stdout) == (1, "")
            assert "another process holds this home" in done.stderr
        # Nor was anything taken from the first.
        assert len(children(process)) == 2
        assert (home / "mailroom.sock").is_socket()
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200


def test_workers_stamp_as_often_as_the_command_says(home: Path) -> None:
    with supervised(home, words=("--local-tsa", "--stamp-interval", "1")) as (url, _):
        sender = Sender([url], Facts.of(url), 1)
        for number in range(3):
            sender.number = number
            sender.__post_init__()
            sender.join()
            while not stamped(url, sender.seen.size if sender.seen is not None else 0):
                time.sleep(0.1)
            sender.close()


def stamped(url: str, size: int) -> bool:
    found = httpx.get(f"{url}/v1/log/timestamps", params={"from": size}, trust_env=False)
    return len(found.content) > 1


def test_the_workers_end_with_their_supervisor(home: Path) -> None:
    words = ("serve", "--home", home, "--port", "0", "--workers", "2")
    process = subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("serving")
    workers = children(process)
    process.kill()
    process.communicate()
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
        time.sleep(0.05)


def test_what_one_worker_was_given_every_worker_has(home: Path) -> None:
    """A checkpoint and a proof asked of another worker than the one that answered."""
    with supervised(home) as (url, _):
        sender = Sender([url], Facts.of(url), 1)
        sender.join()
        size = sender.seen.size if sender.seen is not None else 0
        for _ in range(20):
            with httpx.Client(trust_env=False) as fresh:
                listed = fresh.get(
                    f"{url}/v1/engagements/{sender.engagement.hex()}/indices",
                    auth=SignedBy(sender.signer, SystemClock().now_ms),
                )
                assert listed.status_code == 200
                found = fresh.get(f"{url}/v1/log/checkpoint").text.splitlines()
                assert int(found[1]) >= size
                for digest in sender.acknowledged:
                    assert fresh.get(f"{url}/v1/statements/{digest}").status_code == 200
        sender.close()


def test_a_recorded_request_is_taken_as_often_as_the_page_says(home: Path) -> None:
    """A change once by all workers together, a read once by each, and by none that came later."""
    with supervised(home) as (url, process):
        sender = Sender([url], Facts.of(url), 1)
        sender.join()
        read = recorded(url, f"/v1/engagements/{sender.engagement.hex()}/keys", sender.signer)
        change = recorded(url, "/v1/signin/links", sender.signer, "POST")
        assert [sent(change) for _ in range(20)].count(201) == 1
        assert 1 <= [sent(read) for _ in range(20)].count(200) <= 2
        before = children(process)
        # Signatures tell whole seconds.
        time.sleep(1)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        while set(children(process)) & set(before) or len(children(process)) < 2:
            time.sleep(0.05)
        assert {sent(read) for _ in range(20)} == {401}
        assert {sent(change) for _ in range(20)} == {401}
        fresh = recorded(url, read.url.path, sender.signer)
        assert sent(fresh) == 200
        sender.close()


def recorded(url: str, path: str, signer: SeedSigner, method: str = "GET") -> httpx.Request:
    request = httpx.Request(method, f"{url.rstrip('/')}{path}")
    return next(SignedBy(signer, SystemClock().now_ms).auth_flow(request))


def sent(request: httpx.Request) -> int:
    """Send it by a new connection, which either worker takes; until one is there to answer."""
    while True:
        try:
            with httpx.Client(trust_env=False, timeout=30) as client:
                return client.send(request).status_code
        except httpx.TransportError:
            time.sleep(0.05)


def test_several_workers_need_a_database_that_they_share(tmp_path: Path) -> None:
    assert run("init", "--home", tmp_path / "v", "--origin", ORIGIN).returncode == 0
    done = run("serve", "--home", tmp_path / "v", "--port", "0", "--workers", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "set database_url to PostgreSQL" in done.stderr


def test_a_database_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    home = tmp_path / "v"
    assert run("init", "--home", home, "--origin", ORIGIN).returncode == 0
    with (home / SETTINGS_FILE).open("a") as file:
        file.write(f'database_url = "postgresql+psycopg://hush@/x?host={tmp_path}"\n')
    for words in (("--workers", "2"), ()):
        done = run("serve", "--home", home, "--port", "0", *words)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "the database cannot be reached" in done.stderr
        assert "hush" not in done.stderr


def test_the_worker_module_says_nothing_of_its_own(tmp_path: Path) -> None:
    words = [str(tmp_path), "0", str(tmp_path / "room"), "60", ""]
    done = subprocess.run(
        [sys.executable, "-m", "workseal_verifier.workers", *words],
        capture_output=True,
        text=True,
        check=False,
        input="",
        timeout=60,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
