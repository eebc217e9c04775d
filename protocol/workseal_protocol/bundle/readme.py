"""The README.txt of every bundle: what the entries are, and which tools of others check them."""

README = b"""\
A Workseal bundle
=================

This file proves when records of work were made, that none was changed, back-dated, dropped or
forked afterwards, and that captures of the screen followed the agreed schedule. It does not prove
that a person was thinking, who sat at the machine, or that the screen was not staged.

Check all of it, offline, with a policy file of your own (keys that you trust):

    pip install 'workseal[time]'
    workseal verify BUNDLE --policy POLICY

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
Write the parts into a folder first, as files that other tools read:

    workseal inspect BUNDLE --extract FOLDER

A statement:      scitt-cose --statement FILE --statement-pubkey KEY
A receipt:        scitt-cose --receipt FILE --receipt-log-pubkey KEY --leaf-entry-hex SHA256
A time-stamp:     openssl ts -verify -data checkpoint.signed -in checkpoint.tsr -CAfile CA
A checkpoint:     any signed-note tool, for example golang.org/x/mod/sumdb/note

The formats are written down byte by byte in docs/spec of the Workseal source.
"""
