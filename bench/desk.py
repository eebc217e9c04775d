"""How often each check of the desk notices something: simulated people, and staged screens.

    python bench/desk.py [--days 200]

One figure is the share of simulated half days in which a check notices something. Of honest ones it
is a false alarm; of staged ones it is what the check is for. The people are models of ours.
"""

import argparse
import time

from support.staged import HONEST, STAGED, record
from workseal_protocol.desk import CHECKS, Outcome, examine_hours

SHOWN = (5, 6, 8, 9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=200)
    days = parser.parse_args().days
    names = {rule.number: rule.name for rule in CHECKS}
    print(f"| {days} half days each | " + " | ".join(names[n] for n in SHOWN) + " | any |")
    print("| --- |" + " ---: |" * (len(SHOWN) + 1))
    spent = 0.0
    for kind in (*HONEST, *STAGED):
        counts = dict.fromkeys(SHOWN, 0)
        anything = 0
        for seed in range(days):
            material = record(seed, kind)
            began = time.perf_counter()
            report = examine_hours(material, SHOWN)
            spent += time.perf_counter() - began
            for one in report.checks:
                counts[one.number] += one.outcome is Outcome.NOTICED
            anything += bool(report.noticed)
        cells = [counts[number] for number in SHOWN] + [anything]
        print(f"| {kind} | " + " | ".join(f"{100 * n / days:.1f} %" for n in cells) + " |")
    print(
        f"{spent * 1000 / days / len(HONEST | STAGED):.1f} ms for the four checks of one half day"
    )


if __name__ == "__main__":
    main()
