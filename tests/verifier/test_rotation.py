"""The operator's key is replaced by a statement in the log, whenever the power goes."""

from pathlib import Path

import pytest

from support.command import run
from support.office import ORIGIN, FakeClock, Office, check_home, new_home
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey, Role, SeedSigner
from workseal_protocol.records import BeaconCommitment, KeyRecord, KeyRotate, read_record, sign
from workseal_protocol.statement import Statement
from workseal_verifier import rotation
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError, RefusedError, StoreError
from workseal_verifier.homekeys import load_identity
from workseal_verifier.homelock import HomeLock
from workseal_verifier.keyfiles import read_secret
from workseal_verifier.rotation import rotate_operator


def operator_of(settings: Settings) -> PublicKey:
    return load_identity(settings).operator.public_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = new_home(tmp_path)
    Office(settings, clock=FakeClock(START - 3_600_000)).open().close()
    return settings


def test_the_new_key_speaks_and_the_old_one_no_longer(settings: Settings) -> None:
    old = SeedSigner(read_secret(settings.keys / "operator.seed"))
    new = rotate_operator(settings, FakeClock(START))
    assert new != old.public_key
    assert operator_of(settings) == new
    assert not settings.next_operator.exists()
    assert (settings.keys / "operator.seed").stat().st_mode & 0o077 == 0
    office = Office(settings, clock=FakeClock(START))
    office.open()
    office.now += 86_400_000
    office.verifier.housekeeping.keep()
    rows = list(office.verifier.records.of_kinds(["beacon.commitment", "key.rotate"], below=99))
    history = KeyHistory.start({Role.OPERATOR: (old.public_key,)})
    rotated = False
    for entry in rows:
        statement = Statement.parse(entry.body)
        record = read_record(statement)
        if isinstance(record, KeyRecord):
            history = history.advance(entry.position, statement, record)
            rotated = True
            continue
        # An offline reader who knows the first key alone accepts all of them.
        history.check_signature(statement, entry.position)
        assert (statement.issuer == new.thumbprint) is rotated
    assert rotated
    assert isinstance(record, BeaconCommitment)
    assert check_home(settings, office) == []
    office.close()


def test_no_key_is_replaced_while_another_host_serves_the_log(
    both: tuple[Office, Office],
) -> None:
    """It would go on with the old key; and serves again when it has been stopped."""
    first, second = both
    settings = first.verifier.settings
    first.close()
    second.verifier.housekeeping.keep()
    with pytest.raises(ConfigError, match="stop all of them"):
        rotate_operator(settings, FakeClock(START))
    assert not settings.next_operator.exists()
    second.close()
    assert rotate_operator(settings, FakeClock(START)) == operator_of(settings)


def test_a_server_whose_key_was_replaced_commits_to_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No reader would take it: a day's rounds would have no value that counts."""
    settings = new_home(tmp_path)
    office = Office(settings, clock=FakeClock(START - 3_600_000)).open()
    old = office.verifier.identity.operator
    new = SeedSigner(b"\x07" * 32)
    record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(record, old)])
    committed = office.verifier.records.of_kinds(["beacon.commitment"], below=99)
    before = len(list(committed))
    office.now += 86_400_000
    for _ in range(3):
        office.verifier.housekeeping.keep()
    committed = office.verifier.records.of_kinds(["beacon.commitment"], below=99)
    assert len(list(committed)) == before
    assert office.verifier.health.failing() == ("housekeeping",)
    assert [one.getMessage() for one in caplog.records] == [
        "housekeeping waits: the log has ended the operator's key that this server has: restart it"
    ]
    office.close()
    (settings.keys / "operator.seed").write_text((b"\x07" * 32).hex() + "\n")
    office = Office(settings, clock=FakeClock(START + 86_400_000)).open()
    committed = office.verifier.records.of_kinds(["beacon.commitment"], below=99)
    assert len(list(committed)) > before
    assert check_home(settings, office) == []
    office.close()


def test_check_log_names_what_an_ended_key_of_the_operator_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs of before took it, and no reader does."""
    settings = new_home(tmp_path)
    office = Office(settings, clock=FakeClock(START - 3_600_000)).open()
    old = office.verifier.identity.operator
    new = SeedSigner(b"\x07" * 32)
    record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(record, old)])
    monkeypatch.setattr("workseal_verifier.services.rules.require_signature", lambda *_: None)
    office.now += 86_400_000
    office.verifier.housekeeping.keep()
    rows = list(office.verifier.records.of_kinds(["beacon.commitment"], below=99))
    rotated = next(iter(office.verifier.records.of_kinds(["key.rotate"], below=99))).position
    late = [row.position for row in rows if row.position > rotated]
    assert late
    office.close()
    (settings.keys / "operator.seed").write_text((b"\x07" * 32).hex() + "\n")
    problems = check_home(settings, office)
    assert problems == [
        f"statement {place}: the key that signed it was not the operator's there" for place in late
    ]


def test_an_engagement_of_before_goes_on(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    clock = FakeClock(START - 3_600_000)
    office = Office(settings, clock=clock)
    office.open()
    office.now = START
    agent = ScriptedAgent(office)
    agent.open_session()
    agent.work(25_000)
    agent.send()
    old = office.verifier.identity.operator
    new = SeedSigner(b"\x07" * 32)
    record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(record, old)])
    office.close()
    (settings.keys / "operator.seed").write_text((b"\x07" * 32).hex() + "\n")
    again = Office(settings, clock=clock)
    again.people = office.people
    again.open()
    agent.verifier = again
    agent.work(25_000)
    agent.send()
    agent.close_session()
    assert again.check() == []
    again.close()


def test_a_rotation_that_is_logged_and_not_finished_is_finished_first(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    old = operator_of(settings)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "replace_file", killed)
        with pytest.raises(KeyboardInterrupt):
            rotate_operator(settings)
    assert operator_of(settings) == old
    office = Office(settings, clock=FakeClock(START))
    with pytest.raises(ConfigError, match="finish it with 'workseal-verifier rotate'"):
        office.open()
    office.close()
    new = rotate_operator(settings)
    assert operator_of(settings) == new != old
    office = Office(settings, clock=FakeClock(START))
    office.open()
    rows = list(office.verifier.records.of_kinds(["key.rotate"], below=99))
    assert len(rows) == 1
    office.close()


def test_a_rotation_that_was_not_logged_changes_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise StoreError("killed here")

    old = operator_of(settings)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_log_rotation", killed)
        with pytest.raises(StoreError):
            rotate_operator(settings)
    assert operator_of(settings) == old
    # Doing it again uses the same next key.
    wanted = SeedSigner(read_secret(settings.next_operator)).public_key
    assert rotate_operator(settings) == wanted


def test_nobody_else_rotates_the_operator(settings: Settings) -> None:
    office = Office(settings, clock=FakeClock(START))
    office.open()
    thief, mine = SeedSigner(b"\x09" * 32), SeedSigner(b"\x0a" * 32)
    record = KeyRotate.make(
        claimed_at=START, old=office.verifier.identity.operator.public_key, new=mine
    )
    with pytest.raises(RefusedError, match="not a party"):
        office.post([sign(record, thief)])
    office.close()


def test_a_rotation_that_is_refused_begins_nothing(tmp_path: Path) -> None:
    """Else the server would not start again until somebody finished it."""
    settings = new_home(tmp_path)
    lock = HomeLock(settings.lock)
    with pytest.raises(ConfigError, match="another process holds this home"):
        rotate_operator(settings)
    lock.close()
    assert not settings.next_operator.exists()


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    home = tmp_path / "v"
    made = run("keygen", tmp_path / "operator.seed")
    assert made.returncode == 0
    assert (tmp_path / "operator.seed").stat().st_mode & 0o077 == 0
    again = run("keygen", tmp_path / "operator.seed")
    assert (again.returncode, "exists: it is not replaced" in again.stderr) == (2, True)
    nowhere = run("keygen", tmp_path / "nowhere" / "operator.seed")
    assert (nowhere.returncode, "expected a folder" in nowhere.stderr) == (2, True)
    (home / "keys").mkdir(parents=True)
    (tmp_path / "operator.seed").rename(home / "keys" / "operator.seed")
    assert run("init", "--home", home, "--origin", ORIGIN).returncode == 0
    assert made.stdout.strip() in run("policy", "--home", home).stdout
    done = run("rotate", "--home", home)
    assert done.returncode == 0, done.stderr
    assert made.stdout.strip() not in done.stdout
    new = done.stdout.split("now ")[1].splitlines()[0]
    assert new in run("policy", "--home", home).stdout
    assert run("check-log", "--home", home).returncode == 0
    assert run("keygen", "--pq", tmp_path / "pq.seed").stdout.startswith("mldsa44:")
