"""Of the openings that were asked for: how many were handed over, of how many there are."""

from dataclasses import replace
from functools import cache

import pytest

from support.casefiles import Told, work_and_quarrel
from support.cases import Play
from workseal_protocol.casefile import asked_hours, examine_case_file, granted_hours
from workseal_protocol.commitment import Opening
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Ruling, Segment, read_record


@cache
def told() -> Told:
    return work_and_quarrel(lambda play: play.heard().shown(1))


@pytest.mark.parametrize("opened", [0, 1, 3])
def test_a_case_file_says_how_many_were_opened_of_how_many(opened: int) -> None:
    one = replace(told(), openings=told().openings[3 : 3 + opened])
    report = examine_case_file(one.files(), one.policy)
    assert report.holds
    (found,) = report.granted
    there = len(told().openings)
    assert (found.opened, found.segments) == (opened, there)
    assert there > 3
    assert found.sentence == (
        f"request {found.asked.ask}: activity is opened of {opened} of the {there} segments of its"
        f" hours that have it; {found.asked.granted} were granted"
    )


SALT = bytes(range(16))


def handing_over(data: bytes, *, back: bool = False) -> Told:
    """Let the freelancer hand over a file at level 1, which is in the folder; or take it back."""

    def case(play: Play) -> None:
        play.heard().granted(1).act(Role.FREELANCER, Act.SHOW, value=Digest.of(data).raw)
        if back:
            play.act(Role.FREELANCER, Act.CLAW_BACK, cites=(play.case.head,), text="an error")
        play.act(Role.CLIENT, Act.COMMENT)

    return replace(work_and_quarrel(case), openings=(), exhibits=(data,))


def salted(openings: tuple[Opening, ...]) -> bytes:
    return b"".join(one.encode() for one in openings) + SALT


def test_what_a_show_handed_over_counts_as_opened_where_its_file_is_in_the_folder() -> None:
    one = handing_over(salted(told().openings[2:5]))
    report = examine_case_file(one.files(), one.policy)
    assert report.holds
    assert [found.opened for found in report.granted] == [3]
    absent = replace(one, exhibits=())
    assert [found.opened for found in examine_case_file(absent.files(), one.policy).granted] == [0]
    # The same file beside the bundle as well counts once.
    twice = replace(one, openings=told().openings[2:6])
    assert [found.opened for found in examine_case_file(twice.files(), one.policy).granted] == [4]


@pytest.mark.parametrize(
    ("data", "back"),
    [
        (salted(told().openings[2:5]), True),
        (salted((*told().openings[2:4], replace(told().openings[4], salt=SALT))), False),
        (b"no openings" + SALT, False),
        (SALT, False),
    ],
)
def test_what_was_taken_back_or_opens_nothing_counts_as_closed(data: bytes, *, back: bool) -> None:
    one = handing_over(data, back=back)
    report = examine_case_file(one.files(), one.policy)
    assert report.holds
    assert [found.opened for found in report.granted] == [0]


def test_requests_that_were_granted_are_counted_with_what_was_granted() -> None:
    play = Play.begin().heard()
    play.act(Role.ARBITRATOR, Act.ASK, **play.question(1)).both(Act.PASS)
    play.act(Role.ARBITRATOR, Act.RULE, code=Ruling.REFUSE)
    play.act(Role.ARBITRATOR, Act.ASK, **play.question(1)).both(Act.PASS)
    narrowed = play.told[-3][0].digest
    play.act(Role.ARBITRATOR, Act.RULE, code=Ruling.NARROW, count=2)
    play.act(Role.FREELANCER, Act.SHOW).act(Role.CLIENT, Act.COMMENT).shown(2)
    whole = [(one.digest, read_record(one)) for one, _ in play.told]
    (asked,) = asked_hours(whole)
    assert (asked.ask, asked.granted) == (narrowed, 2)
    assert (asked.begin, asked.end) == (play.case.filing.begin, play.case.filing.end)
    assert list(asked_hours(whole[:5])) == []


def test_a_segment_is_of_the_hours_in_which_it_begins() -> None:
    play = Play.begin().heard().shown(1)
    (asked,) = asked_hours((one.digest, read_record(one)) for one, _ in play.told)
    entries = [one for one in told().report.entries if isinstance(one.record, Segment)]
    first, second, third, fourth = (
        (one.digest, one.record) for one in entries[:4] if isinstance(one.record, Segment)
    )
    at = [asked.begin - 1, asked.begin, asked.end - 1, asked.end]
    rows = [
        (digest, replace(record, begin=begin, end=begin + 1))
        for (digest, record), begin in zip((first, second, third, fourth), at, strict=True)
    ]
    (found,) = granted_hours([asked], rows, {digest for digest, _ in rows})
    assert (found.segments, found.opened) == (2, 2)
    (found,) = granted_hours([asked], rows, {rows[0][0], rows[1][0]})
    assert (found.segments, found.opened) == (2, 1)
    bare = [(digest, replace(record, activity=None)) for digest, record in rows]
    (found,) = granted_hours([asked], bare, {digest for digest, _ in rows})
    assert (found.segments, found.opened) == (0, 0)
