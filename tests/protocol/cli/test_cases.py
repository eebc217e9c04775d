import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from support.builders import (
    CLIENT,
    FREELANCER,
    NOW,
    OPERATOR,
    ROUND_MS,
    STRANGER,
    digest,
    make_acceptance,
    make_beacon,
    make_filing,
    make_request,
    make_segment,
)
from support.cases import Play, case_terms
from workseal_protocol.casefile import Beacon
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.records import Act, sign
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

from .conftest import Outcome, Run


def told() -> Play:
    play = Play.begin().heard().shown(1).granted(2).request()
    assert all(one.payload for one, _ in play.told)
    return play


def write(folder: Path, play: Play, terms: Terms | None = None) -> list[Path]:
    """Write the terms and every statement into a file of its own, in no order."""
    agreed = make_acceptance(terms=terms or case_terms())
    (folder / "terms.cose").write_bytes(sign(agreed, FREELANCER).encode())
    return put(folder, (one for one, _ in play.told))


def put(folder: Path, statements: Iterable[Statement]) -> list[Path]:
    paths = []
    for statement in statements:
        path = folder / f"{statement.digest}.cose"
        path.write_bytes(statement.encode())
        paths.append(path)
    return sorted(paths)


def replay(run: Run, folder: Path, paths: Iterable[Path], *more: str) -> Outcome:
    return run("case", "--terms", folder / "terms.cose", *more, *paths)


def test_tells_where_a_case_stands(tmp_path: Path, run: Run) -> None:
    play = told()
    done = replay(run, tmp_path, write(tmp_path, play))
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == f"case {play.case.case}, not worked"
    assert f"head {play.case.head}" in lines
    assert "state disclosure" in lines
    assert any(
        line.startswith("until ") and line.endswith("(5 working days of DE-BY): freelancer")
        for line in lines
    )
    assert any(line.startswith("14 of 111 frozen frames are drawn") for line in lines)
    assert "next, freelancer: accept, claw-back, disclosure, exhibit, offer, withhold" not in lines
    assert any(line.startswith("next, freelancer: ") and "disclosure" in line for line in lines)
    assert lines[-2].startswith("instants are those that the signers claim")
    assert lines[-1].startswith("values of the beacon are not checked")


def test_how_many_drawn_frames_were_shown_is_said_beside_the_figure(
    tmp_path: Path, run: Run
) -> None:
    play = told().disclose()
    paths = write(tmp_path, play)
    lines = replay(run, tmp_path, paths).out.splitlines()
    assert "up to once in 27 times (369 in 10,000)" in " ".join(lines)
    assert any(line.startswith("1 of 13 shown so far: 13 of the drawn frames") for line in lines)
    assert any("the figure above is of all" in line for line in lines)
    shown = json.loads(replay(run, tmp_path, paths, "--json").out)["sample"]
    assert (shown["could_be_shown"], shown["asked_for"], shown["shown"]) == (13, 13, 1)
    assert set(shown["sentences"]) <= set(lines)


def test_the_same_as_json(tmp_path: Path, run: Run) -> None:
    play = told()
    shown = json.loads(replay(run, tmp_path, write(tmp_path, play), "--json").out)
    assert shown["head"] == str(play.case.head)
    assert shown["state"] == "disclosure"
    assert shown["waiting_for"] == ["freelancer"]
    assert play.case.due is not None
    assert shown["until"] == play.case.due.until
    assert [one["move"] for one in shown["statements"]][:3] == ["filing", "notice", "answer"]
    assert play.case.drawn is not None
    assert shown["drawn"] == list(play.case.drawn)


def test_one_file_may_hold_them_all_and_some_twice(tmp_path: Path, run: Run) -> None:
    play = told()
    paths = write(tmp_path, play)
    whole = tmp_path / "whole"
    whole.write_bytes(b"".join(path.read_bytes() for path in paths))
    done = replay(run, tmp_path, [whole, *paths[:3]])
    assert f"head {play.case.head}" in done.out


def test_refuses_a_link_that_is_missing_or_forked(tmp_path: Path, run: Run) -> None:
    play = told()
    write(tmp_path, play)
    gap = put(tmp_path, (one for n, (one, _) in enumerate(play.told) if n != 4))
    done = replay(run, tmp_path, gap)
    assert done.code == 1
    assert "follow nothing in these files" in done.err
    fork = Play(play.replayed(2), play.told[1][1], []).act(Role.CLIENT, Act.WITHDRAW)
    paths = put(tmp_path, (one for one, _ in [*play.told, *fork.told]))
    done = replay(run, tmp_path, paths)
    assert (done.code, "two statements follow" in done.err) == (1, True)


def test_refuses_a_statement_that_the_table_does_not_allow(tmp_path: Path, run: Run) -> None:
    play = Play.begin()
    play.stubborn = True
    write(tmp_path, play)
    with pytest.raises(Exception, match="expected"):
        play.act(Role.CLIENT, Act.APPEAL)
    done = replay(run, tmp_path, put(tmp_path, (one for one, _ in play.tried)))
    assert done.code == 1
    assert "statement 1: client in notice: expected" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("who", ["stranger", "forged"])
def test_refuses_signatures(tmp_path: Path, run: Run, who: str) -> None:
    write(tmp_path, Play.begin())
    filing = sign(make_filing(), STRANGER if who == "stranger" else CLIENT)
    if who == "forged":
        filing = replace(filing, signature=bytes(64))
    done = replay(run, tmp_path, put(tmp_path, [filing]))
    assert done.code == 1
    assert ("do not name the key" if who == "stranger" else "does not match") in done.err


def test_refuses_what_is_no_case(tmp_path: Path, run: Run) -> None:
    play = Play.begin()
    paths = write(tmp_path, play)
    junk = tmp_path / "junk"
    junk.write_bytes(b"\xd2junk")
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    arbitrator = Play.begin().lapse().lapse().lapse().draw().arbitrator
    alone = put(tmp_path, [sign(make_request(), arbitrator)])
    chained = put(tmp_path, [sign(make_segment(), FREELANCER)])
    for files, words in (
        ([junk], "is no file of statements: number 0"),
        ([empty], "is no file of statements: number 0"),
        (alone, "expected one dispute.filing, found 0"),
        ([*paths, *alone], "a dispute.request names no case"),
        ([*paths, *chained], "a segment is no part of a case"),
    ):
        done = replay(run, tmp_path, files)
        assert (done.code, words in done.err) == (2, True), done.err


def test_refuses_the_case_of_another_engagement(tmp_path: Path, run: Run) -> None:
    play = Play.begin()
    paths = write(tmp_path, play)
    other = make_acceptance(terms=case_terms(), engagement=bytes(16))
    (tmp_path / "terms.cose").write_bytes(sign(other, FREELANCER).encode())
    done = replay(run, tmp_path, paths)
    assert (done.code, "another engagement" in done.err) == (1, True)


def test_checks_values_of_the_beacon_where_a_commitment_covers_them() -> None:
    chain = build_chain(ChainSide.VERIFIER, bytes(32), 10)
    head = chain_head(ChainSide.VERIFIER, chain[0])
    commitment = make_beacon(period_ms=ROUND_MS, first_round=100, count=10, head=head)
    beacon = Beacon(ROUND_MS, [commitment])
    assert beacon.released(103, chain[3])
    assert not beacon.released(103, chain[4])
    assert beacon.unverified == 0
    assert beacon.released(110, bytes(32))
    assert Beacon(ROUND_MS + 1, [commitment]).released(103, bytes(32))
    assert beacon.unverified == 1


def test_a_commitment_among_the_files_is_used(tmp_path: Path, run: Run) -> None:
    play = Play.begin().lapse().lapse().lapse()
    number = play.case.panel_round
    head = Digest(digest("another chain").raw)
    commitment = make_beacon(period_ms=ROUND_MS, first_round=number, count=5, head=head)
    play.draw()
    paths = [*write(tmp_path, play), *put(tmp_path, [sign(commitment, OPERATOR)])]
    done = replay(run, tmp_path, paths)
    assert (done.code, "expected the committed value" in done.err) == (1, True)
    assert play.now > NOW
