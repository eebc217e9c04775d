"""Bad files for `workseal`: one sentence, the right exit code, and nothing written."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stages import RECORDED
from support.world import Done, World, attempt, key_of

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]

NOT_A_BUNDLE = ("missing", "empty", "truncated", "picture", "longer", "flipped")
Spoil = Callable[[World], bytes]
SPOILED: dict[str, Spoil] = {
    "empty": lambda _: b"",
    "picture": lambda _: (RECORDED / "00.png").read_bytes(),
    "truncated": lambda world: world.bundle.read_bytes()[:5_000],
    "longer": lambda world: world.bundle.read_bytes() + b"\n",
    "flipped": lambda world: _flipped(world.bundle.read_bytes(), 4_000),
}


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


@pytest.fixture(scope="module")
def spoiled(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoiled")
    (folder / "folder").mkdir()
    for name, make in SPOILED.items():
        (folder / name).write_bytes(make(world))
        (folder / name).chmod(0o600)
    return folder


@pytest.fixture
def tried(world: World, tmp_path: Path) -> Iterator[Callable[..., Done]]:
    """Run `workseal` in an empty folder that must be empty afterwards."""

    def command(*words: str | Path) -> Done:
        return attempt(world.client, "workseal", *words, cwd=tmp_path)

    yield command
    assert list(tmp_path.iterdir()) == []


Tried = Callable[..., Done]


@pytest.mark.parametrize("name", NOT_A_BUNDLE[:4])
def test_what_is_no_bundle_is_refused_by_each_command(
    world: World, tried: Tried, spoiled: Path, name: str
) -> None:
    bundle = spoiled / name
    policy = ("--policy", world.policy)
    asked = ("--frame", "000001", "--reason", "why", "--key", world.arbitrator.folder / "key")
    opened = ("--request", world.request, "--case-key", world.case_key, "--bundle", bundle)
    for words in (
        ("inspect", bundle),
        ("inspect", bundle, "--extract", "parts"),
        ("terms", bundle),
        ("request", "--bundle", bundle, *asked, "--case-key", "case", "--out", "request"),
        ("open", world.request, *opened, *policy, "--out", "pictures"),
    ):
        assert str(bundle) in tried(*words).told(2), words


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_verify_says_which_bundle_it_cannot_read(
    world: World, tried: Tried, spoiled: Path, name: str
) -> None:
    told = tried("verify", spoiled / name, "--policy", world.policy).told(2)
    assert str(spoiled / name) in told


@pytest.mark.parametrize("name", NOT_A_BUNDLE[1:])
def test_verify_reports_a_malformed_bundle_in_step_one(
    world: World, tried: Tried, spoiled: Path, name: str
) -> None:
    done = tried("verify", spoiled / name, "--policy", world.policy)
    assert (done.code, done.err) == (2, "")
    assert done.out.startswith(" 1 FAIL form: fails (")
    assert "HOLDS" not in done.out
    assert "MALFORMED" in done.out


@pytest.mark.parametrize("name", ["missing", "folder", "empty", "picture"])
def test_other_wrong_files_are_refused_by_name(
    world: World, tried: Tried, spoiled: Path, name: str
) -> None:
    wrong = spoiled / name
    key, out = world.client.folder / "key", ("--out", "new")
    terms = world.client.folder / "terms.toml"
    bundle = ("--bundle", world.bundle, "--policy", world.policy)
    for words in (
        ("verify", world.bundle, "--policy", wrong),
        ("keygen", "--show", wrong),
        ("offer", "--terms", terms, "--policy", wrong, "--key", key, *out),
        ("offer", "--terms", terms, "--policy", world.policy, "--key", wrong, *out),
        ("open", world.request, "--request", wrong, "--case-key", world.case_key, *bundle),
        ("open", world.request, "--request", world.request, "--case-key", wrong, *bundle),
    ):
        told = tried(*words).told(2)
        assert str(wrong) in told, words
        assert "chmod" not in told, words
    told = tried("offer", "--terms", wrong, "--policy", world.policy, "--key", key, *out).told(2)
    assert "terms" in told


@pytest.mark.parametrize(
    ("role", "step"), [("freelancer", 2), ("client", 5), ("arbitrator", 6), ("operator", 5)]
)
def test_a_policy_with_another_partys_key_refuses_the_bundle(
    world: World, tried: Tried, tmp_path_factory: pytest.TempPathFactory, role: str, step: int
) -> None:
    text = world.policy.read_text()
    true = next(line for line in text.splitlines() if line.startswith(f"party {role} "))
    other = "client" if role != "client" else "arbitrator"
    strange = key_of(world.client if other == "client" else world.arbitrator)
    policy = tmp_path_factory.mktemp("policy") / "policy"
    policy.write_text(text.replace(true, f"party {role} {strange}"))
    done = tried("verify", world.bundle, "--policy", policy)
    if done.code == 2:
        # One key for two parties is refused before anything is verified.
        assert str(policy) in done.told(2)
        return
    assert (done.code, done.err) == (1, "")
    assert f"DOES NOT HOLD: step {step} " in done.out


def test_a_foreign_log_refuses_the_bundle(
    world: World, tried: Tried, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("foreign")
    home = folder / "verifier"
    origin = ("--origin", "verifier.example/2026")
    attempt(world.client, "workseal-verifier", "init", "--home", home, *origin).fine()
    lines = attempt(world.client, "workseal-verifier", "policy", "--home", home).fine()
    own = [line for line in lines.splitlines() if not line.startswith("party")]
    parties = [line for line in world.policy.read_text().splitlines() if line.startswith("party")]
    policy = folder / "policy"
    policy.write_text("\n".join(["workseal-policy v1", *parties, *own, ""]))
    done = tried("verify", world.bundle, "--policy", policy)
    assert (done.code, done.err) == (1, "")
    assert "DOES NOT HOLD: step 3 (checkpoint) fails." in done.out
    opened = ("--request", world.request, "--case-key", world.case_key, "--bundle", world.bundle)
    told = tried("open", world.request, *opened, "--policy", policy).told(1)
    assert "does not hold: step 3" in told


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("workseal-policy v1", "workseal-policy v9"),
        ("party operator", "party emperor"),
        ("party client ed25519:", "party client ed25519:A"),
        ("log ", "lag "),
        ("quorum ", "quorum nobody-"),
    ],
)
def test_a_policy_with_one_wrong_word_is_malformed(
    world: World, tried: Tried, tmp_path_factory: pytest.TempPathFactory, line: str, changed: str
) -> None:
    text = world.policy.read_text()
    assert line in text
    policy = tmp_path_factory.mktemp("policy") / "policy"
    policy.write_text(text.replace(line, changed, 1))
    assert str(policy) in tried("verify", world.bundle, "--policy", policy).told(2)
