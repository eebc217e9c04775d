"""Register a statement over SCRAPI as a stranger's client would, and check what comes back.

Runs in an environment of its own that has only scitt-cose: usage `scrapi_client.py URL STATEMENT`.
Knows no Workseal: the key comes from the well-known address, found by the name in the receipt.
"""

import base64
import hashlib
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from scitt_cose import verify_receipt

OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
PROBLEM = "application/concise-problem-details+cbor"
url, path = sys.argv[1], Path(sys.argv[2])
statement = path.read_bytes()


def ask(address: str, data: bytes | None = None) -> tuple[int, Any, bytes]:
    """Send one request, and give what came back, whatever the status."""
    headers = {"accept": "application/cose", "content-type": "application/cose"}
    request = urllib.request.Request(url + address, data=data, headers=headers)
    try:
        with OPEN(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def accepted(receipt: bytes) -> bool:
    """Find the key that the receipt names, and tell whether scitt-cose accepts the receipt."""
    protected = cbor2.loads(cbor2.loads(receipt).value[0])
    name = base64.urlsafe_b64encode(protected[4]).rstrip(b"=").decode()
    listed = {key[2]: key for key in cbor2.loads(ask("/.well-known/scitt-keys")[2])}
    alone = cbor2.loads(ask(f"/.well-known/scitt-keys/{name}")[2])
    assert listed[protected[4]] == alone
    assert (alone[1], alone[-1]) == (1, 6)
    pem = Ed25519PublicKey.from_public_bytes(alone[-2]).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    entry = hashlib.sha256(statement).hexdigest()
    return bool(verify_receipt(receipt, leaf_entry_hex=entry, log_public_key_pem=pem).ok)


status, headers, receipt = ask("/entries", statement)
again, same, later = ask("/entries", statement)
# A receipt names its engagement, so an entry is for who signs as a party.
closed, _, _ = ask(headers["location"])
refused, told, problem = ask("/entries", statement[:-1] + bytes([statement[-1] ^ 1]))
print(
    json.dumps(
        {
            "status": [status, again, closed, refused],
            "type": headers["content-type"],
            "location is the same": headers["location"] == same["location"],
            "receipts": [accepted(receipt), accepted(later)],
            "problem": [told["content-type"] == PROBLEM, sorted(map(str, cbor2.loads(problem)))],
        }
    )
)
