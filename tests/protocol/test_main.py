import re
import subprocess
import sys
from pathlib import Path

import pytest

import workseal_protocol
from support.examined import FOLDER, good, story, vector

README = Path(__file__).resolve().parents[2] / "protocol" / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


def test_each_public_name_is_the_one_of_its_module() -> None:
    for name in workseal_protocol.__all__:
        found = getattr(workseal_protocol, name)
        assert found.__name__ == name
        assert found.__module__.startswith("workseal_protocol.")
        assert name in dir(workseal_protocol)


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sign_bundle'"):
        workseal_protocol.sign_bundle  # noqa: B018


def test_naming_the_package_loads_nothing_of_it() -> None:
    program = "import sys, workseal_protocol; print([n for n in sys.modules if 'workseal' in n])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "['workseal_protocol']"


@pytest.mark.parametrize("number", range(2))
def test_the_examples_for_integrators_run(tmp_path: Path, number: int) -> None:
    (tmp_path / "work.workseal").write_bytes(good())
    (tmp_path / "policy").write_text(story().policy.encode())
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]], capture_output=True, cwd=tmp_path, check=False
    )
    assert done.stderr.decode() == ""
    words = done.stdout.decode()
    assert "13 totals: holds" in words if number == 0 else int(words) > 0


def test_the_example_pays_what_the_terms_say_and_not_by_the_days_of_utc(tmp_path: Path) -> None:
    for name, file in (("valid-counts.bundle", "work.workseal"), ("policy.txt", "policy")):
        (tmp_path / file).write_bytes((FOLDER / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[1]], capture_output=True, cwd=tmp_path, check=True
    )
    _, report = vector("valid-counts")
    assert report.totals is not None
    assert int(done.stdout) == report.totals.billed.amount == 11_700


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == 2
