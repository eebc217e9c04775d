"""The sample: order, division, draw; by the vectors, and by a program from the page alone."""

import json
import os
import random
import subprocess
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import digest
from support.cases import ARBITRATORS, HOUR, Play, beacon, secret_of
from support.disputevectors import SAMPLING, sampling_vectors
from support.ruled import refused
from workseal_protocol.dispute import (
    FrozenFrame,
    Rule,
    State,
    allocate,
    canonical,
    draw_places,
    freeze_frames,
    least_sample,
    meaning,
    miss_of,
    sample_round,
    sample_seed,
    secret_commitment,
    worst_miss,
)
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Freeze, Holding, Ruling, Stratum

JS = Path(__file__).parents[1] / "support" / "sampling.mjs"
LONG = bool(os.environ.get("WORKSEAL_LONG"))
PARTIES = (Role.FREELANCER, Role.CLIENT, Role.ARBITRATOR)
ONE_STRATUM = (Stratum(Holding.KEPT, 1, 240),)
# Shares of less than one, and of a bit more than one, as a freelancer could bring about.
SHORT_DAYS = tuple(Stratum(Holding.KEPT, day, 5) for day in range(20))
LONG_DAYS = tuple(Stratum(Holding.KEPT, day, 48) for day in range(15))


def recomputed(vectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", str(JS)], input=json.dumps(vectors), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_the_vectors_are_what_the_code_gives() -> None:
    assert json.loads(SAMPLING.read_text()) == sampling_vectors()


def test_a_program_written_from_the_page_gives_the_same_draws() -> None:
    vectors = json.loads(SAMPLING.read_text())
    answers = recomputed([vector["given"] for vector in vectors])
    assert answers == [{"name": v["given"]["name"], **v["expect"]} for v in vectors]
    assert len(vectors) >= 6


# --- freeze ---


def frames_of(*rows: tuple[int, int]) -> list[FrozenFrame]:
    return [
        FrozenFrame(Holding(holding), day, digest(f"s{n}"), digest(f"f{n}"))
        for n, (holding, day) in enumerate(rows)
    ]


def test_frames_are_ordered_by_holding_and_day_and_else_as_in_the_chain() -> None:
    frames = frames_of((0, 5), (1, 4), (0, 4), (0, 5), (0, 4))
    assert canonical(frames) == tuple(frames[n] for n in (2, 4, 0, 3, 1))
    freeze = freeze_frames(canonical(frames))
    assert [(one.holding, one.day, one.count) for one in freeze.strata] == [
        (0, 4, 2), (0, 5, 2), (1, 4, 1),
    ]  # fmt: skip


def test_a_freeze_names_every_frame_its_segment_its_day_and_its_holding() -> None:
    frames = canonical(frames_of((0, 4), (0, 5)))
    roots = {freeze_frames(frames).root}
    for changed in (
        FrozenFrame(Holding.KEPT, 4, digest("other"), frames[0].frame),
        FrozenFrame(Holding.KEPT, 4, frames[0].segment, digest("other")),
        FrozenFrame(Holding.KEPT, 3, frames[0].segment, frames[0].frame),
    ):
        roots.add(freeze_frames((changed, frames[1])).root)
    assert len(roots) == 4


def test_refuses_to_freeze_nothing_or_another_order() -> None:
    frames = canonical(frames_of((0, 4), (0, 5)))
    for wrong in ((), tuple(reversed(frames))):
        with pytest.raises(ValueError, match="strata"):
            freeze_frames(wrong)


# --- division and draw ---


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30), st.data())
def test_a_sample_is_divided_in_proportion(counts: list[int], data: st.DataObject) -> None:
    total = sum(counts)
    size = data.draw(st.integers(0, total))
    shares = allocate(digest(data.draw(st.integers(0, 99))).raw, counts, size)
    assert sum(shares) == size
    for count, share in zip(counts, shares, strict=True):
        assert share <= count
        assert abs(share - Fraction(size * count, total)) < 1


def ends_of(counts: list[int], size: int) -> dict[tuple[int, ...], Fraction]:
    """Give each division and its exact chance, by the rule of the page and fractions for lots."""
    total = sum(counts)
    start = (tuple(size * count // total for count in counts), None, 0)
    ends: dict[tuple[tuple[int, ...], int | None, int], Fraction] = {start: Fraction(1)}
    for place, count in enumerate(counts):
        rest = size * count % total
        if not rest:
            continue
        after: defaultdict[tuple[tuple[int, ...], int | None, int], Fraction]
        after = defaultdict(Fraction)
        for (shares, opened, weight), chance in ends.items():
            if opened is None:
                after[shares, place, rest] += chance
                continue
            both = weight + rest
            if both < total:
                first = Fraction(weight, both)
                after[shares, opened, both] += chance * first
                after[shares, place, both] += chance * (1 - first)
                continue
            first = Fraction(total - rest, 2 * total - both)
            for winner, other, part in ((opened, place, first), (place, opened, 1 - first)):
                won = tuple(share + (each == winner) for each, share in enumerate(shares))
                left = (other, both - total) if both > total else (None, 0)
                after[won, *left] += chance * part
        ends = after
    found: defaultdict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    for (shares, opened, _), chance in ends.items():
        assert opened is None
        found[shares] += chance
    return found


@pytest.mark.parametrize(
    ("counts", "size"), [([10, 10, 10], 4), ([5, 7, 3, 1, 9], 7), ([5] * 6, 4), ([48, 47, 48], 3)]
)
def test_each_stratum_has_one_more_as_often_as_its_remainder_says(
    counts: list[int], size: int
) -> None:
    ends = ends_of(counts, size)
    assert sum(ends.values()) == 1
    for place, count in enumerate(counts):
        mean = sum(shares[place] * chance for shares, chance in ends.items())
        assert mean == Fraction(size * count, sum(counts))
    trials = 3_000
    seen = Counter(allocate(digest(number).raw, counts, size) for number in range(trials))
    assert set(seen) <= set(ends)
    for shares, chance in ends.items():
        # Five deviations: of some forty such numbers one is outside once in 40,000 runs, and
        # these are always the same.
        wide = 5 * float(trials * chance * (1 - chance)) ** 0.5
        assert abs(seen[shares] - float(trials * chance)) < wide


def test_refuses_a_sample_larger_than_what_is_frozen() -> None:
    with pytest.raises(ValueError, match="at most 3"):
        allocate(bytes(32), [1, 2], 4)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 40), st.integers(1, 40))
def test_a_draw_takes_each_place_at_most_once(seed: bytes, first: int, second: int) -> None:
    strata = (Stratum(Holding.KEPT, 1, first), Stratum(Holding.KEPT, 2, second))
    size = (first + second) // 2
    places = draw_places(seed, strata, size)
    assert list(places) == sorted(set(places))
    wanted = allocate(seed, [first, second], size)
    assert sum(place < first for place in places) == wanted[0]


def test_every_place_is_drawn_equally_often() -> None:
    strata = (Stratum(Holding.KEPT, 1, 24),)
    seen = Counter[int]()
    for number in range(3_000):
        seen.update(draw_places(digest(number).raw, strata, 4))
    expected = 3_000 * 4 / 24
    chi = sum((count - expected) ** 2 / expected for count in seen.values())
    assert len(seen) == 24
    assert chi < 60  # 23 degrees of freedom: one in 30,000 is above


def seed_of(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "case": digest("case"),
        "freeze": Freeze(digest("root"), ONE_STRATUM),
        "number": 7,
        "value": beacon(7),
        "secrets": {role: secret_of(role) for role in PARTIES},
    }
    return sample_seed(**(fields | changes))


def test_the_seed_depends_on_everything_and_not_on_the_order_of_secrets() -> None:
    secrets = {role: secret_of(role) for role in PARTIES}
    seeds = {
        seed_of(),
        seed_of(case=digest("other")),
        seed_of(freeze=Freeze(digest("other"), ONE_STRATUM)),
        seed_of(freeze=Freeze(digest("root"), (Stratum(Holding.KEPT, 1, 241),))),
        seed_of(number=8),
        seed_of(value=beacon(8)),
        seed_of(secrets={}),
        *(seed_of(secrets=secrets | {role: bytes(32)}) for role in PARTIES),
        *(seed_of(secrets={r: s for r, s in secrets.items() if r is not role}) for role in PARTIES),
    }
    assert len(seeds) == 13
    assert seed_of(secrets=dict(reversed(secrets.items()))) == seed_of()


def test_a_secret_is_bound_to_its_case_and_its_party() -> None:
    commitments = {
        secret_commitment(digest(case), role, bytes((secret,)) * 32)
        for case, role, secret in product((1, 2), PARTIES, (1, 2))
    }
    assert len(commitments) == 12
    with pytest.raises(ValueError, match="32 bytes"):
        secret_commitment(digest(1), Role.CLIENT, b"short")


# --- in a case ---


def asked() -> Play:
    play = Play.begin().heard().shown(1)
    return play.act(Role.ARBITRATOR, Act.ASK, **play.question(2))


def test_secrets_are_committed_before_the_ruling_and_once() -> None:
    play = asked().act(Role.CLIENT, Act.COMMIT)
    refused(Rule.ONCE, lambda: play.act(Role.CLIENT, Act.COMMIT))
    play.both(Act.PASS)
    refused(Rule.TABLE, lambda: play.act(Role.FREELANCER, Act.COMMIT))
    # Whoever times the ruling sets the round: with secrets in hand they could choose it.
    refused(Rule.SAMPLE, lambda: play.act(Role.CLIENT, Act.REVEAL))
    play.act(Role.ARBITRATOR, Act.RULE)
    refused(Rule.SAMPLE, lambda: play.act(Role.FREELANCER, Act.REVEAL))
    refused(Rule.SAMPLE, lambda: play.act(Role.CLIENT, Act.REVEAL, value=bytes(32)))
    play.act(Role.CLIENT, Act.REVEAL)
    refused(Rule.ONCE, lambda: play.act(Role.CLIENT, Act.REVEAL))


def test_secrets_come_within_twenty_hours_and_the_draw_two_hours_later() -> None:
    play = asked().act(Role.CLIENT, Act.COMMIT).act(Role.FREELANCER, Act.COMMIT)
    play.both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    ruled = play.now
    assert play.case.reveal_until == ruled + 20 * HOUR
    play.now = ruled + 20 * HOUR
    play.act(Role.CLIENT, Act.REVEAL).wait(1)
    refused(Rule.TIME, lambda: play.act(Role.FREELANCER, Act.REVEAL))
    number = play.case.sample_round
    assert number is not None
    round_ms = play.case.terms.round_ms
    assert ruled + 22 * HOUR < number * round_ms <= ruled + 22 * HOUR + round_ms
    assert number == sample_round(ruled, round_ms)
    play.now = number * round_ms - 1
    refused(Rule.TIME, lambda: play.act(Role.CLIENT, Act.SAMPLE))
    play.now += 1
    refused(Rule.DRAW, lambda: play.act(Role.CLIENT, Act.SAMPLE, value=bytes(32)))
    refused(Rule.DRAW, lambda: play.act(Role.CLIENT, Act.SAMPLE, round=number + 1))
    play.act(Role.OPERATOR, Act.SAMPLE)
    assert play.case.drawn is not None
    assert len(play.case.drawn) == 14


def test_there_is_one_draw_in_a_case() -> None:
    play = Play.begin().heard().shown(1).granted(2)
    drawn = play.case.drawn
    refused(Rule.SAMPLE, lambda: play.act(Role.CLIENT, Act.SAMPLE))
    refused(Rule.SAMPLE, lambda: play.act(Role.CLIENT, Act.REVEAL))
    play.request().disclose().act(Role.CLIENT, Act.COMMENT)
    again = play.question(2) | {"freeze": Freeze(digest("another"), ONE_STRATUM)}
    refused(Rule.LADDER, lambda: play.act(Role.ARBITRATOR, Act.ASK, **again))
    play.act(Role.ARBITRATOR, Act.ASK, **play.question(2))
    refused(Rule.SAMPLE, lambda: play.act(Role.CLIENT, Act.COMMIT))
    play.both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    assert play.case.drawn == drawn


def test_a_replaced_arbitrator_draws_from_the_same_sample() -> None:
    play = Play.begin().heard().shown(1).granted(2)
    drawn = play.case.drawn
    play.act(Role.ARBITRATOR, Act.RECUSE).seat()
    assert (play.case.state, play.case.drawn) == (State.EVIDENCE, drawn)
    many = play.question(2) | {"count": 15}
    refused(Rule.LADDER, lambda: play.act(Role.ARBITRATOR, Act.ASK, **many))


def test_a_freeze_that_was_not_granted_may_be_followed_by_another() -> None:
    play = asked().both(Act.PASS).act(Role.ARBITRATOR, Act.RULE, code=Ruling.REFUSE)
    assert play.case.sample is None
    play.act(Role.ARBITRATOR, Act.ASK, **play.question(2))
    assert play.case.sample is not None


def test_nothing_is_asked_for_beyond_what_is_frozen() -> None:
    play = Play.begin().heard().shown(1)
    small = Freeze(digest("small"), (Stratum(Holding.KEPT, 1, 13),))
    wide = play.question(2) | {"freeze": small}
    refused(Rule.LADDER, lambda: play.act(Role.ARBITRATOR, Act.ASK, **wide))
    bare = play.question(2) | {"freeze": None}
    refused(Rule.LADDER, lambda: play.act(Role.ARBITRATOR, Act.ASK, **bare))


def test_any_arbitrator_of_the_panel_may_write_the_draw_down() -> None:
    play = asked().both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    play.wait(30 * HOUR)
    other = next(one for one in ARBITRATORS if one != play.arbitrator)
    play.act(Role.ARBITRATOR, Act.SAMPLE, by=other)
    assert play.case.drawn is not None


# --- what the size means ---


@pytest.mark.parametrize(
    ("total", "sizes"),
    [
        (60, [(38, 47), (23, 31), (12, 18), (7, 11)]),
        (120, [(47, 63), (26, 37), (13, 19), (8, 11)]),
        (240, [(52, 75), (27, 40), (14, 20), (8, 12)]),
        (960, [(57, 86), (29, 43), (14, 21), (8, 12)]),
    ],
)
def test_the_sizes_of_the_page(total: int, sizes: list[tuple[int, int]]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "spec" / "sampling.md").read_text()
    row = " | ".join(f"{one} ({other})" for one, other in sizes)
    assert f"| {total} | {row} |" in text
    for percent, wanted in zip((5, 10, 20, 33), sizes, strict=True):
        false = round(total * percent / 100)
        assert wanted == (
            least_sample(total, false, Fraction(95, 100)),
            least_sample(total, false, Fraction(99, 100)),
        )


@pytest.mark.parametrize(
    "strata",
    [[(5, 2), (7, 3)], [(4, 1), (4, 1), (4, 0)], [(6, 6), (2, 0)], [(3, 1), (9, 2), (2, 2)]],
)
def test_the_worst_case_is_the_worst_of_all(strata: list[tuple[int, int]]) -> None:
    shares = [(total, Fraction(drawn)) for total, drawn in strata]
    for false in range(sum(total for total, _ in strata) + 1):
        worst = Fraction(0)
        for placed in product(*(range(total + 1) for total, _ in strata)):
            if sum(placed) == false:
                miss = Fraction(1)
                for (total, drawn), put in zip(strata, placed, strict=True):
                    miss *= miss_of(total, put, drawn)
                worst = max(worst, miss)
        assert worst_miss(shares, false) == worst


@pytest.mark.parametrize(
    ("counts", "size"), [([4, 4, 4], 4), ([5, 3, 6], 5), ([2, 2, 2, 2], 3), ([6, 1, 4], 2)]
)
def test_no_way_in_which_frames_lie_is_missed_more_often_than_is_said(
    counts: list[int], size: int
) -> None:
    ends = ends_of(counts, size)
    shares = [(count, Fraction(size * count, sum(counts))) for count in counts]
    for false in range(sum(counts) + 1):
        worst = Fraction(0)
        for placed in product(*(range(count + 1) for count in counts)):
            if sum(placed) == false:
                miss = Fraction(0)
                for drawn, chance in ends.items():
                    part = chance
                    for count, share, put in zip(counts, drawn, placed, strict=True):
                        part *= miss_of(count, put, share)
                    miss += part
                worst = max(worst, miss)
        said = worst_miss(shares, false)
        assert worst <= said <= 1
        assert said - worst < Fraction(1, 4)


def test_the_sentence_rounds_against_the_sample() -> None:
    strata = (Stratum(Holding.KEPT, 1, 240), Stratum(Holding.WITHDRAWN, 1, 60))
    text = meaning(strata, 15, 20, (3, 239, 240, 299))
    times = int(text.split(" times")[0].rsplit(" ", 1)[1])
    assert times == -(-miss_of(240, 48, 12) * 10_000 // 1)
    assert text.startswith("15 of 300 frozen frames are drawn by lot. If 48 of the 240 that were")
    assert text.endswith("10,000. 2 of the drawn ones were withdrawn before.")
    assert meaning(strata, 15, 20).endswith("times in 10,000.")
    gone = meaning((Stratum(Holding.WITHDRAWN, 1, 5),), 3, 20)
    assert gone == "All 5 frozen frames were withdrawn before: the sample shows nothing."


@pytest.mark.parametrize(
    ("kept", "said"),
    [(1, "1 of the 1"), (6, "1 of the 6"), (111, "22 of the 111"), (113, "23 of the 113")],
)
def test_the_number_of_false_frames_is_the_nearest_and_its_share_is_said(
    kept: int, said: str
) -> None:
    text = meaning((Stratum(Holding.KEPT, 1, kept),), 1, 20)
    share = {1: 100, 6: 17}.get(kept, 20)
    assert f"If {said} that were not withdrawn before ({share} %) were false" in text


def test_the_example_of_the_page() -> None:
    days = [(Holding.KEPT, 20_000, 48), (Holding.KEPT, 20_001, 60), (Holding.WITHDRAWN, 20_001, 3)]
    text = (Path(__file__).parents[2] / "docs" / "spec" / "sampling.md").read_text()
    assert meaning([Stratum(*one) for one in days], 14, 20) in " ".join(text.split())


def test_refuses_questions_without_an_answer() -> None:
    with pytest.raises(ValueError, match="false frames"):
        worst_miss([(3, Fraction(1))], 4)
    with pytest.raises(ValueError, match="false frame"):
        least_sample(3, 0, Fraction(1))


# --- how often false frames are found ---


def detects(
    seed: bytes, false: frozenset[int], strata: tuple[Stratum, ...] = ONE_STRATUM, size: int = 14
) -> bool:
    return not false.isdisjoint(draw_places(seed, strata, size))


@pytest.mark.parametrize("percent", [5, 10, 20])
def test_planted_frames_are_found_as_often_as_theory_says(percent: int) -> None:
    trials = 20_000 if LONG else 1_500
    rng = random.Random(percent)
    found, count = 0, 240 * percent // 100
    for number in range(trials):
        planted = frozenset(rng.sample(range(240), count))
        found += detects(seed_of(value=beacon(number)), planted)
    expected = float(1 - miss_of(240, count, 14))
    print(f"{percent} %: found {found} of {trials}, in theory {expected:.4f}")  # noqa: T201
    assert abs(found / trials - expected) < (0.01 if LONG else 0.045)


@pytest.mark.parametrize("last", [0, 1, 16])
def test_no_day_is_left_out_for_certain(last: int) -> None:
    """Each of twenty short days is drawn as often as its share says, wherever it stands."""
    trials = 6_000 if LONG else 1_000
    false = frozenset(range(5 * last, 5 * last + 20))
    found = sum(detects(digest(number).raw, false, SHORT_DAYS) for number in range(trials))
    # Four days of five false frames: at least what is said for the worst of all ways.
    shares = [(one.count, Fraction(7, 10)) for one in SHORT_DAYS]
    assert found / trials >= 1 - float(worst_miss(shares, 20))


def test_withdrawing_frames_moves_no_false_day_out_of_the_draw() -> None:
    """One false day of fifteen: its share is one, then a bit less with each frame withdrawn."""
    trials = 4_000 if LONG else 400
    for gone in (0, 1, 11):
        kept = (*LONG_DAYS[:5], Stratum(Holding.KEPT, 5, 48 - gone), *LONG_DAYS[6:])
        strata = (*kept, Stratum(Holding.WITHDRAWN, 5, gone)) if gone else kept
        false = frozenset(range(240, 288 - gone))
        found = sum(detects(digest(n).raw, false, strata, 15) for n in range(trials))
        theory = 15 * (48 - gone) / 720
        assert abs(found / trials - theory) < (0.02 if LONG else 0.05)
