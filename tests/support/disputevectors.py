"""Write the vectors of disputes, or with --check say whether they are what the code gives.

    python tests/support/disputevectors.py [--check]

Tests compare them too. Keys, times and values follow from fixed seeds.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "vectors" / "dispute"
SAMPLING = FOLDER / "sampling.json"
ROUND = 59_847_514
CASES = FOLDER / "cases.json"


def sampling_vectors() -> list[dict[str, Any]]:
    """Give draws: one stratum, several, withdrawn ones, missing secrets, the whole, one frame."""
    from workseal_protocol.digest import Digest, sha256  # noqa: PLC0415
    from workseal_protocol.dispute import (  # noqa: PLC0415  (after the path is set)
        FrozenFrame,
        allocate,
        canonical,
        draw_places,
        freeze_frames,
        sample_seed,
        secret_commitment,
    )
    from workseal_protocol.keys import Role  # noqa: PLC0415
    from workseal_protocol.records import Freeze, Holding, Stratum  # noqa: PLC0415

    def chain(*rows: tuple[int, int, int]) -> list[FrozenFrame]:
        named = [
            (holding, day, f"{holding} {day} {number}".encode())
            for holding, day, count in rows
            for number in range(count)
        ]
        # Not in their canonical order: as a chain has them, withdrawn ones among the others.
        named.sort(key=lambda one: (one[1], sha256(one[2])))
        return [
            FrozenFrame(Holding(holding), day, Digest.of(b"segment", name), Digest.of(b"f", name))
            for holding, day, name in named
        ]

    def vector(
        name: str, rows: list[tuple[int, int, int]], size: int, roles: str, *, whole: bool
    ) -> dict[str, Any]:
        frames = chain(*rows)
        freeze = (
            freeze_frames(canonical(frames))
            if whole
            else Freeze(
                Digest.of(name.encode()), tuple(Stratum(Holding(h), d, c) for h, d, c in rows)
            )
        )
        case, value = Digest.of(b"case", name.encode()), sha256(b"value", name.encode())
        secrets = {Role(int(role)): sha256(role.encode(), name.encode()) for role in roles}
        seed = sample_seed(
            case=case, freeze=freeze, number=59_847_514, value=value, secrets=secrets
        )
        strata = [[one.holding, one.day, one.count] for one in freeze.strata]
        given: dict[str, Any] = {
            "name": name,
            "case": str(case),
            "root": str(freeze.root),
            "strata": strata,
            "round": ROUND,
            "value": value.hex(),
            "secrets": {str(role.value): secret.hex() for role, secret in secrets.items()},
            "size": size,
        }
        expect: dict[str, Any] = {
            "seed": seed.hex(),
            "shares": list(allocate(seed, [one.count for one in freeze.strata], size)),
            "places": list(draw_places(seed, freeze.strata, size)),
            "commitments": {
                str(role.value): secret_commitment(case, role, secret).hex()
                for role, secret in secrets.items()
            },
        }
        if whole:
            given["frames"] = [
                {
                    "holding": one.holding,
                    "day": one.day,
                    "segment": str(one.segment),
                    "frame": str(one.frame),
                }
                for one in frames
            ]
            expect["freeze"] = {"root": str(freeze.root), "strata": strata}
        return {"given": given, "expect": expect}

    days = [(0, 20_000, 48), (0, 20_001, 60), (0, 20_002, 5), (1, 20_001, 3)]
    return [
        vector("one day", [(0, 20_000, 240)], 14, "123", whole=False),
        vector("days and withdrawn frames", days, 14, "123", whole=False),
        vector("the arbitrator reveals nothing", days, 14, "12", whole=False),
        vector("nobody reveals", days, 20, "", whole=False),
        vector("equal remainders", [(0, 1, 10), (0, 2, 10), (0, 3, 10)], 4, "2", whole=False),
        vector(
            "days of less than one", [(0, 30 + n, 5) for n in range(20)], 14, "123", whole=False
        ),
        vector(
            "days of unlike length",
            [(0, n, 3 + n * n % 17) for n in range(24)],
            31,
            "12",
            whole=False,
        ),
        vector("everything", [(0, 1, 3), (1, 1, 2)], 5, "123", whole=True),
        vector("one frame", [(0, 1, 1)], 1, "3", whole=True),
        vector("a small week", [(0, 7, 4), (0, 8, 6), (1, 7, 1), (1, 8, 2)], 5, "31", whole=True),
    ]


def case_vectors() -> list[dict[str, Any]]:
    """Give short cases by name: what was said, and how it ends."""
    from support.storied import stories  # noqa: PLC0415  (after the path is set)

    return stories()


def files() -> dict[Path, list[dict[str, Any]]]:
    """Give every file and what stands in it."""
    return {SAMPLING: sampling_vectors(), CASES: case_vectors()}


def encode(vectors: list[dict[str, Any]]) -> str:
    """Write vectors as the files have them: one a line."""
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in vectors)
    return f"[\n{lines}\n]\n"


def main() -> int:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description="vectors of disputes")
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    for path, vectors in files().items():
        if not check:
            path.write_text(encode(vectors))
        elif path.read_text() != encode(vectors):
            return 1
    return 0


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "protocol")]
    sys.exit(main())
