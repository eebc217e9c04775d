from support.builders import digest
from support.cases import Play
from support.casestates import SITUATIONS
from workseal_protocol.cli.sampled import Said, SampleTold, levels_shown, sample_told
from workseal_protocol.dispute import freeze_frames
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, DisclosedFrame, DisputeRequest, Holding, read_record

FIGURE = "the figure above is of all, and does not hold for fewer."


def said(play: Play) -> list[Said]:
    return [(one.digest, read_record(one)) for one, _ in play.told]


def told(play: Play) -> SampleTold:
    found = sample_told(play.case, said(play))
    assert found is not None
    return found


def text(play: Play) -> str:
    return " ".join(told(play).sentences)


def counts(play: Play) -> tuple[int, int, int]:
    course = told(play).course
    return course.could, course.named, course.shown


def levels(play: Play) -> dict[int, str]:
    found = levels_shown(play.case, said(play))
    return {level: one.words for level, one in found.items()}


def show(play: Play, number: int) -> Play:
    """Show so many of the frames that were named."""
    named = next(
        one.frames
        for one in reversed([read_record(each) for each, _ in play.told])
        if isinstance(one, DisputeRequest)
    )
    frames = tuple(
        DisclosedFrame(one.frame, digest(f"shown {number}")) for number, one in enumerate(named)
    )
    return play.disclose(frames=frames[:number])


def drawn() -> Play:
    return Play.begin().heard().shown(1).granted(2)


def test_nothing_is_said_before_the_draw() -> None:
    play = SITUATIONS["ruling of a sample"]()
    assert sample_told(play.case, said(play)) is None
    assert levels(play) == {}


def test_a_draw_of_which_nothing_is_asked_for_yet() -> None:
    play = drawn()
    could = told(play).course.could
    assert counts(play) == (could, 0, 0)
    assert f"0 of {could} shown so far" in text(play)
    assert FIGURE not in text(play)
    assert told(play).course.unknown == (
        f"What {could} frames show that were drawn and not asked for so far.",
    )


def test_where_fewer_are_shown_than_asked_for_it_is_said_everywhere() -> None:
    play = drawn().request()
    could = told(play).course.could
    show(play, 1)
    assert counts(play) == (could, could, 1)
    assert f"1 of {could} shown so far" in text(play)
    assert f"and {could} were asked for." in text(play)
    assert FIGURE in text(play)
    assert levels(play) == {2: f"1 of {could} drawn shown"}
    assert told(play).course.unknown == (
        f"What {could - 1} frames show that were drawn and asked for and not shown so far.",
    )
    play.act(Role.CLIENT, Act.COMMENT).act(Role.ARBITRATOR, Act.DRAFT)
    assert "so far" not in text(play)
    assert f"1 of {could} shown: " in text(play)


def test_where_fewer_are_asked_for_both_are_counted() -> None:
    play = drawn()
    could = told(play).course.could
    show(play.request(frames=play.nameable()[:3]), 2)
    assert counts(play) == (could, 3, 2)
    assert levels(play) == {2: f"2 of {could} drawn shown"}
    assert told(play).course.unknown == (
        f"What {could - 3} frames show that were drawn and not asked for so far.",
        "What 1 frame shows that was drawn and asked for and not shown so far.",
    )


def test_where_all_are_shown_the_figure_is_left_alone() -> None:
    play = drawn().request()
    could = told(play).course.could
    show(play, could)
    assert counts(play) == (could, could, could)
    assert FIGURE not in text(play)
    assert told(play).course.unknown == ()


def test_what_was_taken_back_or_cannot_be_opened_was_not_shown() -> None:
    play = show(drawn().request(), 2)
    play.act(Role.FREELANCER, Act.CLAW_BACK, cites=play.case.shown[-1:])
    assert counts(play)[2] == 0
    assert "2 were shown and taken back." in text(play)
    assert levels(play)[2].startswith("0 of ")
    closed = SITUATIONS["comment, unreadable"]()
    assert counts(closed)[2] == 0
    assert "1 cannot be opened, as the arbitrator says." in text(closed)
    assert levels(closed)[2].startswith("0 of ")


def test_a_refusal_and_silence_are_a_level_of_which_nothing_was_shown() -> None:
    play = SITUATIONS["comment on a refusal"]()
    assert levels(play) == {2: f"0 of {counts(play)[0]} drawn shown"}
    play = drawn().request().lapse()
    assert levels(play) == {2: f"0 of {counts(play)[0]} drawn shown"}


def test_each_level_has_its_own_count() -> None:
    play = SITUATIONS["evidence, all levels"]()
    could = told(play).course.could
    named = told(play).course.named
    assert levels(play) == {
        2: f"1 of {could} drawn shown",
        3: f"1 of {named} drawn shown",
        4: "1 of 2 shown",
    }


def test_frames_that_the_log_says_were_drawn_count_alone() -> None:
    play = show(drawn().request(), 2)
    one = play.nameable()[0].frame
    found = sample_told(play.case, said(play), frozenset({one}))
    assert found is not None
    assert (found.course.named, found.course.shown) == (1, 1)


def test_a_sample_that_is_everything_says_who_chose_the_hours() -> None:
    few = [one for one in Play.begin().frames if one.holding is Holding.KEPT][:3]

    def ask(**hours: int) -> Play:
        play = Play.begin().heard().shown(1)
        content = play.question(2) | {"count": 3, "freeze": freeze_frames(few)} | hours
        play.act(Role.ARBITRATOR, Act.ASK, **content).both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
        return play.sampled()

    whole = "The sample is all of the 3 frozen frames of these hours: the lot left none out, and"
    play = ask()
    assert f"{whole} the client alone chose the hours, and so the frames." in text(play)
    assert "would not miss it." in text(play)
    narrow = ask(begin=play.case.filing.begin + 1)
    assert f"{whole} the arbitrator alone chose the hours" in text(narrow)
    assert "alone chose" not in text(drawn())


def test_the_json_has_the_sentences_and_the_counts() -> None:
    play = show(drawn().request(), 1)
    could = told(play).course.could
    value = told(play).as_value()
    assert value == {
        "sentences": list(told(play).sentences),
        "could_be_shown": could,
        "asked_for": could,
        "shown": 1,
        "taken_back": 0,
        "unreadable": 0,
    }
