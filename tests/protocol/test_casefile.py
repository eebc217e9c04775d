import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256, sha512

import pytest

from support.builders import STRANGER, digest, make_filing
from support.casefiles import LOGGED, Told, work_and_quarrel
from support.cases import Play
from support.simulator import Simulator
from workseal_protocol.casefile import (
    COLUMNS,
    MAX_EXHIBITS,
    MAX_SEALED,
    STEPS,
    CaseFileReport,
    CaseParts,
    examine_case_file,
    in_order,
    make_case_file,
    read_bag,
    replay,
    standing_of,
    write_bag,
)
from workseal_protocol.casefile import Told as OneTold
from workseal_protocol.casefile.bag import MAX_PAYLOAD_FILES
from workseal_protocol.casefile.examine import EXHIBITS_MISSING, KEY_KEPT
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, sign
from workseal_protocol.verify import Outcome

Files = dict[str, bytes]
# As an act hands it over: the salt stands at the end.
MESSAGES = b"Monday: do it as we said. Tuesday: as who said?" + bytes(range(16))
FIRST = "data/exhibits/0000.salted"
FIGURES = b"what the freelancer opened" + bytes(range(16, 32))
NAMES = (
    "bag-info.txt",
    "bagit.txt",
    "data/bundle.zip",
    "data/case.cbor",
    "data/custody.csv",
    "data/custody.jsonld",
    "data/decision.cose",
    "data/decision.txt",
    "data/exhibits/0000.salted",
    "data/exhibits/0001.salted",
    "data/openings.cbor",
    "data/readme.txt",
    "data/sealed/0000.sealed",
    "manifest-sha256.txt",
    "manifest-sha512.txt",
    "tagmanifest-sha256.txt",
    "tagmanifest-sha512.txt",
)


@cache
def told() -> Told:
    """A case with two exhibits, of which the second is at hand, and figures that were shown."""
    return replace(work_and_quarrel(quarrel), exhibits=(MESSAGES, FIGURES))


def quarrel(play: Play) -> None:
    play.heard()
    for data in (b"not at hand", MESSAGES):
        play.act(Role.CLIENT, Act.EXHIBIT, value=Digest.of(data).raw, text="our messages")
    play.granted(1).act(Role.FREELANCER, Act.SHOW, value=Digest.of(FIGURES).raw)
    play.act(Role.CLIENT, Act.COMMENT).decided()


@cache
def whole() -> Files:
    return told().files()


def examine(files: Files) -> CaseFileReport:
    return examine_case_file(files, told().policy)


def failing(report: CaseFileReport) -> dict[int, str]:
    return {one.number: one.why for one in report.steps if one.outcome is Outcome.FAILS}


def rebagged(changes: Callable[[Files], object]) -> Files:
    """Change the payload, and let somebody write true manifests over it."""
    payload = {name: data for name, data in whole().items() if name.startswith("data/")}
    changes(payload)
    return write_bag(payload, told().play.case.case, told().play.told[-1][1])


# --- what holds ---


def test_a_whole_case_holds_in_every_step() -> None:
    report = examine(whole())
    assert report.holds, report.steps
    assert [one.number for one in report.steps] == list(range(1, 11))
    assert [one.name for one in report.steps] == [rule.name for rule in STEPS]
    assert report.replayed is not None
    assert report.replayed.case.head == told().play.case.head
    by_number = {one.number: one.why for one in report.steps}
    assert f"{LOGGED} of {len(told().statements)} statements" in by_number[6]


def test_the_folder_has_these_files() -> None:
    assert sorted(whole()) == list(NAMES)


def test_what_is_not_proven_is_said_with_what_the_bundle_does_not_prove() -> None:
    report = examine(whole())
    assert report.bundle is not None
    assert set(report.bundle.not_proven) < set(report.not_proven)
    assert any("sealed package" in one for one in report.not_proven)
    # The draw of the arbitrator: no commitment covers its value here.
    assert "Values drawn by that no commitment of the operator covers: 1." in report.not_proven


@pytest.mark.parametrize("said", [True, False])
def test_that_nobody_said_a_key_was_destroyed_is_said(said: bool) -> None:  # noqa: FBT001
    def ended(play: Play) -> None:
        play.heard().decided().lapse().pass_due().lapse().pass_due().act(Role.OPERATOR, Act.DESTROY)
        play.act(Role.ARBITRATOR, Act.DESTROY) if said else play.lapse()

    report = examine((case := work_and_quarrel(ended)).files())
    assert case.play.case.state is State.PURGED
    assert (KEY_KEPT in report.not_proven) is not said


def test_the_same_parts_give_the_same_bytes() -> None:
    again = told().files()
    assert again == whole()
    report = told().report
    assert report.terms is not None
    shuffled = replay(reversed(told().statements), report.terms)
    parts = replace(told().parts(), statements=tuple(one.statement for one in shuffled.told))
    assert make_case_file(parts, shuffled, {one.digest: one for one in report.entries}) == whole()


def test_the_parts_come_back() -> None:
    assert CaseParts.read(whole()) == told().parts()


def test_manifests_are_those_that_sha256sum_and_sha512sum_read() -> None:
    for name, hashed in (("sha256", sha256), ("sha512", sha512)):
        lines = whole()[f"manifest-{name}.txt"].decode().splitlines()
        pairs = {line[hashed().digest_size * 2 + 2 :]: line.split("  ")[0] for line in lines}
        payload = {name: data for name, data in whole().items() if name.startswith("data/")}
        assert pairs == {name: hashed(data).hexdigest() for name, data in payload.items()}


def test_the_decision_stands_in_the_folder_as_signed_and_as_text() -> None:
    statement = next(one for one in told().statements if one.digest == told().play.case.decision)
    assert whole()["data/decision.cose"] == statement.encode()
    text = whole()["data/decision.txt"].decode()
    assert text.startswith(
        f"decision {statement.digest}\nnot final: it can be appealed against\nin part\n"
        "amount 650.00 EUR\n"
    )
    assert text.endswith("\n\nsaid in few words\n")
    undecided = work_and_quarrel(lambda play: play.heard()).files()
    assert not {name for name in undecided if "decision" in name}


def test_a_decision_is_told_with_whether_it_is_final() -> None:
    """A payer who gets the folder reads no sum as the last word that somebody else decides anew."""
    anew = "not final: it was appealed against, and another person decides anew"
    play = Play.begin().heard().shown(1).decided()
    assert standing_of(play.case) == "not final: it can be appealed against"
    play.act(Role.CLIENT, Act.APPEAL)
    assert standing_of(play.case) == anew
    play.seat().both(Act.COMMENT)
    assert standing_of(play.case) == anew
    play.act(Role.ARBITRATOR, Act.DECIDE)
    assert standing_of(play.case) == "final"
    given_up = work_and_quarrel(lambda play: play.heard().shown(1).decided().both(Act.PASS))
    assert given_up.files()["data/decision.txt"].decode().splitlines()[1] == "final"


def test_reasons_hide_nothing_in_a_text_that_people_open() -> None:
    said = "half of it\nwas \u202e00.056 truoma\u202c work"

    def quarrel(play: Play) -> None:
        play.heard().shown(1).act(Role.ARBITRATOR, Act.DRAFT).both(Act.PASS)
        play.act(Role.ARBITRATOR, Act.DECIDE, text=said)

    files = work_and_quarrel(quarrel).files()
    text = files["data/decision.txt"].decode()
    assert text.endswith("\n\nhalf of it\nwas \\u202e00.056 truoma\\u202c work\n")
    assert said.encode() in files["data/decision.cose"]


def test_a_sum_is_written_as_its_currency_is_and_not_in_minor_units() -> None:
    yen = work_and_quarrel(lambda play: play.heard().shown(1).decided(), currency="JPY").files()
    assert b"\namount 65000 JPY\n" in yen["data/decision.txt"]


# --- what was handed over beside ---


def test_one_that_was_handed_over_is_one_file() -> None:
    def quarrel(play: Play) -> None:
        play.heard().act(Role.CLIENT, Act.EXHIBIT, value=Digest.of(MESSAGES).raw, text="all of it")

    one = replace(work_and_quarrel(quarrel), exhibits=(MESSAGES,))
    assert examine_case_file(one.files(), one.policy).steps[9].why == "1 of 1 file"
    none = work_and_quarrel(lambda play: play.heard())
    assert examine_case_file(none.files(), none.policy).steps[9].why == (
        "nothing was handed over beside"
    )


def test_what_was_handed_over_is_read_from_the_folder_and_what_is_missing_is_counted() -> None:
    report = examine(whole())
    assert whole()["data/exhibits/0000.salted"] == MESSAGES
    assert report.exhibits == (Digest.of(MESSAGES), Digest.of(FIGURES))
    assert report.steps[9].why == "2 of 3 files"
    assert EXHIBITS_MISSING.format(1) in report.not_proven
    rows = list(csv.DictReader(io.StringIO(whole()["data/custody.csv"].decode())))
    found = [(row["contents"], row["exhibit"]) for row in rows if row["exhibit"]]
    assert found == [
        (sha256(MESSAGES).hexdigest(), "data/exhibits/0000.salted"),
        (sha256(FIGURES).hexdigest(), "data/exhibits/0001.salted"),
    ]
    assert [row["move"] for row in rows if row["exhibit"]] == ["exhibit", "show"]


def test_another_file_is_no_exhibit_even_under_true_manifests() -> None:
    for change in (b"another word" + MESSAGES, MESSAGES[:-16], b""):
        made = rebagged(lambda files, data=change: files.update({FIRST: data}))  # type: ignore[misc]
        assert "no statement of the case names a file of" in failing(examine(made))[10]


def test_exhibits_stand_once_and_in_the_order_of_the_case() -> None:
    second = "data/exhibits/0001.salted"
    for first, other in ((FIGURES, MESSAGES), (MESSAGES, MESSAGES)):
        given = {FIRST: first, second: other}
        made = rebagged(lambda files, given=given: files.update(given))  # type: ignore[misc]
        assert "once each in the order of the case" in failing(examine(made))[10]
    moved = rebagged(lambda files: files.update({"data/exhibits/0002.salted": files.pop(second)}))
    assert "not numbered from 0000 on" in failing(examine(moved))[1]
    found = replay(told().statements, told().play.case.terms)
    assert in_order([FIGURES, MESSAGES, FIGURES], found.told) == (MESSAGES, FIGURES)


def test_what_was_shown_by_mistake_and_taken_back_goes_to_nobody() -> None:
    def quarrel(play: Play) -> None:
        play.heard().act(Role.CLIENT, Act.EXHIBIT, value=Digest.of(MESSAGES).raw, text="ours")
        play.granted(1).act(Role.FREELANCER, Act.SHOW, value=Digest.of(FIGURES).raw)
        play.act(Role.FREELANCER, Act.CLAW_BACK, cites=play.case.shown)
        # Once more, with the messages beside: those are the client's exhibit, too.
        play.act(Role.FREELANCER, Act.SHOW, value=Digest.of(MESSAGES).raw)
        play.act(Role.FREELANCER, Act.CLAW_BACK, cites=play.case.shown[-1:])

    made = work_and_quarrel(quarrel)
    found = replay(made.statements, made.play.case.terms)
    taken_back = found.case.clawed_back
    assert in_order([MESSAGES], found.told, taken_back=taken_back) == (MESSAGES,)
    with pytest.raises(VerificationError, match="shown by mistake and taken back: it goes to nob"):
        in_order([MESSAGES, FIGURES], found.told, taken_back=taken_back)
    # Who has it already, from before, can still check the folder.
    assert in_order([MESSAGES, FIGURES], found.told) == (MESSAGES, FIGURES)


def test_a_case_file_has_few_exhibits() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_EXHIBITS} exhibits"):
        replace(told().parts(), exhibits=(b"x",) * (MAX_EXHIBITS + 1))
    assert MAX_EXHIBITS + MAX_SEALED + 10 <= MAX_PAYLOAD_FILES


# --- custody ---


def test_custody_says_who_when_and_what_the_log_proves() -> None:
    rows = list(csv.DictReader(io.StringIO(whole()["data/custody.csv"].decode())))
    assert tuple(rows[0]) == COLUMNS
    assert [row["move"] for row in rows] == [one.move for one in _replayed()]
    assert [row["statement"] for row in rows] == [str(one.digest) for one in told().statements]
    assert [row["statement_before"] for row in rows[1:]] == [row["statement"] for row in rows[:-1]]
    assert all(row["log_index"] and row["not_after"] for row in rows[:LOGGED])
    assert not any(row["log_index"] or row["not_after"] for row in rows[LOGGED:])
    assert rows[0]["claimed_at"].endswith("Z")
    assert rows[-1]["state_after"] == "appeal"


def _replayed() -> tuple[OneTold, ...]:
    report = examine(whole())
    assert report.replayed is not None
    return report.replayed.told


def test_custody_holds_no_words_of_the_parties() -> None:
    for name in ("data/custody.csv", "data/custody.jsonld"):
        assert b"said in few words" not in whole()[name]
        assert b"nothing was delivered" not in whole()[name]


def test_the_graph_has_an_action_a_record_and_a_hash_for_each_statement() -> None:
    graph = json.loads(whole()["data/custody.jsonld"])["@graph"]
    kinds = [node["@type"] for node in graph]
    number = len(told().statements)
    for kind in (
        "case-investigation:InvestigativeAction",
        "case-investigation:ProvenanceRecord",
    ):
        assert kinds.count(kind) == number
    assert kinds.count("uco-observable:ObservableObject") == number + len(told().exhibits)
    names = [node["@id"] for node in graph]
    assert len(set(names)) == len(names)
    hashes = {
        node["uco-core:hasFacet"]["uco-observable:hash"]["uco-types:hashValue"]["@value"]
        for node in graph
        if "uco-core:hasFacet" in node
    }
    handed = {sha256(one).hexdigest() for one in told().exhibits}
    assert hashes == {str(one.digest) for one in told().statements} | handed
    named = [node for node in graph if node.get("uco-core:name", "").startswith("data/exhibits/")]
    assert [node["uco-core:name"] for node in named] == [FIRST, "data/exhibits/0001.salted"]
    results = {
        ref["@id"]
        for node in graph
        if node["@type"] == "case-investigation:InvestigativeAction"
        for ref in node["uco-action:result"]
    }
    assert {node["@id"] for node in named} <= results


# --- what does not hold ---


@pytest.mark.parametrize("name", NAMES)
def test_one_bit_in_any_file_is_found_and_the_file_named(name: str) -> None:
    data = bytearray(whole()[name])
    data[len(data) // 2] ^= 1
    report = examine(whole() | {name: bytes(data)})
    assert not report.holds
    assert name in failing(report)[2] or name in failing(report)[8]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_found(name: str) -> None:
    files = whole()
    report = examine({other: data for other, data in files.items() if other != name})
    assert not report.holds
    if not name.startswith("data/") or name in {"data/case.cbor", "data/bundle.zip"}:
        assert report.malformed


@pytest.mark.parametrize("name", ["evil", "data/more", "data/sealed/0002.sealed", "data/../x"])
def test_refuses_a_folder_with_something_else_in_it(name: str) -> None:
    report = examine(whole() | {name: b""})
    assert report.malformed
    assert failing(report).keys() >= {1}


def test_a_statement_left_out_of_the_middle_is_found() -> None:
    def cut(payload: Files) -> None:
        kept = [one for n, one in enumerate(told().statements) if n != 4]
        payload["data/case.cbor"] = b"".join(one.encode() for one in kept)

    assert "follow nothing" in failing(examine(rebagged(cut)))[5]


def test_statements_that_the_log_has_are_not_left_out_of_the_end() -> None:
    def cut(payload: Files) -> None:
        kept = told().statements[: LOGGED - 1]
        payload["data/case.cbor"] = b"".join(one.encode() for one in kept)

    report = examine(rebagged(cut))
    assert "the log has a statement of this case at index" in failing(report)[6]


def test_another_order_is_found() -> None:
    def turn(payload: Files) -> None:
        first, second, *rest = told().statements
        payload["data/case.cbor"] = b"".join(one.encode() for one in (second, first, *rest))

    assert "do not stand in the order" in failing(examine(rebagged(turn)))[5]


def test_a_strangers_statement_is_found() -> None:
    def add(payload: Files) -> None:
        payload["data/case.cbor"] += sign(make_filing(), STRANGER).encode()

    number = len(told().statements)
    report = examine(rebagged(add))
    assert failing(report)[4].startswith(f"statement {number}: the terms do not name the key")


def test_a_bundle_that_does_not_hold_is_found() -> None:
    other = examine_case_file(whole(), Simulator(b"another").trust())
    assert failing(other)[3].startswith("step 2 manifest: fails")
    left = {one.number for one in other.steps if one.outcome is Outcome.NOT_REACHED}
    assert left == {4, 5, 6, 7, 8, 9, 10}


def test_false_openings_are_found() -> None:
    def change(payload: Files) -> None:
        first, *rest = told().openings
        false = replace(first, salt=bytes(16))
        payload["data/openings.cbor"] = b"".join(one.encode() for one in (false, *rest))

    assert failing(examine(rebagged(change))) == {
        7: "opening 0: the opened activity is not what was committed"
    }


@pytest.mark.parametrize(
    "name", ["data/custody.csv", "data/custody.jsonld", "data/decision.txt", "data/readme.txt"]
)
def test_derived_files_are_those_that_the_statements_give(name: str) -> None:
    def change(payload: Files) -> None:
        payload[name] = payload[name].replace(b"decision", b"derision").replace(b"draft", b"drift")

    assert name in failing(examine(rebagged(change)))[8]


def test_another_decision_is_found() -> None:
    def change(payload: Files) -> None:
        payload["data/decision.cose"] = told().statements[0].encode()

    assert "data/decision.cose" in failing(examine(rebagged(change)))[8]


def test_a_case_of_another_engagement_is_found() -> None:
    other = Play.begin(terms=told().play.case.terms, engagement=bytes(16))

    def change(payload: Files) -> None:
        payload["data/case.cbor"] = other.told[0][0].encode()

    assert "another engagement" in failing(examine(rebagged(change)))[5]


def test_junk_is_malformed_and_nothing_is_raised() -> None:
    assert examine({}).malformed
    for name in ("data/case.cbor", "data/openings.cbor", "data/bundle.zip"):
        report = examine(rebagged(lambda payload, name=name: payload.update({name: b"junk"})))  # type: ignore[misc]
        assert not report.holds
        assert not report.malformed


# --- bounds ---


def test_bounds_of_a_bag() -> None:
    many = {f"data/sealed/{n:04d}.sealed": b"" for n in range(MAX_PAYLOAD_FILES + 1)}
    with pytest.raises(ValueError, match="1 to 128 files"):
        write_bag(many, digest(1), 0)
    with pytest.raises(ValueError, match="lower case letters"):
        write_bag({"data/../x": b""}, digest(1), 0)
    with pytest.raises(ValueError, match="at most 64 sealed"):
        replace(told().parts(), sealed=(b"",) * 65)
    with pytest.raises(ValueError, match="1 to 1000 statements"):
        replace(told().parts(), statements=())


def test_a_bag_is_checked_by_itself() -> None:
    read_bag(whole())
    for more in ("data/../x", "data/A", "data/a/b", "evil"):
        with pytest.raises(MalformedError, match="which no case file has"):
            read_bag(whole() | {more: b""})
    many = {f"data/sealed/{n:04d}.sealed": b"" for n in range(MAX_PAYLOAD_FILES)}
    with pytest.raises(MalformedError, match="1 to 128 files"):
        read_bag(whole() | many)


def test_a_bag_of_another_version_is_refused_though_its_manifests_fit() -> None:
    """Whoever writes the declaration anew writes the tag manifests anew, too."""
    files = whole() | {"bagit.txt": whole()["bagit.txt"].replace(b"1.0", b"0.9")}
    for name, hashed in (("sha256", sha256), ("sha512", sha512)):
        lines = whole()[f"tagmanifest-{name}.txt"].decode().splitlines()
        names = [line.split("  ")[1] for line in lines]
        text = "".join(f"{hashed(files[one]).hexdigest()}  {one}\n" for one in names)
        files[f"tagmanifest-{name}.txt"] = text.encode()
    with pytest.raises(VerificationError, match=r"bagit\.txt is not that of version 1\.0"):
        read_bag(files)


# --- replay ---


def test_replay_refuses_what_is_no_case() -> None:
    terms = told().play.case.terms
    with pytest.raises(MalformedError, match=r"expected one dispute\.filing, found 0"):
        replay(told().statements[1:2], terms)
    play = Play.begin(terms=terms)
    play.stubborn = True
    with pytest.raises(VerificationError):
        play.act(Role.CLIENT, Act.APPEAL)
    tried = [one for one, _ in play.tried]
    with pytest.raises(VerificationError, match="statement 1: client in notice"):
        replay(tried, terms)
