"""What a party says to a verifier and reads there: statements, keys, cases, sealed packages.

Rules: what only a party reads is asked for with a signature by its key. What a method returns is
not verified unless its name says so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from workseal_client.errors import RefusedError, UnreachableError
from workseal_client.exchange import JSON, MIB, OCTETS, SEQUENCE, each, form
from workseal_client.publiclog import PublicLog
from workseal_protocol.checkpoint import Checkpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, decode, encode, encode_sequence, split_sequence
from workseal_protocol.errors import MalformedError
from workseal_protocol.partykeys import MAX_BYTES, PartyKey, parse_keys
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint
from workseal_protocol.receipt import SubmissionAnswer, verify_answer
from workseal_protocol.statement import Statement

MAX_BATCH = 256
MAX_BATCH_BYTES = 1 << 20
# Statements of a listing that are asked for at once: what of it is held in memory.
PAGE = 1_024
# A case has no more statements (docs/spec/dispute.md).
MOST_IN_CASE = 400
_PAGE_INDICES_BYTES = 16_384
_STATEMENT_BYTES = 65_536
_SEALED_BYTES = 80 * MIB
# The verifier keeps few of them.
_CONFLICT_BYTES = 16 * MIB
# What may stand in a link, and be shown in a terminal.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ROLES = frozenset({"client", "freelancer", "arbitrator", "operator"})


class VerifierClient(PublicLog):
    """Speak to one verifier as a party. Methods raise `UnreachableError` or `RefusedError`."""

    def submit(self, statements: Sequence[bytes], old_size: int) -> bytes:
        """Send statements; returns the bytes of a SubmissionAnswer, not yet verified."""
        return self._exchange.send(
            "POST",
            f"/v1/statements?old={old_size}",
            encode_sequence(statements),
            media=SEQUENCE,
            limit=8 * MIB,
        )

    def submit_verified(
        self,
        statements: Sequence[Statement],
        policy: TlogPolicy,
        earlier: Checkpoint | None = None,
    ) -> tuple[tuple[int, ...], VerifiedCheckpoint]:
        """Have statements logged, and see the log prove it; sending them again is always safe.

        Returns their indices, and what they are in: its checkpoint is the next call's `earlier`.
        Raises `VerificationError` when the answer does not show them in the log of this policy, or
        not as a continuation of the earlier checkpoint.
        """
        old = 0 if earlier is None else earlier.size
        data = self.submit([one.encode() for one in statements], old)
        with form("answer"):
            answer = SubmissionAnswer.parse(data)
        verified = verify_answer(answer, [one.digest for one in statements], earlier, policy)
        return answer.indices, verified

    def statements(
        self, engagement: bytes, *, size: int, since: int = 0
    ) -> tuple[tuple[int, bytes], ...]:
        """Return (index, statement) of one page of what verifying an engagement needs.

        Those in [since, size), ascending. Fewer than `PAGE` are the last ones.
        """
        path = f"/v1/engagements/{engagement.hex()}"
        query = f"?size={size}&from={since}&count={PAGE}"
        ask = self._exchange.signed
        listed = ask("GET", f"{path}/indices{query}", limit=_PAGE_INDICES_BYTES)
        data = ask("GET", f"{path}/statements{query}", limit=PAGE * _STATEMENT_BYTES)
        with form("statements"):
            indices = tuple(each(decode(listed), int))
            bodies = split_sequence(data, max_items=PAGE)
            if len(indices) != len(bodies) or not _ascends(indices, since, size):
                raise MalformedError("they are not those of their indices, in the log's order")
            return tuple(zip(indices, bodies, strict=True))

    def conflicts(self, engagement: bytes) -> bytes:
        """Return what was signed twice in an engagement, as CBOR: evidence, not yet read."""
        path = f"/v1/engagements/{engagement.hex()}/conflicts"
        return self._exchange.signed("GET", path, limit=_CONFLICT_BYTES)

    def keys(self, engagement: bytes) -> tuple[PartyKey, ...]:
        """Return the parties' keys as the verifier tells them."""
        path = f"/v1/engagements/{engagement.hex()}/keys"
        with form("keys"):
            return parse_keys(self._exchange.signed("GET", path, limit=MAX_BYTES))

    def receipt(self, statement: Digest, size: int) -> bytes | None:
        """Return the COSE receipt of a statement under a checkpoint, None when there is none."""
        try:
            return self._exchange.signed("GET", f"/v1/statements/{statement}/receipt?size={size}")
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise

    def cases(self, before: str | None = None) -> bytes:
        """Return the cases that this party may read, as JSON: the server's word, not yet read.

        A page of them; `before` is what it says there, and goes on from it.
        """
        query = "" if before is None else f"?before={before}"
        return self._exchange.signed("GET", f"/v1/cases{query}", limit=MIB)

    def case(self, case: Digest) -> bytes:
        """Return where a case stands, as JSON: the server's word, not yet read."""
        return self._exchange.signed("GET", f"/v1/cases/{case}", limit=4 * MIB)

    def case_statements(self, case: Digest) -> bytes:
        """Return the statements of a case, one after the other, for a replay of one's own."""
        path = f"/v1/cases/{case}/statements"
        return self._exchange.signed("GET", path, limit=MOST_IN_CASE * _STATEMENT_BYTES)

    def notices(self, before: int | None = None) -> bytes:
        """Return this party's own notices as JSON, the newest first; `before` goes on from there.

        That they were asked for counts as reading them (docs/spec/notices.md).
        """
        query = "" if before is None else f"?before={before}"
        return self._exchange.signed("GET", f"/v1/notices{query}", limit=MIB)

    def contact(self) -> bytes:
        """Return where this party wants to be told, as JSON."""
        return self._exchange.signed("GET", "/v1/contact")

    def put_contact(
        self,
        *,
        mail: str | None = None,
        webhook: str | None = None,
        zone: str | None = None,
        digest: bool = False,
    ) -> None:
        """Say where this party wants to be told, in the place of what it said before."""
        form = {"mail": mail, "webhook": webhook, "zone": zone, "digest": digest}
        self._exchange.signed("PUT", "/v1/contact", json.dumps(form).encode(), media=JSON)

    def delete_contact(self) -> None:
        """Have what this party said of that forgotten."""
        self._exchange.signed("DELETE", "/v1/contact")

    def disclose(self, statement: bytes, disclosures: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Send a disclosure; returns the finding and the SubmissionAnswer, neither verified."""
        body = encode_sequence((statement, *map(encode, disclosures)))
        answer = self._exchange.send("POST", "/v1/disclosures", body, media=SEQUENCE, limit=8 * MIB)
        with form("disclosure"):
            fields = Fields(decode(answer, max_bytes=8 * MIB), "disclosure")
            return fields.octets(1, "finding"), fields.octets(2, "answer", maximum=8 * MIB)

    def put_sealed(self, request: Digest, package: bytes) -> str:
        """Leave a sealed package for the arbitrator; returns its address."""
        path = f"/v1/sealed/{request}"
        self._exchange.signed("PUT", path, package, media=OCTETS)
        return f"{self.url}{path}"

    def sealed(self, request: Digest) -> bytes:
        """Return the sealed package that answers a request."""
        return self._exchange.signed("GET", f"/v1/sealed/{request}", limit=_SEALED_BYTES)

    def sign_in_link(self) -> str:
        """Return a link that signs a browser in, once and within minutes; it reads what you do."""
        told = self._object("POST", "/v1/signin/links")
        token = told.get("token")
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            raise UnreachableError("the verifier's link is not in the right form")
        return f"{self.url}/#signin={token}"

    def accept_invitation(self, token: str, public_key: str) -> str:
        """Accept an operator's invitation with this party's key; returns the role it is for."""
        body = json.dumps({"token": token, "key": public_key}).encode()
        role = self._object("POST", "/v1/invitations/accept", body).get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise UnreachableError("the verifier's answer is not in the right form")
        return role

    def end_sessions(self) -> None:
        """End this party's sessions in all browsers, such as that of a lost machine."""
        self._exchange.signed("DELETE", "/v1/sessions")

    def delete_passkeys(self) -> None:
        """Have all passkeys of this party forgotten, and with them what they signed in."""
        self._exchange.signed("DELETE", "/v1/passkeys")

    def _object(self, method: str, path: str, body: bytes | None = None) -> Mapping[str, Any]:
        told = _read(self._exchange.signed(method, path, body, media=JSON))
        if not isinstance(told, dict):
            raise UnreachableError("the verifier's answer is not in the right form")
        return told


def _read(data: bytes) -> object:
    try:
        told: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreachableError("the verifier's answer is not JSON") from error
    return told


def _ascends(indices: Sequence[int], since: int, size: int) -> bool:
    """Tell whether indices are in [since, size), each once and in order."""
    edges = (since - 1, *indices, size)
    return all(one < next_ for one, next_ in pairwise(edges))
