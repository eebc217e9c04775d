"""The text that stands in every case file."""

from typing import Final

README: Final = """\
A case of a dispute over hours, with everything that was said in it, as a folder in BagIt form
(RFC 8493). One command checks all of it, offline, against your own policy file:

    workseal case verify FOLDER --policy POLICY

Its parts, and the tools of others that read them:

data/case.cbor       the signed statements of the case, in their order: a CBOR sequence (RFC 8742)
                     of COSE_Sign1 messages (RFC 9052)
data/beacon.cbor     the operator's commitments that values drawn in the case are checked against
data/bundle.zip      the record of work with its proofs; `workseal verify` checks it alone
data/openings.cbor   values that the freelancer opened beside the bundle
data/sealed/         what was disclosed, sealed to the arbitrator: nobody else can read it
data/exhibits/       what was handed over beside: files with 16 random bytes at their end, which
                     are left out by: head -c -16 data/exhibits/0000.salted; custody.csv says who
                     handed over which, and in `contents` what sha256sum says of it
data/decision.cose   the newest decision, as it was signed; data/decision.txt tells it, and whether
                     it is final as far as this folder goes
data/custody.csv     who did what, with which key, and between which instants that is proved
data/custody.jsonld  the same in the words of CASE and UCO: case_validate data/custody.jsonld
manifest-*.txt       digests of all of these: sha256sum -c manifest-sha256.txt

A case file proves what was said, by which key, in which order. It does not prove that any of it is
true. Sealed packages are there as bytes: what they show, only who can open them knows. What was
handed over beside and is not in data/exhibits, whoever made this folder did not have, or left out.
"""
