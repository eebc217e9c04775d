import hashlib
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from support.scripted import Story
from workseal_protocol.bundle import MAX_STATEMENTS, Bundle
from workseal_protocol.cli.extraction import MAX_PROOF_BYTES, cose_key, extracted_parts
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Algorithm, PublicKey, SeedSigner
from workseal_protocol.receipt import Receipt, verify_cose_receipt, verify_receipt
from workseal_protocol.statement import Statement


@pytest.fixture(scope="module")
def bundle(bundle_bytes: bytes) -> Bundle:
    return Bundle.parse(bundle_bytes)


@pytest.fixture(scope="module")
def parts(bundle: Bundle) -> dict[str, bytes]:
    return extracted_parts(bundle)


def test_every_statement_has_its_bytes_and_a_proof_that_holds(
    story: Story, bundle: Bundle, parts: dict[str, bytes]
) -> None:
    for number, statement in enumerate(bundle.contents.statements):
        assert parts[f"statements/{number:06d}.cose"] == statement.encode()
        receipt = Receipt.parse(parts[f"proofs/{number:06d}.tlog-proof"])
        verify_receipt(receipt, statement.digest, story.policy.tlog)


def test_receipts_are_written_where_the_log_signed_one(
    bundle: Bundle, parts: dict[str, bytes]
) -> None:
    written = [name for name in parts if name.startswith("receipts/")]
    assert len(written) == sum(map(bool, bundle.contents.receipts)) > 0
    log = PublicKey(parts["keys/log.raw"])
    for name in written:
        statement = Statement.parse(parts[f"statements/{name[9:15]}.cose"])
        verify_cose_receipt(parts[name], entry=statement.digest, key=log)


def test_every_issuer_has_its_key_in_three_forms(bundle: Bundle, parts: dict[str, bytes]) -> None:
    for issuer in {statement.issuer for statement in bundle.contents.statements}:
        raw = parts[f"keys/{issuer}.raw"]
        opened = load_pem_public_key(parts[f"keys/{issuer}.pem"])
        assert isinstance(opened, Ed25519PublicKey)
        assert opened.public_bytes_raw() == raw
        assert hashlib.sha256(parts[f"keys/{issuer}.cose-key"]).digest() == issuer.raw


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.ML_DSA_44, Algorithm.ML_DSA_65])
def test_the_thumbprint_is_the_digest_of_the_cose_key(algorithm: Algorithm) -> None:
    key = SeedSigner(bytes(32), algorithm).public_key
    assert hashlib.sha256(cose_key(key)).digest() == key.thumbprint.raw


def test_checkpoints_and_tokens_are_files_that_openssl_reads(
    bundle: Bundle, parts: dict[str, bytes]
) -> None:
    contents = bundle.contents
    assert parts["checkpoint"] == contents.checkpoint.encode()
    assert parts["checkpoint"].startswith(parts["checkpoint.signed"][:-1])
    assert parts["checkpoint.signed"].count(b"\xe2\x80\x94") == 1
    assert parts["checkpoint.tsr"] == contents.token
    for size, token in contents.timestamps:
        assert parts[f"checkpoints/{size}.tsr"] == token
    assert len([n for n in parts if n.endswith(".checkpoint")]) == len(contents.checkpoints)


def test_an_opened_value_is_a_file_whose_digest_is_its_commitment(
    bundle: Bundle, parts: dict[str, bytes]
) -> None:
    openings = bundle.contents.openings
    assert openings
    statements = {one.digest: one.encode() for one in bundle.contents.statements}
    for number, opening in enumerate(openings):
        digest = hashlib.sha256(parts[f"openings/{number:06d}.committed"]).digest()
        assert digest in statements[opening.statement]


def test_an_opened_value_names_the_file_of_its_statement(
    bundle: Bundle, parts: dict[str, bytes]
) -> None:
    rows = json.loads(parts["openings.json"])
    assert len(rows) == len(bundle.contents.openings)
    for row in rows:
        file = parts[f"statements/{row['number']}.cose"]
        assert hashlib.sha256(file).hexdigest() == row["statement"]


def test_makes_up_no_path_when_the_proof_does_not_hold(bundle: Bundle) -> None:
    hashes = (bytes(32), *bundle.contents.hashes[1:])
    broken = Bundle(bundle.manifest, replace(bundle.contents, hashes=hashes))
    with pytest.raises(VerificationError, match="does not lead to the root"):
        extracted_parts(broken)


def test_refuses_to_fill_a_disk_with_copies_of_one_long_checkpoint(bundle: Bundle) -> None:
    # Lines of unknown keys prove nothing, and stand in each proof all the same.
    contents = bundle.contents
    line = contents.checkpoint.lines[0]
    more = tuple(replace(line, name=f"x{n}", signature=bytes(4089)) for n in range(46))
    long = replace(contents.checkpoint, lines=(line, *more))
    many = MAX_PROOF_BYTES // len(long.encode()) + 1
    assert many < MAX_STATEMENTS
    hostile = replace(
        contents,
        checkpoint=long,
        statements=contents.statements[:1] * many,
        indices=tuple(range(many)),
        receipts=(),
    )
    with pytest.raises(CommandError, match="the proofs of this bundle would take"):
        extracted_parts(replace(bundle, contents=hostile))
