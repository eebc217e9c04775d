import stat
from pathlib import Path

from workseal_agent.backupmaker import MAKER_BYTES, keep_maker, load_maker, maker_secret
from workseal_protocol.keys import SeedSigner

SIGNER = SeedSigner(bytes(range(32)))


def test_the_secret_follows_from_the_signing_key_alone() -> None:
    assert maker_secret(SIGNER) == maker_secret(SeedSigner(bytes(range(32))))
    assert maker_secret(SIGNER) != maker_secret(SeedSigner(bytes(32)))
    assert len(maker_secret(SIGNER)) == MAKER_BYTES


def test_it_lies_in_the_home_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "backup.maker"
    assert load_maker(path) is None
    keep_maker(path, SIGNER)
    assert load_maker(path) == maker_secret(SIGNER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["backup.maker"]


def test_what_is_not_whole_or_of_another_key_is_none_and_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "backup.maker"
    for wrong in (b"", bytes(31), bytes(33)):
        path.write_bytes(wrong)
        assert load_maker(path) is None
        keep_maker(path, SIGNER)
        assert load_maker(path) == maker_secret(SIGNER)
    keep_maker(path, SeedSigner(bytes(32)))
    assert load_maker(path) == maker_secret(SeedSigner(bytes(32)))


def test_a_disk_that_does_not_take_it_stops_nothing(tmp_path: Path) -> None:
    keep_maker(tmp_path / "absent" / "backup.maker", SIGNER)
    assert list(tmp_path.iterdir()) == []
