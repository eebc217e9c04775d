"""The vectors of what must be refused, each by the reader of its format, with its outcome."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint
from workseal_protocol.commitment import Opening, verify_opening
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import SeedSigner
from workseal_protocol.lottery import ChainSide, verify_value
from workseal_protocol.merkle import leaf_hash, root_of, verify_sparse
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy, TrustPolicy, verify_checkpoint
from workseal_protocol.receipt import (
    Receipt,
    SubmissionAnswer,
    verify_answer,
    verify_cose_receipt,
    verify_receipt,
)
from workseal_protocol.sealing import open_package

FOLDER = Path(__file__).parents[1] / "vectors"
ROWS: list[dict[str, Any]] = json.loads((FOLDER / "refused.json").read_text())["refused"]
OUTCOMES = {"malformed": MalformedError, "fails": VerificationError}

Row = dict[str, Any]


def policy_of(row: Row) -> TlogPolicy:
    lines = [f"log {row['log_vkey']}"]
    if "witness_vkey" in row:
        lines.append(f"witness w {row['witness_vkey']}")
    return TlogPolicy.read("\n".join([*lines, "quorum none", ""]))


def read_encoding(row: Row) -> None:
    decode(bytes.fromhex(row["bytes"]))


def read_checkpoint(row: Row) -> None:
    verify_checkpoint(SignedCheckpoint.parse(row["checkpoint"].encode()), policy_of(row))


def read_sparse(row: Row) -> None:
    known = json.loads((FOLDER / "log/merkle.json").read_text())
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in known["entries"]]
    roots = [bytes.fromhex(root) for root in known["roots"]]
    verify_sparse(
        size=row["size"],
        root=roots[row["size"]],
        # Past the last leaf any hash will do: there is nothing that it could be compared with.
        leaves={index: (*leaves, bytes(32))[index] for index in row["indices"]},
        earlier={size: roots[size] for size in row["earlier"]},
        hashes=[bytes.fromhex(item) for item in row["hashes"]],
    )


def read_tlog_proof(row: Row) -> None:
    receipt = Receipt.parse(row["tlog_proof"].encode())
    verify_receipt(receipt, Digest(bytes.fromhex(row["entry"])), policy_of(row))


def read_cose_receipt(row: Row) -> None:
    data, entry = bytes.fromhex(row["cose_receipt"]), Digest(bytes.fromhex(row["entry"]))
    verify_cose_receipt(data, entry=entry, key=VerifierKey.parse(row["log_vkey"]).key)


def read_answer(row: Row) -> None:
    entries = [Digest.of(number.to_bytes(4)) for number in range(40)]
    key = SeedSigner(b"\x01" * 32).public_key
    policy = TlogPolicy((VerifierKey("log.example/1", key, NoteType.LOG_ED25519),))
    root = Digest(root_of([leaf_hash(entry.raw) for entry in entries[: row["old"]]]))
    old = Checkpoint("log.example/1", row["old"], root) if row["old"] else None
    answer = SubmissionAnswer.parse(bytes.fromhex(row["answer"]))
    verify_answer(answer, [entries[index] for index in row["sent"]], old, policy)


def read_opening(row: Row) -> None:
    opening = Opening.parse(bytes.fromhex(row["opening"]))
    verify_opening(opening, Digest(bytes.fromhex(row["commitment"])))


def read_chain_value(row: Row) -> None:
    verify_value(
        ChainSide[row["side"]],
        head=Digest(bytes.fromhex(row["head"])),
        first_round=row["first_round"],
        count=row["count"],
        round=row["round"],
        value=bytes.fromhex(row["value"]),
    )


def read_policy(row: Row) -> None:
    TrustPolicy.parse(row["policy"])


def read_sealed(row: Row) -> None:
    private, sealed = bytes.fromhex(row["private"]), bytes.fromhex(row["sealed"])
    open_package(private, Digest(bytes.fromhex(row["request"])), sealed)


READERS: dict[str, Callable[[Row], None]] = {
    "encoding": read_encoding,
    "checkpoint": read_checkpoint,
    "sparse": read_sparse,
    "tlog-proof": read_tlog_proof,
    "cose-receipt": read_cose_receipt,
    "answer": read_answer,
    "opening": read_opening,
    "chain-value": read_chain_value,
    "policy": read_policy,
    "sealed": read_sealed,
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['format']}: {row['why']}" for row in ROWS])
def test_each_wrong_input_has_the_outcome_that_its_vector_names(row: Row) -> None:
    with pytest.raises((MalformedError, VerificationError)) as caught:
        READERS[row["format"]](row)
    assert caught.type is OUTCOMES[row["outcome"]]


def right() -> dict[str, Row]:
    """Give, for each format, an input that holds: so that nothing is refused for another reason."""

    def read(name: str) -> Any:
        return json.loads((FOLDER / name).read_text())

    keys, receipt = read("log/checkpoint.json"), read("log/receipt.json")
    answer, values = read("log/answer.json")["cases"][3], read("frames/lottery.json")["chains"][0]
    return {
        "encoding": {"bytes": "a2010005822062c3a9"},
        "checkpoint": keys,
        "sparse": read("log/merkle.json")["sparse"][-1],
        "tlog-proof": receipt | {"log_vkey": keys["log_vkey"]},
        "cose-receipt": receipt | {"log_vkey": keys["log_vkey"]},
        "answer": answer | {"sent": answer["indices"]},
        "opening": read("frames/commitments.json")["commitments"][3],
        "chain-value": values | {"first_round": 1000, "round": 1001, "value": values["values"][1]},
        "policy": {"policy": (FOLDER / "bundle/policy.txt").read_text()},
        "sealed": read("frames/sealing.json")["packages"][0],
    }


@pytest.mark.parametrize("form", READERS)
def test_the_same_readers_take_what_is_right(form: str) -> None:
    READERS[form](right()[form])


def test_every_format_has_some_and_none_stands_twice() -> None:
    assert {row["format"] for row in ROWS} == READERS.keys()
    names = Counter((row["format"], row["why"]) for row in ROWS)
    assert set(names.values()) == {1}
