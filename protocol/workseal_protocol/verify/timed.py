"""Steps 10 and 11: time-stamps hold, and no statement contradicts its own bounds."""

import base64
import re

from workseal_protocol.errors import VerificationError, WorksealError
from workseal_protocol.timestamp import MissingLibraryError, verify_token
from workseal_protocol.verify.case import Case, NotReachedError, named
from workseal_protocol.window import Entry, WindowError, grade, windows_of

_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/]{1,64}={0,2}\n)+)-----END CERTIFICATE-----\n"
)


def check_time_stamps(case: Case) -> str:
    """Check each token of the bundle against the roots of the policy."""
    contents = case.bundle.contents
    tokens = dict(contents.timestamps)
    if contents.token is not None:
        tokens[contents.checkpoint.checkpoint.size] = contents.token
    if not case.policy.tsa:
        unused = f"; tokens not examined: {len(tokens)}" if tokens else ""
        return f"the policy names no TSA{unused}"
    if not tokens:
        raise NotReachedError("no token in the bundle")
    helpers = _certificates(contents.tsa_ca or b"")
    checkpoints = [*case.earlier, *([case.checkpoint] if case.checkpoint else [])]
    for checkpoint in checkpoints:
        size = checkpoint.checkpoint.size
        if size not in tokens:
            continue
        try:
            # (10) The token is over the log-signed checkpoint, and by a TSA of the policy.
            stamp = verify_token(
                tokens[size],
                message=checkpoint.signed.log_signed(checkpoint.log),
                roots=case.policy.tsa,
                intermediates=helpers,
            )
        except MissingLibraryError as error:
            raise NotReachedError(str(error)) from error
        except WorksealError as error:
            raise VerificationError(f"the token of size {size}: {error}") from error
        case.stamps[size] = stamp.upper
    size = contents.checkpoint.checkpoint.size
    newest = max(case.stamps)
    open_end = "" if newest == size else f"; the newest is over size {newest} of {size}"
    return f"tokens: {len(case.stamps)}{open_end}"


def check_windows(case: Case) -> str:
    """Bound every statement, and refuse what was signed after the fact."""
    items = [(index, record) for _, index, _, record in case.items()]
    checkpoints = [*case.earlier, *([case.checkpoint] if case.checkpoint else [])]
    try:
        # (11) Lower bounds from beacons and anchors, upper ones from cosignatures and tokens.
        windows = windows_of(
            items,
            checkpoints,
            round_ms=case.terms.round_ms,
            beacon_proven=frozenset(case.beacons),
            stamps=case.stamps,
            quorum=case.policy.tlog.quorum is not None,
        )
    except WindowError as error:
        statement = case.bundle.contents.statements[error.place]
        raise VerificationError(f"{named(error.place, statement)}: {error}") from error
    case.entries = tuple(
        Entry(index, statement.digest, record, window, grade(record, window, case.terms.round_ms))
        for (_, index, statement, record), window in zip(case.items(), windows, strict=True)
    )
    return ""


def _certificates(pem: bytes) -> list[bytes]:
    try:
        return [base64.b64decode(body) for body in _CERTIFICATE.findall(pem)]
    except ValueError as error:
        raise VerificationError("tsa-ca.pem has a certificate that is not base64") from error
