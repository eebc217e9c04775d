"""The README.txt of every attestation: what it says, and which tools of others check it."""

README = b"""\
A Workseal attestation
======================

A freelancer says in it how much they worked in some days, and names no client. By itself it proves
who says so, and that they said it about a record which existed in a log and which they can show
later, and no other. The figures are their own word until somebody who saw the record adds a check
that you trust, or until you are shown the record.

    workseal attestation FILE --policy POLICY
    workseal attestation FILE --policy POLICY --opening OPENING --bundle BUNDLE

Trust comes from your policy file. Nothing is true because this file says so.

Entries
-------
README.txt     this text, the same in every attestation
claim.cose     what is said: a COSE_Sign1 (RFC 9052)
claim.pem      the key that the claim names as its maker's: compare it with the one you know
checkpoint     the signed checkpoint of the log (c2sp.org/tlog-checkpoint) that the claim names
checks/        who had the record and found these figures: a COSE_Sign1 and a key each (if any)

Tools of others
---------------
Any ZIP tool unpacks this file.

    scitt-cose --statement claim.cose --statement-pubkey claim.pem
    scitt-cose --statement checks/0.cose --statement-pubkey checks/0.pem
    sha256sum checkpoint

The last one prints what the claim names as its checkpoint, under 14. Its lines are read by any
signed-note tool, for example golang.org/x/mod/sumdb/note.

The format is written down byte by byte in docs/spec/attestation.md of the Workseal source.
"""
