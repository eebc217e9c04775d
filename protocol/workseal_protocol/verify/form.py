"""Steps 1 and 2: the bundle is well formed, and a party signed all of it."""

from workseal_protocol.bundle import Bundle
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey
from workseal_protocol.records import KeyAnnounce, KeyRevoke, KeyRotate, read_record
from workseal_protocol.verify.case import Case

_AFTER_ALL = 2**63


def check_form(case: Case) -> str:
    """Read the bundle and everything that its statements say."""
    # (1) Every entry has its one form, and so has the payload of every statement.
    bundle = Bundle.parse(case.data)
    bundle.manifest_record()
    case.records = tuple(read_record(statement) for statement in bundle.contents.statements)
    case.parsed = bundle
    return f"statements: {len(case.records)}"


def check_manifest(case: Case) -> str:
    """Check who signed the manifest, and that it names what is there."""
    manifest = case.bundle.manifest
    # (2) A party of the policy signed the manifest.
    manifest.verify_signature(_party_key(case), case.check)
    # (2) Every entry has the digest and length that the manifest names, and no other is there.
    case.bundle.check_manifest()
    return ""


def _party_key(case: Case) -> PublicKey:
    issuer = case.bundle.manifest.issuer
    history = _history(case)
    if not history.roles_of(issuer, _AFTER_ALL):
        raise VerificationError("the manifest is not signed by a party of the policy")
    return history.valid_key(issuer, _AFTER_ALL)


def _history(case: Case) -> KeyHistory:
    """Follow the parties' keys through rotations and revocations, which prove themselves."""
    history = KeyHistory.start(case.policy.parties)
    for _, index, statement, record in case.items():
        if isinstance(record, KeyAnnounce | KeyRotate | KeyRevoke):
            try:
                history = history.advance(index, statement, record)
            except VerificationError:
                # Step 5 tells what is wrong with a key statement; here it leads nowhere.
                return history
    return history
