"""The simulator behind HTTP, without a network: a transport for the agent's client, with faults.

A fault is asked before each request. It may raise (the request is lost), or return a `Fault` that
loses or replaces the answer after the simulator has done its work.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import httpx

from support.carried import Carrying
from support.simulator import Refused, Simulator
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, verify_disclosure
from workseal_protocol.encoding import Fields, Value, decode, encode, split_sequence
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.partykeys import PartyKey, encode_keys
from workseal_protocol.records import (
    BeaconCommitment,
    DisputeDisclosure,
    DisputeFinding,
    Finding,
    Outcome,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement


@dataclass(frozen=True, slots=True)
class Fault:
    """Replace the answer after the work was done; None loses it."""

    answer: httpx.Response | None = None


FaultSource = Callable[[httpx.Request], Fault | None]


def problem(status: int, name: str, detail: str = "because") -> httpx.Response:
    """Give an RFC 9457 answer of the verifier's own kind."""
    body = {"type": f"urn:workseal:problem:{name}", "title": name, "status": status}
    return httpx.Response(
        status,
        headers={"content-type": "application/problem+json"},
        content=json.dumps(body | {"detail": detail}).encode(),
    )


class Wire(Carrying):
    """Answer requests from a simulator; keeps what was asked."""

    def __init__(self, simulator: Simulator, tsa: "Stamper | None" = None) -> None:
        self.simulator = simulator
        self.tsa = tsa
        self.tokens: dict[int, bytes] = {}
        self.fault: FaultSource = lambda _request: None
        self.requests: list[tuple[str, str, bytes]] = []
        self.sealed: dict[str, bytes] = {}
        self.roots: list[bytes] = []
        self.keys: list[PartyKey] = []
        self.contact: dict[str, Any] = {}
        self.cases: list[dict[str, Any]] = []
        self.refuse: Callable[[Statement], bool] = lambda _statement: False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Do what the real verifier would, as far as the agent sees."""
        body = request.read()
        self.requests.append((request.method, request.url.path, body))
        fault = self.fault(request)
        try:
            answer = self._route(request, body)
        except (MalformedError, ValueError) as error:
            answer = problem(400, "malformed", str(error))
        except VerificationError as error:
            answer = problem(422, "refused", str(error))
        if fault is not None:
            if fault.answer is None:
                raise httpx.ReadError("the connection was closed before the answer")
            return fault.answer
        return answer

    def stamp(self) -> None:
        """Let the time-stamp authority stamp the newest checkpoint."""
        if self.tsa is not None:
            signed = self.simulator.checkpoint()
            message = signed.log_signed(self.simulator.log_key)
            self.tokens[signed.checkpoint.size] = self.tsa(message, self.simulator.now)

    def _route(  # noqa: C901, PLR0911, PLR0912 - one line for each path of the interface
        self, request: httpx.Request, body: bytes
    ) -> httpx.Response:
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        match [request.method, *request.url.path.strip("/").split("/")]:
            case ["POST", "v1", "statements"]:
                return self._statements(body, int(query.get("old", "0")))
            case ["GET", "v1", "operator"]:
                return self._operator()
            case ["GET", "v1", "log", "checkpoint"]:
                return _ok(self.simulator.checkpoint().encode())
            case ["GET", "v1", "log", "checkpoints", size]:
                return _ok(self.simulator.checkpoints[int(size)].encode())
            case ["GET", "v1", "log", "timestamps"]:
                first, last = int(query["from"]), int(query["to"])
                rows: list[Value] = [
                    [size, token]
                    for size, token in sorted(self.tokens.items())
                    if first <= size <= last
                ]
                return _ok(encode(rows))
            case ["POST", "v1", "log", "proof"]:
                return self._proof(body)
            case ["GET", "v1", "engagements", name, what]:
                return self._engagement(bytes.fromhex(name), what, query)
            case ["GET", "v1", "statements", name]:
                known = Digest(bytes.fromhex(name)) in self.simulator.places
                return _ok(b"") if known else problem(404, "unknown")
            case ["GET", "v1", "statements", name, "receipt"]:
                return _ok(self.simulator.cose_receipt(Digest(bytes.fromhex(name))))
            case ["GET", "v1", "beacon", _]:
                return self._beacon(request.url.params.get("round"))
            case ["GET", "v1", "beacon", _, number]:
                return self._value(int(number))
            case ["POST", "v1", "disclosures"]:
                return self._disclosures(body)
            case ["GET", "v1", "cases"]:
                return self._cases(request)
            case [method, "v1", "contact"]:
                return self._contact(method, request.content)
            case ["POST", "v1", "signin", "links"]:
                return _ok(json.dumps({"token": "A" * 43, "expires_in": 600}).encode())
            case ["PUT", "v1", "sealed", name]:
                self.sealed[name] = body
                return _ok(b"")
        return problem(404, "unknown")

    def _cases(self, request: httpx.Request) -> httpx.Response:
        if "signature" not in request.headers:
            return problem(401, "unproven")
        return _ok(json.dumps({"cases": self.cases, "before": None}).encode())

    def listed(self, engagement: bytes, case: Digest, state: str = "answer") -> None:
        """Have a case listed, whether there is one or not."""
        name, number = str(case), engagement.hex()
        self.cases.append({"case": name, "engagement": number, "state": state})

    def _contact(self, method: str, body: bytes) -> httpx.Response:
        if method == "GET":
            told = {"mail": None, "webhook": None, "zone": None, "digest": False}
            told |= self.contact | {"confirmed": False, "sends": ["mail"]}
            return _ok(json.dumps(told).encode())
        self.contact = json.loads(body) if method == "PUT" else {}
        return httpx.Response(204)

    def _statements(self, body: bytes, old: int) -> httpx.Response:
        statements = [Statement.parse(item) for item in split_sequence(body, max_items=256)]
        if any(self.refuse(statement) for statement in statements):
            return problem(422, "refused", "the rule of this test")
        before = self.simulator.checkpoints[old].checkpoint if old else None
        return _ok(self.simulator.submit(statements, before).encode())

    def _operator(self) -> httpx.Response:
        return _ok(
            encode(
                {
                    1: self.simulator.people.operator.public_key.raw,
                    2: self.simulator.policy.encode(),
                    3: list(self.roots),
                    4: [self.simulator.round_ms],
                    5: self.simulator.now,
                }
            )
        )

    def _proof(self, body: bytes) -> httpx.Response:
        fields = Fields(decode(body, max_bytes=1 << 20), "proof")
        size = fields.uint(1, "size")
        indices = [
            int(i) for i in fields.array(2, "indices", maximum=1 << 16) if isinstance(i, int)
        ]
        sizes = [int(i) for i in fields.array(3, "sizes", maximum=1 << 16) if isinstance(i, int)]
        return _ok(encode({1: b"".join(self.simulator.proof(size, indices, sizes))}))

    def _engagement(self, engagement: bytes, what: str, query: dict[str, str]) -> httpx.Response:
        if what == "keys":
            return _ok(encode_keys(self.keys))
        first, size = int(query.get("from", "0")), int(query.get("size", "1000000000"))
        listed = self.simulator.statements_for(engagement)
        rows = [row for row in listed if first <= row[0] < size]
        rows = rows[: int(query.get("count", "1000000000"))]
        if what == "indices":
            return _ok(encode([index for index, _ in rows]))
        return _ok(b"".join(statement.encode() for _, statement in rows))

    def _beacon(self, asked: str | None) -> httpx.Response:
        for statement in reversed(self.simulator.statements.values()):
            record = read_record(statement)
            if isinstance(record, BeaconCommitment) and (
                asked is None or 0 <= int(asked) - record.first_round < record.count
            ):
                return _ok(
                    encode(
                        {
                            1: record.first_round,
                            2: record.count,
                            3: record.head.raw,
                            4: statement.digest.raw,
                        }
                    )
                )
        return problem(404, "unknown")

    def _value(self, number: int) -> httpx.Response:
        try:
            return _ok(self.simulator.value(number))
        except Refused:
            return problem(425, "too-early")
        except KeyError:
            return problem(404, "unknown")

    def _disclosures(self, body: bytes) -> httpx.Response:
        first, *others = split_sequence(body, max_items=65, max_item_bytes=1 << 26)
        statement = Statement.parse(first)
        record = read_record(statement)
        if not isinstance(record, DisputeDisclosure):
            raise MalformedError("expected a dispute.disclosure")
        findings = []
        for named, item in zip(record.frames, others, strict=True):
            data = decode(item, max_bytes=1 << 26)
            disclosure = Disclosure.parse(data if isinstance(data, bytes) else b"")
            verify_disclosure(disclosure, named.frame)
            count = disclosure.header.grid.count
            shown = len(disclosure.shown)
            findings.append(Finding(disclosure.digest, Outcome.HOLDS, shown, count))
        finding = sign(
            DisputeFinding(
                engagement=record.engagement,
                claimed_at=self.simulator.now,
                disclosure=statement.digest,
                findings=tuple(findings),
            ),
            self.simulator.people.operator,
        )
        answer = self.simulator.submit([statement, finding])
        return _ok(encode({1: finding.encode(), 2: answer.encode()}))


Stamper = Callable[[bytes, int], bytes]


def _numbers(items: list[Value]) -> list[int]:
    return [item for item in items if isinstance(item, int)]


def _ok(content: bytes) -> httpx.Response:
    return httpx.Response(200, content=content)
