"""Steps 5 and 6: every statement is signed by a key that may make it, under agreed terms."""

from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import MAKERS, KeyHistory
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Acceptance,
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Offer,
)
from workseal_protocol.terms import Terms
from workseal_protocol.verify.case import Case, named


def check_signatures(case: Case) -> str:
    """Check every signature, with the key that was valid at its index."""
    history = KeyHistory.start(case.policy.parties)
    for place, index, statement, record in case.items():
        try:
            match record:
                case KeyAnnounce() | KeyRotate() | KeyRevoke():
                    # (5) Keys come, change and end in the order of the log.
                    history = history.advance(index, statement, record)
                case _:
                    # (5) The key was valid, and its role may make this kind.
                    history.check_signature(statement, index, case.check)
        except VerificationError as error:
            raise VerificationError(f"{named(place, statement)}: {error}") from error
    return ""


def check_terms(case: Case) -> str:
    """Find the one agreement, and compare its parties and log with the policy."""
    acceptance, offer = _agreement(case)
    # (6) Both signed the same terms, the client first.
    if offer.terms != acceptance.terms:
        raise VerificationError("offer and acceptance have different terms")
    # (6) Everything in the bundle is about this engagement.
    engagement = acceptance.engagement
    for place, _, statement, record in case.items():
        if getattr(record, "engagement", engagement) != engagement:
            raise VerificationError(f"{named(place, statement)} is about another engagement")
    if case.bundle.manifest_record().engagement != engagement:
        raise VerificationError("the manifest is about another engagement")
    _check_parties(case, acceptance.terms)
    case.keys = _check_signers(case, acceptance.terms)
    # (6) The log and the witnesses that the terms name are those of the policy.
    text = case.policy.tlog.encode()
    if acceptance.terms.log_policy != text:
        raise VerificationError("the terms name another log policy than the caller's")
    if case.bundle.contents.policy.encode() != text:
        raise VerificationError("the bundle's policy is not the one of the terms")
    case.engagement = engagement
    case.agreed = acceptance.terms
    return ""


def _agreement(case: Case) -> tuple[Acceptance, Offer]:
    found = [
        (index, statement.digest, record)
        for _, index, statement, record in case.items()
        if isinstance(record, Acceptance)
    ]
    if len(found) != 1:
        raise VerificationError(f"expected one acceptance, found {len(found)}")
    index, digest, acceptance = found[0]
    for _, _, statement, record in case.items():
        if isinstance(record, Acceptance):
            break
        if isinstance(record, Offer) and statement.digest == acceptance.offer:
            case.acceptance = digest
            case.agreed_index = index
            # Each side's own claim: the later one is what neither can put before the other's.
            case.agreed_at = max(record.claimed_at, acceptance.claimed_at)
            return acceptance, record
    raise VerificationError("the offer that the acceptance names does not stand before it")


def _check_parties(case: Case, terms: Terms) -> None:
    # (6) The parties that the terms name are those that the caller knows.
    named_keys = (
        (Role.CLIENT, (terms.client,)),
        (Role.FREELANCER, (terms.freelancer,)),
        (Role.ARBITRATOR, terms.arbitrators),
        (Role.OPERATOR, (terms.operator,)),
    )
    for role, keys in named_keys:
        known = case.policy.parties.get(role, ())
        if not set(keys) <= set(known):
            raise VerificationError(
                f"the {role.name.lower()} of the terms is not one of the policy"
            )


def _check_signers(case: Case, terms: Terms) -> KeyHistory:
    # (6) Who speaks here is a party of these terms, or a successor of one: the caller may know
    # other clients, freelancers and arbitrators. The signatures themselves held in step 5.
    history = KeyHistory.start(
        {
            **case.policy.parties,
            Role.CLIENT: (terms.client,),
            Role.FREELANCER: (terms.freelancer,),
            Role.ARBITRATOR: terms.arbitrators,
        }
    )
    for place, index, statement, record in case.items():
        match record:
            case KeyAnnounce() | KeyRotate() | KeyRevoke():
                try:
                    history = history.advance(index, statement, record)
                except VerificationError as error:
                    raise VerificationError(f"{named(place, statement)}: {error}") from error
            case _ if not history.roles_of(statement.issuer, index) & MAKERS[statement.kind]:
                raise VerificationError(
                    f"{named(place, statement)}: its signer is no party of the terms"
                )
    return history
