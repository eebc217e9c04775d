import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from support.scripted import Story, tell_story
from support.simulator import ROUND_MS
from support.stamp import FixedTsa
from workseal_protocol.bundle import Contents
from workseal_protocol.checkpoint import SignedCheckpoint, add_cosignature, cosign
from workseal_protocol.digest import Digest
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import Segment
from workseal_protocol.verify import Outcome, Report, examine_bundle
from workseal_protocol.window import seen_in_time


@cache
def story(*, back_dated: bool = False, witnesses: int = 1) -> Story:
    return tell_story(careless=back_dated, back_dated=back_dated, witnesses=witnesses)


def keeping(told: Story, keep: Callable[[SignedCheckpoint], bool]) -> Contents:
    contents = told.contents
    kept = tuple(one for one in contents.checkpoints if keep(one))
    sizes = [one.checkpoint.size for one in kept]
    return replace(
        contents,
        checkpoints=kept,
        timestamps=tuple(one for one in contents.timestamps if one[0] in sizes),
        hashes=told.verifier.proof(
            contents.checkpoint.checkpoint.size, list(contents.indices), sizes
        ),
    )


def examine(told: Story, contents: Contents, policy: TrustPolicy | None = None) -> Report:
    return examine_bundle(told.bundle(contents).encode(), policy or told.policy)


def about(report: Report, words: str) -> list[str]:
    return [sentence for sentence in report.not_proven if words in sentence]


def test_a_report_says_nothing_of_anchors_that_are_all_there() -> None:
    assert about(examine(story(), story().contents), "anchors") == []


def anchors_of(told: Story) -> set[Digest]:
    return {record.anchor.digest for _, record in told.agent.made if hasattr(record, "anchor")}


def test_back_dating_is_not_hidden_by_leaving_anchors_out() -> None:
    told = story(back_dated=True)
    assert "was signed at least" in examine(told, told.contents).by_number()[11].why
    named = anchors_of(told)
    step = examine(told, keeping(told, lambda one: one.digest not in named)).by_number()[11]
    assert step.outcome is Outcome.FAILS
    assert "was not seen in time, and its anchor is not in the bundle" in step.why


def test_witnesses_that_tell_no_time_hide_no_anchor() -> None:
    # Cosignatures of time 0 make the quorum and bound nothing: nobody saw any segment in time.
    told = story()

    def timeless(signed: SignedCheckpoint) -> SignedCheckpoint:
        signed = replace(signed, lines=signed.lines[:1])
        for name, signer in told.verifier.witness_signers.items():
            signed = add_cosignature(signed, cosign(signed.checkpoint, name, signer, 0))
        return signed

    contents = replace(
        told.contents,
        checkpoint=timeless(told.contents.checkpoint),
        checkpoints=tuple(map(timeless, told.contents.checkpoints)),
    )
    policy = replace(told.policy, tsa=())
    step = examine(told, contents, policy).by_number()[11]
    assert step.outcome is Outcome.FAILS
    assert "its anchor is not in the bundle" in step.why


def test_a_report_counts_the_other_anchors_that_cannot_be_checked() -> None:
    told = story()
    told_of = 0
    for anchor in anchors_of(told):
        report = examine(told, keeping(told, lambda one, gone=anchor: one.digest != gone))  # type: ignore[misc]
        others = [
            one.record.anchor.digest
            for one in report.entries
            if hasattr(one.record, "anchor")
            and not (
                isinstance(one.record, Segment)
                and seen_in_time(one.record, one.window.upper, ROUND_MS)
            )
        ]
        if not report.holds or anchor not in others:
            continue
        told_of += 1
        (sentence,) = about(report, "anchors")
        assert sentence.startswith(f"{others.count(anchor)} of {len(others)} anchors cannot be")
        assert "back-dated" in sentence
    assert told_of


def test_without_witnesses_no_anchor_is_asked_for() -> None:
    """There no checkpoint has a time: an anchor could tell nothing."""
    told = story(witnesses=0)
    named = anchors_of(told)
    assert examine(told, keeping(told, lambda one: one.digest not in named)).holds


def test_step_10_tells_when_the_newest_token_is_over_an_earlier_checkpoint() -> None:
    told = story()
    assert told.contents.token is not None
    complete = examine(told, told.contents)
    assert complete.by_number()[10].why == "tokens: 2"
    assert about(complete, "No time-stamp is over") == []
    first = told.contents.checkpoints[0]
    tsa = FixedTsa.from_seed(told.verifier.seed)
    token = tsa.stamp(first.log_signed(told.verifier.log_key), told.verifier.now)
    size = first.checkpoint.size
    report = examine(told, replace(told.contents, token=None, timestamps=((size, token),)))
    whole = told.contents.checkpoint.checkpoint.size
    assert report.by_number()[10].why == f"tokens: 1; the newest is over size {size} of {whole}"
    later = sum(index >= size for index in told.contents.indices)
    (sentence,) = about(report, "No time-stamp is over")
    assert f"the last {later} statements" in sentence


def test_step_10_takes_as_many_roots_as_a_policy_names() -> None:
    told = story()
    others = tuple(FixedTsa.from_seed(b"other %d" % n).root_der for n in range(31))
    for roots in ((*others, *told.policy.tsa), (*told.policy.tsa, *others)):
        policy = TrustPolicy.parse(replace(told.policy, tsa=roots).encode())
        assert examine(told, told.contents, policy).holds
    without = replace(told.policy, tsa=others)
    assert "trusted root" in examine(told, told.contents, without).by_number()[10].why


def test_step_10_is_not_reached_by_a_program_that_cannot_read_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was not examined did not fail."""
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    step = examine(story(), story().contents).by_number()[10]
    assert step.outcome is Outcome.NOT_REACHED
    assert "workseal[time]" in step.why
