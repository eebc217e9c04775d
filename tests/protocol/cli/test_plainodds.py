import re
from fractions import Fraction

import pytest

from workseal_protocol.cli.plainodds import QUESTION, often, plain_odds
from workseal_protocol.dispute import meaning
from workseal_protocol.records import Holding, Stratum


def strata(*counts: int, withdrawn: int = 0) -> list[Stratum]:
    kept = [Stratum(Holding.KEPT, 20_000 + day, one) for day, one in enumerate(counts)]
    return kept + ([Stratum(Holding.WITHDRAWN, 20_000, withdrawn)] if withdrawn else [])


@pytest.mark.parametrize(
    ("in_ten_thousand", "words"),
    [
        (1, "up to once in 10,000 times"),
        (369, "up to once in 27 times"),
        (3_333, "up to once in 3 times"),
        (3_334, "up to one time in two"),
        (5_000, "up to one time in two"),
        (5_001, "more than one time in two"),
        (5_120, "more than one time in two"),
        (6_001, "up to 7 times in ten"),
        (9_000, "up to 9 times in ten"),
        (9_001, "nine times in ten or more"),
        (10_000, "nine times in ten or more"),
    ],
)
def test_a_chance_in_words(in_ten_thousand: int, words: str) -> None:
    assert often(in_ten_thousand) == words


def test_no_rounded_chance_is_smaller_than_the_exact_one() -> None:
    for one in range(1, 10_001):
        words, exact = often(one), Fraction(one, 10_000)
        once = re.fullmatch(r"up to once in ([0-9,]+) times", words)
        tenths = re.fullmatch(r"up to (\d) times in ten", words)
        if once:
            assert Fraction(1, int(once[1].replace(",", ""))) >= exact
        elif tenths:
            assert Fraction(int(tenths[1]), 10) >= exact
        elif words == "up to one time in two":
            assert exact <= Fraction(1, 2)
        else:
            least = {"more than one time in two": 0.5, "nine times in ten or more": 0.9}[words]
            assert exact > least


@pytest.mark.parametrize(
    ("counts", "withdrawn", "size"),
    [((48, 60), 3, 14), ((60,), 0, 3), ((6,), 0, 1), ((5, 7, 9), 40, 6), ((240,), 0, 20),
     ((1,), 0, 1), ((6,), 0, 6)],
)  # fmt: skip
def test_the_figure_beside_is_that_of_the_exact_sentence(
    counts: tuple[int, ...], withdrawn: int, size: int
) -> None:
    given = strata(*counts, withdrawn=withdrawn)
    exact = meaning(given, size, QUESTION)
    told = plain_odds(given, size)
    false, missed = re.findall(r"If (\d+) of .* missed at most (\d+) times", exact)[0]
    assert f"if {false} " in told[0]
    if missed == "0":
        assert re.search(r"would not miss (it|them all)\.$", told[0])
    else:
        assert told[0].endswith(f"({int(missed):,} in 10,000).")
    assert (len(told) == 2) is (int(missed) > 2_000)


def test_few_frames_are_said_to_tell_little_above_a_fifth() -> None:
    few = plain_odds(strata(60), 3)
    assert few[0].endswith("would miss them all more than one time in two (5,055 in 10,000).")
    assert few[1:] == (
        "So few frames tell little: that none of them is false says little of the rest.",
    )
    (enough,) = plain_odds(strata(48, 60, withdrawn=3), 14)
    assert enough.endswith("miss them all up to once in 27 times (369 in 10,000).")


def test_one_false_frame_is_it_and_a_sample_of_none_says_nothing() -> None:
    (told,) = plain_odds(strata(4), 4)
    assert told == "In plain words: if 1 is false, a look at all drawn ones would not miss it."
    assert plain_odds(strata(withdrawn=5), 3) == ()
