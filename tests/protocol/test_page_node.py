"""The offline page's script in node: every vector, edges, and what it cannot check."""

import base64
import dataclasses
import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.builders import make_act, make_filing
from support.drawn import HOUR_MS
from support.examined import FOLDER, VECTORS, good, story
from support.offline_page import NodePage, differences, python_says
from support.scripted import Story, begin, finish, first_day, second_day
from support.shaped import shaped
from support.simulator import DAY_MS, START, Simulator, seeded
from workseal_protocol.bundle import README, read_archive, write_archive
from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignature,
    cosign,
    sign_checkpoint,
)
from workseal_protocol.cli.page import offline_page
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, Role, SeedSigner
from workseal_protocol.merkle import inclusion_path
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy, TrustPolicy
from workseal_protocol.receipt import cose_receipt
from workseal_protocol.records import DeclarationForm, Record, Segment, SheetAnswer, sign
from workseal_protocol.terms import Level, RoundingMode
from workseal_protocol.timesheets import MAX_CHECKED

ML_DSA = "this program cannot check signatures by ML-DSA-44"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "verify.html"
    path.write_bytes(offline_page())
    return path


@pytest.fixture(scope="module")
def page(file: Path) -> Iterator[NodePage]:
    with NodePage(file) as page:
        yield page


def assert_same(page: NodePage, data: bytes, policy: TrustPolicy) -> dict[str, Any]:
    told = page.examine(data, policy.encode().encode())
    assert differences(told, python_says(data, policy)) == []
    return told


def outcomes(told: dict[str, Any]) -> dict[int, str]:
    return {step["number"]: step["outcome"] for step in told["steps"] if step["outcome"] != "holds"}


# --- vectors ---

NO_LABELS: dict[str, list[Any]] = {"projects": [], "tags": [], "days": []}
NOTHING_HELD: dict[str, list[Any]] = {"statements": [], "weeks_without": []}


@pytest.mark.parametrize("name", VECTORS)
def test_says_of_a_vector_what_stands_beside_it_and_what_python_says(
    page: NodePage, name: str
) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text())
    policy = TrustPolicy.parse((FOLDER / told["policy"]).read_text())
    found = assert_same(page, (FOLDER / told["bundle"]).read_bytes(), policy)
    assert found["holds"] == (told["expect"] == "holds")
    assert found["malformed"] == (told["expect"] == "malformed")
    if told["expect"] == "holds":
        assert (found["totals"], found["diary"]) == (told["totals"], told["diary"])
        assert found["windows"] == told["windows"]
        assert found["timesheets"] == told.get("timesheets", [])
        assert found["activity"] == told.get("activity", [])
        assert found["labels"] == told.get("labels", NO_LABELS)
        assert found["possession"] == told.get("possession", NOTHING_HELD)
        return
    step = found["steps"][told["step"] - 1]
    assert step["outcome"] == told["outcome"]
    if told["expect"] != "malformed":
        assert told["why"] in step["why"]


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("valid", False),
        ("chain-dropped", False),
        ("checkpoint-other-time", True),
        ("signature-broken", True),
    ],
)
def test_puts_signatures_off_and_begins_again_where_one_does_not_hold(
    page: NodePage, name: str, *, again: bool
) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text())
    policy = (FOLDER / told["policy"]).read_bytes()
    found = page.examine((FOLDER / told["bundle"]).read_bytes(), policy)
    steps = [step["number"] for step in found["steps"]]
    # All steps, the wait for the signatures of step 5, and all steps in turn.
    assert found["begun"] == [*steps, 5, *(steps if again else [])]


def test_reads_the_vectors_of_every_format_that_a_bundle_has(file: Path) -> None:
    node = shutil.which("node")
    assert node is not None, "node is not installed"
    script = Path(__file__).parents[1] / "support" / "page_vectors.mjs"
    done = subprocess.run(
        [node, script, file, FOLDER.parent], capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout)
    assert len(rows) >= 180
    assert [row for row in rows if row[1] != row[2]] == []


# --- what it cannot check is never called good ---


def test_a_cosignature_by_ml_dsa_is_not_reached(page: NodePage) -> None:
    signer = SeedSigner(seeded(b"", "ml-dsa"), Algorithm.ML_DSA_44)
    key = VerifierKey("pq.example", signer.public_key, NoteType.MLDSA_COSIGNATURE)
    contents = story().contents
    line = cosign(contents.checkpoint.checkpoint, key.name, signer, 1_772_506_900)
    data = sealed(checkpoint=add_cosignature(contents.checkpoint, line))
    known = dataclasses.replace(
        story().policy.tlog, witnesses={**story().policy.tlog.witnesses, "pq": key}
    )
    policy = dataclasses.replace(story().policy, tlog=known)
    told = page.examine(data, policy.encode().encode())
    assert outcomes(told)[3] == "not reached"
    assert told["steps"][2]["why"] == ML_DSA
    assert "fails" not in outcomes(told).values()
    assert not told["holds"]
    # Python can, and says no other step: the policy is another than that of the terms.
    assert python_says(data, policy)["steps"][2]["outcome"] == "holds"


def test_a_manifest_signed_by_ml_dsa_is_not_reached(page: NodePage) -> None:
    signer = SeedSigner(seeded(b"", "ml-dsa"), Algorithm.ML_DSA_44)
    policy = dataclasses.replace(
        story().policy, parties={**story().policy.parties, Role.CLIENT: (signer.public_key,)}
    )
    data = story().bundle(signer=signer).encode()
    told = page.examine(data, policy.encode().encode())
    assert told["steps"][1] == {
        "number": 2, "name": "manifest", "outcome": "not reached", "why": ML_DSA
    }  # fmt: skip
    assert python_says(data, policy)["steps"][1]["outcome"] == "holds"


# --- numbers beyond what JavaScript holds exactly ---


def signed(size: int, time: int, root: Digest | None = None) -> SignedCheckpoint:
    verifier = story().verifier
    checkpoint = Checkpoint(
        story().contents.checkpoint.checkpoint.origin, size, root or Digest(bytes(32))
    )
    made = sign_checkpoint(checkpoint, verifier.log_signer)
    for name, signer in verifier.witness_signers.items():
        made = add_cosignature(made, cosign(checkpoint, name, signer, time))
    return made


def sealed(**changes: Any) -> bytes:
    contents = dataclasses.replace(story().contents, **changes)
    return story().bundle(contents).encode()


@pytest.mark.parametrize("size", [2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1])
def test_a_tree_beyond_53_bits_is_no_tree_of_these_statements(page: NodePage, size: int) -> None:
    told = assert_same(page, sealed(checkpoint=signed(size, 5), token=None), story().policy)
    assert told["log"]["size"] in (size, str(size))
    assert outcomes(told)[4] == "fails"


@pytest.mark.parametrize("time", [0, 1, 2**53, 2**63 - 1])
def test_a_cosigner_may_tell_any_time(page: NodePage, time: int) -> None:
    latest = story().contents.checkpoint.checkpoint
    data = sealed(checkpoint=signed(latest.size, time, latest.root), token=None)
    assert_same(page, data, story().policy)


def test_an_earlier_checkpoint_beyond_53_bits_is_malformed(page: NodePage) -> None:
    entries = dict(story().contents.entries())
    # The proof has no room for its size, so no writer of ours makes such a bundle.
    big = signed(2**60, 5).encode()
    told = page.examine(rewritten(entries, big), story().policy.encode().encode())
    assert told["malformed"]
    assert python_says(rewritten(entries, big), story().policy)["malformed"]


def rewritten(entries: dict[str, bytes], checkpoint: bytes) -> bytes:
    manifest = story().bundle().manifest.encode()
    later = signed(2**61, 5).encode()
    changed = {"checkpoints.cbor": encode(checkpoint), "checkpoint": later}
    rows = [("README.txt", README), ("manifest.cose", manifest)]
    left = ("timestamps.cbor", "checkpoint.tsr", "tsa-ca.pem")
    return write_archive(
        [*rows, *((n, changed.get(n, d)) for n, d in entries.items() if n not in left)]
    )


def test_a_size_in_the_proof_is_an_integer(page: NodePage) -> None:
    # A comparison of JavaScript makes a number of the byte string h'07': that is no spelling of 7.
    contents = story().contents
    sizes: list[Any] = list(contents.sizes)
    sizes[0] = bytes([sizes[0]])
    proof = encode({1: list(contents.indices), 2: sizes, 3: b"".join(contents.hashes)})
    rows = [(name, proof if name == "proof.cbor" else data) for name, data in read_archive(good())]
    told = assert_same(page, write_archive(rows), story().policy)
    assert told["malformed"]


# --- pixels ---


def streams(pixels: bytes) -> Iterator[tuple[str, bytes]]:
    for name, strategy in (
        ("default", zlib.Z_DEFAULT_STRATEGY),
        ("huffman", zlib.Z_HUFFMAN_ONLY),
        ("rle", zlib.Z_RLE),
        ("fixed", zlib.Z_FIXED),
        ("filtered", zlib.Z_FILTERED),
    ):
        for level in (0, 1, 6, 9):
            made = zlib.compressobj(level, zlib.DEFLATED, 15, 8, strategy)
            yield f"{name} {level}", made.compress(pixels) + made.flush()
    made = zlib.compressobj(6, zlib.DEFLATED, 9)
    yield "small window", made.compress(pixels) + made.flush()
    made = zlib.compressobj(6)
    pieces = [made.compress(pixels[:7]), made.flush(zlib.Z_FULL_FLUSH), made.compress(pixels[7:])]
    yield "many blocks", b"".join(pieces) + made.flush()


def test_reads_every_spelling_of_the_same_pixels_and_refuses_what_zlib_does(page: NodePage) -> None:
    item = story().contents.disclosures[0]
    disclosure = item.disclosure
    # Some of it repeats and some does not, so that every kind of block has something to say.
    for number, (name, stream) in enumerate(streams(disclosure.pixels)):
        changed = dataclasses.replace(
            item, disclosure=dataclasses.replace(disclosure, deflated=stream)
        )
        told = assert_same(page, sealed(disclosures=(changed,)), story().policy)
        assert not told["malformed"], name
        spoil = bytearray(stream)
        spoil[(number * 7) % len(spoil)] ^= 1 << (number % 8)
        data = sealed(disclosures=(changed,)).replace(stream, bytes(spoil))
        # The checksum of the entry is wrong too: told apart by reading the disclosure alone.
        assert page.examine(data, story().policy.encode().encode())["malformed"]


# --- zones, policies ---


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kolkata", "Etc/GMT+5", "UTC"])
def test_cuts_days_in_the_zone_of_the_terms(page: NodePage, name: str) -> None:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone=name))
    first_day(verifier, agent, back_dated=False)
    second_day(verifier, agent)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    data = told.bundle().encode()
    found = page.examine(data, told.policy.encode().encode())
    assert differences(found, python_says(data, told.policy, ZoneInfo(name))) == []
    assert found["holds"]
    assert found["zone"] == name


def test_a_span_that_was_worked_unevenly_is_cut_at_midnight_as_its_records_are(
    page: NodePage,
) -> None:
    agent = shaped()
    midnight = START + 14 * HOUR_MS
    agent.verifier.now = midnight - 20_000
    agent.open_session()
    number = midnight // agent.terms.round_ms - 2
    for place, worked in enumerate((1_000, 7_000, 10_000)):
        agent.part(number + place, 0, 10_000, worked=worked)
    agent.send()
    agent.close_session()
    contents, tsa = finish(agent.verifier, agent, ())
    told = Story(agent.verifier, agent, dataclasses.replace(contents, openings=()), tsa)
    found = assert_same(page, told.bundle().encode(), told.policy)
    assert found["holds"]
    assert [span["worked_ms"] for span in found["diary"]] == [18_000]
    assert [worked for _, _, worked in found["spans"]] == [8_000, 10_000]


@pytest.mark.parametrize("name", ["Europe/Berlinn", "europe/berlin", "+01", "Mars"])
def test_says_that_it_does_not_know_a_zone(page: NodePage, name: str) -> None:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone=name))
    first_day(verifier, agent, back_dated=False)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    found = page.examine(told.bundle().encode(), told.policy.encode().encode())
    assert found["holds"]
    assert found["zone"] == "UTC"
    assert any(f"cut in UTC here, not in {name}" in one for one in found["not_proven"])


def test_checks_no_timesheet_in_a_zone_that_it_does_not_know(page: NodePage) -> None:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone="Mars"))
    first_day(verifier, agent, back_dated=False)
    agent.terms = verifier.terms(zone="UTC")
    today = datetime.fromtimestamp(verifier.now / 1000, tz=UTC).date()
    agent.sum_up(today, today)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    data = told.bundle().encode()
    found = page.examine(data, told.policy.encode().encode())
    (sheet,) = found["timesheets"]
    assert (sheet["agreement"], sheet["why"]) == ("not checked", "this machine does not know Mars")
    assert found["timesheets"] == python_says(data, told.policy, ZoneInfo("UTC"))["timesheets"]


def test_no_timesheet_is_answered_or_replaced_by_what_stands_before_it(
    page: NodePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Simulator()
    agent = begin(verifier)
    first_day(verifier, agent, back_dated=False)
    today = datetime.fromtimestamp(verifier.now / 1000, tz=ZoneInfo(agent.terms.zone)).date()
    begun = verifier.now
    verifier.now += 2 * DAY_MS
    # A day of no hours has no row.
    agent.declare(DeclarationForm.LATE, begun + DAY_MS, begun + DAY_MS + 5, 0)
    held: list[Any] = []
    with monkeypatch.context() as holding:
        holding.setattr(verifier, "submit", held.extend)
        sheet = agent.sum_up(today, today + timedelta(days=2))
        agent.reply(sheet, SheetAnswer.ACCEPTED)
        agent.sum_up(today, today, replaces=sheet.digest)
    verifier.submit(held[::-1])
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    early, late = assert_same(page, told.bundle().encode(), told.policy)["timesheets"]
    assert late["timesheet"] == str(sheet.digest)
    assert (late["answers"], late["replaced_by"]) == ([], None)
    assert early["agreement"] == late["agreement"] == "agrees with the record"


def test_weeks_days_and_chosen_days_are_those_of_python(page: NodePage) -> None:
    verifier = Simulator()
    cap = 4 * HOUR_MS
    grid = 700_000
    terms = verifier.terms(
        weekly_cap_ms=cap,
        max_offline_ms_per_week=1,
        rounding_ms=grid,
        rounding_mode=RoundingMode.UP,
    )
    agent = begin(verifier, terms=terms)
    first_day(verifier, agent, back_dated=False)
    zone = ZoneInfo(agent.terms.zone)
    first = datetime.fromtimestamp(verifier.now / 1000, tz=zone).date()
    for _ in range(13):
        verifier.now += DAY_MS
        agent.declare(DeclarationForm.LATE, verifier.now - HOUR_MS, verifier.now, HOUR_MS)
    agent.send()
    days = [first + timedelta(days=number) for number in range(14)]
    chosen = agent.sum_up(days[2], days[5])
    agent.sum_up(days[3], days[5])
    agent.sum_up(days[8], days[9], replaces=chosen.digest)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    found = assert_same(page, told.bundle().encode(), told.policy)
    assert found["holds"]
    # A timesheet counts its own days and no other; one of other days replaces nothing.
    sheets = found["timesheets"]
    assert [sheet["agreement"] for sheet in sheets] == ["agrees with the record"] * 3
    # An hour that was declared late is worth half of one, and each day is rounded by itself.
    day = 3 * grid
    assert 2 * grid < HOUR_MS // 2 < day
    assert [sheet["billed_ms"] for sheet in sheets] == [4 * day, 3 * day, 2 * day]
    assert [sheet["replaced_by"] for sheet in sheets] == [None] * 3
    # What was declared late is in the cap.
    totals = found["totals"]
    assert totals["late_declared_ms"] == 13 * HOUR_MS
    assert len(totals["days"]) == 14
    # Weeks begin on Mondays; what was proved late is as little known as what was offline.
    weeks: dict[str, int] = {}
    for row in totals["days"]:
        date = datetime.fromisoformat(row["day"]).date()
        monday = str(date - timedelta(days=date.weekday()))
        weeks[monday] = weeks.get(monday, 0) + sum(row["worked_ms"].values())
    grades = totals["by_grade"]
    assert grades["offline"] > 0
    assert grades["late"] > 0
    assert totals["exceeded"] == [
        {"limit": "offline ms per week", "allowed": 1, "found": grades["offline"] + grades["late"],
         "week": min(weeks)},
        *({"limit": "worked ms per week", "allowed": cap, "found": worked, "week": week}
          for week, worked in sorted(weeks.items()) if worked > cap),
    ]  # fmt: skip
    assert sum(worked > cap for worked in weeks.values()) > 1


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (None, None),
        ("agent_value", "the agent value is not the committed one"),
        ("verifier_value", "the verifier value is not the committed one"),
    ],
)
def test_a_value_is_compared_however_many_hashes_lie_between(
    page: NodePage, field: str | None, why: str | None
) -> None:
    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if field is not None and isinstance(record, Segment):
            changes: dict[str, Any] = {field: bytes(32)}
            record = dataclasses.replace(record, **changes)
        return record, signer

    verifier = Simulator(careless=True)
    # Without pictures a value decides no draw, which would differ first.
    terms = verifier.terms(level=Level.ACTIVITY, capture_rate=0)
    agent = begin(verifier, terms=terms, twist=twist)
    agent.open_session(rounds=5_000)
    agent.pause(4_500 * verifier.round_ms)
    agent.work(1_000)
    agent.send()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    found = assert_same(page, told.bundle().encode(), told.policy)
    assert found["holds"] == (why is None)
    step = found["steps"][8]
    assert step["outcome"] == ("holds" if why is None else "fails")
    assert why is None or why in step["why"]


@pytest.mark.parametrize("role", Role)
def test_the_makers_of_a_case_are_those_of_python(page: NodePage, role: Role) -> None:
    outcome = {}
    for make in (make_filing, make_act):
        verifier = Simulator(careless=True)
        agent = begin(verifier)
        first_day(verifier, agent, back_dated=False)
        (signer,) = verifier.people.keys()[role]
        record = make(engagement=agent.engagement)
        verifier.admit([sign(record, signer)])
        told = Story(verifier, agent, *finish(verifier, agent, ()))
        found = assert_same(page, told.bundle().encode(), told.policy)
        outcome[make] = found["holds"]
    assert outcome == {make_filing: role in (Role.CLIENT, Role.FREELANCER), make_act: True}


def test_checks_as_many_timesheets_as_python_and_not_one_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = f"const MAX_CHECKED = {MAX_CHECKED};"
    whole = offline_page().decode()
    assert whole.count(limit) == 1
    # Two instead of thousands, in both.
    lower = tmp_path / "lower.html"
    lower.write_text(whole.replace(limit, "const MAX_CHECKED = 2;"))
    monkeypatch.setattr("workseal_protocol.timesheets.MAX_CHECKED", 2)
    told = json.loads((FOLDER / "valid-timesheets.json").read_text())
    data = (FOLDER / told["bundle"]).read_bytes()
    with NodePage(lower) as page:
        sheets = assert_same(page, data, story().policy)["timesheets"]
    assert [one["why"] for one in sheets[1:]] == ["", *["it is not among the first 2"] * 2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "workseal-policy v1\n",
        "workseal-policy v2\nquorum none\n",
        "workseal-policy v1\nquorum none\n",
    ],
)
def test_refuses_a_policy_that_is_none(page: NodePage, text: str) -> None:
    assert "policy" in page.examine(good(), text.encode())


# Of small order, beyond the field, on no point of the curve; and some that are drawn.
ODD_KEYS = (
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    b"\xec" + b"\xff" * 30 + b"\x7f",
    b"\xee" + b"\xff" * 30 + b"\x7f",
    b"\x02" + bytes(31),
    *(seeded(b"", "odd key", number) for number in range(30)),
)


def test_takes_the_ed25519_keys_that_python_takes(page: NodePage) -> None:
    text = story().policy.encode()
    client = story().verifier.people.client.public_key.text()
    taken = 0
    for raw in ODD_KEYS:
        name = f"ed25519:{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"
        policy = text.replace(client, name)
        try:
            TrustPolicy.parse(policy)
        except MalformedError:
            assert "policy" in page.examine(good(), policy.encode()), name
        else:
            taken += 1
            assert "steps" in page.examine(good(), policy.encode()), name
    assert 5 < taken < 25


def test_a_policy_of_other_people_fails_where_python_does(page: NodePage) -> None:
    stranger = SeedSigner(seeded(b"", "stranger")).public_key
    log = VerifierKey("log.workseal.example/2026", stranger, NoteType.LOG_ED25519)
    other = dataclasses.replace(
        story().policy, tlog=TlogPolicy((log,)), tsa=(), independent=frozenset()
    )
    assert outcomes(assert_same(page, good(), other))[3] == "fails"


def test_receipts_of_one_signature_are_each_looked_at(page: NodePage) -> None:
    contents = story().contents
    receipts = [story().verifier.cose_receipt(one.digest) for one in contents.statements]
    assert assert_same(page, with_receipts(receipts), story().policy)["holds"]
    place = len(receipts) - 1
    good = receipts[place]
    for at in (*range(20, len(good), 97), len(good) - 66, len(good) - 1):
        bad = good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]
        told = assert_same(page, with_receipts([*receipts[:place], bad]), story().policy)
        assert not told["holds"], at
    swapped = [*receipts[:-2], receipts[-1], receipts[-2]]
    assert not assert_same(page, with_receipts(swapped), story().policy)["holds"]


def test_a_receipt_like_one_before_it_is_of_the_size_and_index_that_it_claims(
    page: NodePage,
) -> None:
    contents, log = story().contents, story().verifier
    receipts = [log.cose_receipt(one.digest) for one in contents.statements]
    size, index = contents.checkpoint.checkpoint.size, contents.indices[-1]
    holding = set()
    sizes = [(size - 1, index), (size + 1, index), (2 * size, index)]
    for other, claimed in (*sizes, (size, index - 1), (size, index ^ 2)):
        last = cose_receipt(
            contents.checkpoint.checkpoint.root.raw,
            other,
            claimed,
            inclusion_path(log.leaves[:size], index),
            signer=log.log_signer,
            issuer=log.log_signer.public_key.uri,
            subject=contents.statements[-1].subject,
        )
        data = with_receipts([*receipts[:-1], last])
        holding.add(assert_same(page, data, story().policy)["holds"])
    assert False in holding


def with_receipts(receipts: list[bytes]) -> bytes:
    contents = dataclasses.replace(story().contents, receipts=tuple(receipts))
    return story().bundle(contents).encode()
