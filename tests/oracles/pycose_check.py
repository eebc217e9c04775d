"""Check an extracted bundle's statements with pycose: usage `pycose_check.py FOLDER`.

Runs in an environment of its own: pycose 1.1 reads only what cbor2 before 6 gives it. Prints one
JSON object: how many statements there are, and how many pycose accepted.
"""

import json
import sys
from pathlib import Path

import cbor2
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

folder = Path(sys.argv[1])
counts = {"statements": 0, "pycose": 0}
for path in sorted((folder / "statements").iterdir()):
    data = path.read_bytes()
    protected = cbor2.loads(cbor2.loads(data).value[0])
    message = Sign1Message.decode(data)
    key = (folder / "keys" / protected[4].hex()).with_suffix(".raw")
    message.key = OKPKey(crv=Ed25519, x=key.read_bytes())
    counts["statements"] += 1
    counts["pycose"] += bool(message.verify_signature())
print(json.dumps(counts))
