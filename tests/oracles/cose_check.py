"""Check an extracted bundle's statements and receipts with scitt-cose.

Runs in an environment of its own that has only that package: usage `cose_check.py FOLDER`.
Prints one JSON object: how many statements and receipts it accepted.
"""

import hashlib
import json
import sys
from pathlib import Path

import cbor2
from scitt_cose import parse_signed_statement, verify_receipt

folder = Path(sys.argv[1])
counts = {"statements": 0, "scitt_cose": 0, "receipts": 0, "scitt_cose_receipts": 0}
for path in sorted((folder / "statements").iterdir()):
    data = path.read_bytes()
    protected = cbor2.loads(cbor2.loads(data).value[0])
    key = folder / "keys" / protected[4].hex()
    counts["statements"] += 1
    parsed = parse_signed_statement(data, public_key_pem=key.with_suffix(".pem").read_bytes())
    counts["scitt_cose"] += parsed["signature_verified"] is True
    receipt = folder / "receipts" / (path.stem + ".receipt")
    if receipt.exists():
        counts["receipts"] += 1
        entry = hashlib.sha256(data).digest()
        log_key = (folder / "keys" / "log.pem").read_bytes()
        accepted = verify_receipt(
            receipt.read_bytes(), leaf_entry_hex=entry.hex(), log_public_key_pem=log_key
        )
        counts["scitt_cose_receipts"] += bool(accepted.ok)
print(json.dumps(counts))
