"""Wrong use of `workseal` by the parties: nothing is overwritten, nothing half-made is left."""

from pathlib import Path

import pytest

from support.world import Done, World, attempt
from workseal_protocol.sealing import MIN_SEALED_BYTES

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def workseal(world: World, *words: str | Path) -> Done:
    """Run `workseal` as the client; no file of anybody may change."""
    folders = (world.client.folder, world.arbitrator.folder)
    before = [everything(folder) for folder in folders]
    done = attempt(world.client, "workseal", *words)
    assert [everything(folder) for folder in folders] == before
    return done


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("verify",),
        ("verify", "x.workseal"),
        ("verify", "x.workseal", "--policy"),
        ("verify", "x.workseal", "--policy", "p", "--jason"),
        ("request", "--bundle", "x"),
        ("keygen",),
    ],
    ids=" ".join,
)
def test_wrong_words_are_told_in_one_sentence(world: World, words: tuple[str, ...]) -> None:
    assert "--help" in workseal(world, *words).told(2)


def test_nothing_that_exists_is_overwritten(world: World) -> None:
    key = world.client.folder / "key"
    policy = ("--policy", world.policy)
    offer = ("offer", "--terms", "terms.toml", *policy, "--key", key)
    ask = ("request", "--bundle", world.bundle, "--frame", world.kept[0], "--reason", "why")
    asked = (*ask, "--key", world.arbitrator.folder / "key")
    opened = ("--request", world.request, "--case-key", world.case_key, "--bundle", world.bundle)
    for words, named in (
        (("keygen", key), str(key)),
        ((*offer, "--out", world.offer), str(world.offer)),
        (("inspect", world.bundle, "--extract", world.client.folder), str(world.client.folder)),
        (("inspect", world.bundle, "--extract", key), str(key)),
        ((*asked, "--case-key", world.case_key, "--out", "new"), str(world.case_key)),
        ((*asked, "--case-key", "new", "--out", world.request), str(world.request)),
        ((*asked, "--case-key", "new", "--out", "new"), "one file"),
        (("open", world.request, *opened, *policy, "--out", key), str(key)),
        (("keygen", "nowhere/key"), "nowhere/key"),
    ):
        assert named in workseal(world, *words).told(2), words


def test_an_unknown_key_may_neither_offer_nor_ask(world: World) -> None:
    stranger = world.party("stranger").folder / "key"
    offer = ("offer", "--terms", "terms.toml", "--policy", world.policy, "--key", stranger)
    assert "client" in workseal(world, *offer, "--out", "new").told(2)
    ask = ("request", "--bundle", world.bundle, "--frame", world.kept[0], "--reason", "why")
    out = ("--case-key", "new.key", "--out", "new")
    assert "arbitrator" in workseal(world, *ask, "--key", stranger, *out).told(2)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("round_ms = 1000", "round_ms = 7", "round_ms"),
        ("round_ms = 1000", 'round_ms = "soon"', "round_ms"),
        ("round_ms = 1000", "", "round_ms"),
        ("round_ms = 1000", "round_ms = 1000\nbonus = 1", "bonus"),
        ('level = "frames"', 'level = "everything"', "level"),
        ('currency = "EUR"', 'currency = "pounds"', "currency"),
        ("working = 100", "working = -1", "worth_percent"),
        ("Europe/Berlin", "Moon/Sea", "Moon/Sea"),
        ("round_ms = 1000", "round_ms =", "TOML"),
    ],
)
def test_terms_that_do_not_fit_are_not_signed(
    world: World, tmp_path: Path, old: str, new: str, named: str
) -> None:
    text = (world.client.folder / "terms.toml").read_text()
    assert old in text
    terms, out = tmp_path / "terms", tmp_path / "new"
    terms.write_text(text.replace(old, new))
    done = workseal(
        world, "offer", "--terms", terms, "--policy", world.policy, "--key", "key", "--out", out
    )
    assert named in done.told(2)
    assert not out.exists()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (("--frame", "000000"), "000000"),
        (("--frame", "999999"), "999999"),
        (("--frame", "../../etc/passwd"), "../../etc/passwd"),
        (("--frame", "a" * 64), "a" * 64),
        (("--answer-by", "soon"), "soon"),
        (("--answer-by", "20990101"), "found 20990101"),
        (("--answer-by", "2001-01-01"), "until"),
        (("--answer-by", "9999-12-31"), "9999-12-31"),
        (("--reason", ""), "reason"),
        (("--reason", "x" * 501), "reason"),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_a_request_that_cannot_be_meant_is_not_signed(
    world: World, tmp_path: Path, changed: tuple[str, ...], named: str
) -> None:
    out, case_key = tmp_path / "request", tmp_path / "case.key"
    done = workseal(
        world, "request", "--bundle", world.bundle, "--frame", world.kept[0], "--reason", "why",
        "--key", world.arbitrator.folder / "key", "--case-key", case_key, "--out", out, *changed,
    )  # fmt: skip
    assert named in done.told(2)
    assert list(tmp_path.iterdir()) == []


def test_a_withdrawn_frame_cannot_be_asked_for(world: World, tmp_path: Path) -> None:
    frames = world.freelancer.frames()
    gone = next(one["commitment"] for one in frames if one["state"] == "withdrawn")
    done = workseal(
        world, "request", "--bundle", world.bundle, "--frame", gone, "--reason", "why", "--key",
        world.arbitrator.folder / "key", "--case-key", tmp_path / "k", "--out", tmp_path / "r",
    )  # fmt: skip
    assert "withdrawn" in done.told(2)
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_not_sealed_to_this_request_is_refused(
    world: World, tmp_path: Path
) -> None:
    sealed = tmp_path / "sealed"
    words = ("--request", world.request, "--case-key", world.case_key, "--bundle", world.bundle)
    # No padding gives 20,000 bytes; the least that it gives opens with no key.
    for size, code in ((0, 2), (5_000, 2), (20_000, 2), (MIN_SEALED_BYTES, 1)):
        sealed.write_bytes(bytes(size))
        done = workseal(world, "open", sealed, *words, "--policy", world.policy)
        assert "sealed" in done.told(code)
    other = tmp_path / "other.cose"
    world.make_request(other, "--frame", world.kept[0])
    done = workseal(world, "open", sealed, "--request", other, *words[2:], "--policy", world.policy)
    assert "case key" in done.told(2)


def test_tampered_and_other_statements_have_no_terms(world: World, tmp_path: Path) -> None:
    offer = tmp_path / "offer"
    data = bytearray(world.offer.read_bytes())
    data[-3] ^= 1
    offer.write_bytes(data)
    assert "not signed by the client" in workseal(world, "terms", offer).told(1)
    assert "dispute.request" in workseal(world, "terms", world.request).told(2)
