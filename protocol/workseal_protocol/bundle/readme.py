"""The README.txt of every bundle: what the entries are, and which tools of others check them."""

README = b"""\
A Workseal bundle
=================

This file proves when records of work were made, that none was changed, back-dated, dropped or
forked afterwards, and that captures of the screen followed the agreed schedule. It does not prove
that a person was thinking, who sat at the machine, or that the screen was not staged.

Check all of it, offline, with a policy file of your own (keys that you trust):

    workseal verify BUNDLE --policy POLICY

Workseal is installed from its own source folder, where this is typed:

    pip install '.[time]'

Do not install it by its name: on an index of packages anybody may have taken that name. The page
verify.html, which workseal page writes, checks the same steps in a browser.

Trust comes from your policy file. Nothing is true because this bundle says so.

Entries
-------
README.txt        this text, the same in every bundle
manifest.cose     a signed list of all other entries: name, SHA-256, length
statements.cbor   a CBOR sequence (RFC 8742) of COSE_Sign1 statements (RFC 9052), in log order
proof.cbor        {1: indices in the log, 2: sizes of earlier checkpoints, 3: hashes, 32 bytes each}
checkpoint        the signed checkpoint of the log (c2sp.org/tlog-checkpoint)
checkpoints.cbor  earlier signed checkpoints, by size; they bound when statements were made
checkpoint.tsr    an RFC 3161 time-stamp over the log-signed checkpoint (if there is one)
timestamps.cbor   [size, time-stamp] over earlier checkpoints (if there are any)
tsa-ca.pem        certificates of the time-stamping authority (if there are any)
policy            the log and its witnesses as the terms name them (c2sp.org/tlog-policy)
receipts.cbor     a COSE receipt (RFC 9942) for each statement, or an empty string (if any)
openings.cbor     opened values: [statement, kind, salt, value] (if there are any)
disclosures/      tiles of frames that were shown in a dispute (if there are any)

Tools of others
---------------
Write the parts into a folder first, as files that other tools read. This program does it with the
package cbor2 alone; save it as split.py and run "python3 split.py BUNDLE FOLDER":

    import base64, hashlib, io, json, pathlib, sys, zipfile
    import cbor2

    bundle, folder = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
    bundle.extractall(folder)

    def write(name, data):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)

    def items(name):
        path = folder / name
        decoder = cbor2.CBORDecoder(io.BytesIO(path.read_bytes() if path.exists() else b""))
        while True:
            try:
                yield decoder.decode()
            except cbor2.CBORDecodeEOF:
                return

    def write_key(name, raw):
        text = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + raw).decode()
        lines = ("-----BEGIN PUBLIC KEY-----", text, "-----END PUBLIC KEY-----", "")
        write(f"keys/{name}.pem", "\\n".join(lines).encode())

    numbers = {}
    for number, item in enumerate(items("statements.cbor")):
        data = cbor2.dumps(item, canonical=True)
        write(f"statements/{number:06d}.cose", data)
        numbers[hashlib.sha256(data).digest()] = f"{number:06d}"
        says = cbor2.loads(item.value[2])
        terms, keys = says.get(10), []
        if isinstance(terms, dict):
            keys = [terms[1], terms[2], *terms[3], terms[4]]
        elif -8 in (says.get(11), says.get(12)):
            keys = [terms if says[11] == -8 else says[11]]
        for key in keys:
            if len(key) == 32:
                write_key(key.hex(), key)
    for number, receipt in enumerate(items("receipts.cbor")):
        if receipt:
            write(f"receipts/{number:06d}.receipt", receipt)
    opened = []
    for number, (statement, kind, salt, value) in enumerate(items("openings.cbor")):
        write(f"openings/{number:06d}.committed", bytes((4, kind)) + salt + value)
        opened.append({"statement": statement.hex(), "number": numbers.get(statement)})
    write("openings.json", json.dumps(opened, indent=2).encode())
    text, _, lines = (folder / "checkpoint").read_text().partition("\\n\\n")
    for line in (folder / "policy").read_text().splitlines():
        kind, *words = line.split()
        if kind == "log":
            name, digits, key = words[0].split("+", 2)
            write_key("log", base64.b64decode(key)[1:])
            for signed in lines.splitlines():
                if base64.b64decode(signed.split()[2])[:4].hex() == digits:
                    write("checkpoint.signed", f"{text}\\n\\n{signed}\\n".encode())

Who has Workseal gets the same files, and a few more, from:

    workseal inspect BUNDLE --extract FOLDER

The commands below are run in that folder. N is the number of a statement there, 000003 say, O that
of an opened value, BUNDLE the bundle, and CA the certificate of an authority that you trust: the
one in here was chosen by whoever made the bundle. The tools are scitt-cose and cbor2 (Python
packages), OpenSSL 3, unzip, and the programs of every Linux system.

An entry of the archive, whose digest stands in the manifest:

    digest=$(unzip -p "$BUNDLE" statements.cbor | sha256sum | cut -c 1-64)
    basenc --base16 -w 0 manifest.cose | grep -i -c "$digest"

What a statement says, its entry in the log, and that one of the keys signed it:

    python3 -c 'import cbor2, sys; print(cbor2.loads(cbor2.load(sys.stdin.buffer).value[2]))' \\
        < "statements/$N.cose"
    sha256sum "statements/$N.cose"
    for key in keys/*.pem
    do scitt-cose --statement "statements/$N.cose" --statement-pubkey "$key" && break
    done

The manifest, the same way:

    for key in keys/*.pem
    do scitt-cose --statement manifest.cose --statement-pubkey "$key" && break
    done

A receipt, for the statement's entry in the log:

    entry=$(sha256sum "statements/$N.cose" | cut -c 1-64)
    scitt-cose --receipt "receipts/$N.receipt" --receipt-log-pubkey keys/log.pem \\
        --leaf-entry-hex "$entry"

The checkpoint's line of the log:

    sed '/^$/,$d' checkpoint.signed > text
    sed -n '$p' checkpoint.signed | cut -d ' ' -f 3 | base64 -d | tail -c 64 > line
    openssl pkeyutl -verify -pubin -inkey keys/log.pem -rawin -in text -sigfile line

A time-stamp:

    openssl ts -verify -data checkpoint.signed -in checkpoint.tsr -CAfile "$CA" \\
        -untrusted tsa-ca.pem

An opened value: this digest stands in the statement that openings.json names for it:

    digest=$(sha256sum "openings/$O.committed" | cut -c 1-64)
    basenc --base16 -w 0 "statements/$N.cose" | grep -i -c "$digest"

What needs a short program, on libraries that we did not write, has one in docs/other-tools.md of
the Workseal source: proofs (golang.org/x/mod/sumdb/tlog), lines of witnesses, tiles of frames.

The formats are written down byte by byte in docs/spec of the Workseal source.
"""
