"""Write the bundle vectors, or with --check say which ones on disk are not what they should be.

    python tests/vectors/generate.py [--check]

One scenario each: a bundle, and beside it what a verifier must say, with all figures where it
holds. Every failing scenario fails in one step only. README.txt is the one of every bundle. Keys,
times and signatures follow from a seed, so the files are the same everywhere.
"""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "bundle"


def wanted() -> dict[str, bytes]:
    """Give every file of the folder by its name."""
    # After the path is set.
    from vectors.scenarios import SCENARIOS, policies  # noqa: PLC0415
    from workseal_protocol.bundle import README  # noqa: PLC0415

    files = {name: text.encode() for name, text in policies().items()}
    files["README.txt"] = README
    for name, make in SCENARIOS.items():
        scenario = make()
        files[f"{name}.json"] = scenario.describe(name)
        files[f"{name}.bundle"] = scenario.data
    return files


def differences() -> list[str]:
    """Name the files that are missing, too many or different."""
    files = wanted()
    found = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    return sorted(
        name for name in files.keys() | found.keys() if files.get(name) != found.get(name)
    )


def main() -> int:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description="bundle vectors")
    parser.add_argument("--check", action="store_true", help="compare only")
    if parser.parse_args().check:
        wrong = differences()
        for name in wrong:
            sys.stderr.write(f"{FOLDER.name}/{name} is not what the generator writes\n")
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        path.unlink()
    for name, data in wanted().items():
        (FOLDER / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.exit(main())
