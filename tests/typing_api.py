"""The public API in use: checked by mypy, never run. A type that it loses is a broken promise."""

from collections.abc import Mapping
from typing import assert_type
from zoneinfo import ZoneInfo

from workseal_client import OperatorFacts, RefusedError, UnreachableError, VerifierClient
from workseal_protocol import (
    MalformedError,
    Outcome,
    Report,
    Step,
    TrustPolicy,
    VerificationError,
    Verified,
    agreed_zone,
    examine_bundle,
    verify_bundle,
)
from workseal_protocol.bundle import Bundle
from workseal_protocol.diary import Span
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Signer
from workseal_protocol.labels import Labelled
from workseal_protocol.partykeys import PartyKey
from workseal_protocol.totals import Totals


def use(data: bytes, text: str) -> None:
    policy = assert_type(TrustPolicy.parse(text), TrustPolicy)
    report = assert_type(examine_bundle(data, policy), Report)
    assert_type(examine_bundle(data, policy, zone=ZoneInfo("Europe/Berlin")), Report)
    assert_type(agreed_zone(data), str | None)
    assert_type(report.holds, bool)
    assert_type(report.steps, tuple[Step, ...])
    assert_type(report.steps[0].outcome, Outcome)
    assert_type(report.by_number(), Mapping[int, Step])
    assert_type(report.totals, Totals | None)
    assert_type(report.diary, tuple[Span, ...])
    assert_type(report.labelled, Labelled)
    assert_type(report.labelled_sheets, Mapping[Digest, Labelled])
    assert_type(report.not_proven, tuple[str, ...])
    try:
        verified = assert_type(verify_bundle(data, policy), Verified)
    except (MalformedError, VerificationError) as error:
        assert_type(error, MalformedError | VerificationError)
    else:
        assert_type(verified.bundle, Bundle)
        assert_type(verified.report, Report)


def ask(url: str, signer: Signer, engagement: bytes) -> None:
    with VerifierClient(url, signer=signer) as verifier:
        assert_type(verifier, VerifierClient)
        assert_type(verifier.operator(), OperatorFacts)
        assert_type(verifier.checkpoint(), bytes)
        assert_type(verifier.keys(engagement), tuple[PartyKey, ...])
        try:
            page = assert_type(
                verifier.statements(engagement, size=1), tuple[tuple[int, bytes], ...]
            )
            assert_type(verifier.receipt(Digest.of(page[0][1]), size=1), bytes | None)
        except UnreachableError as error:
            assert_type(error.retry_after, float | None)
        except RefusedError as error:
            assert_type(error.name, str)


def misuse_of_asking(verifier: VerifierClient) -> None:
    verifier.statements("00")  # type: ignore[arg-type, call-arg]
    VerifierClient(b"https://verifier.example")  # type: ignore[arg-type]


def misuse(data: bytes, policy: TrustPolicy) -> None:
    # Each of these is a mistake that a checker has to see.
    examine_bundle(data)  # type: ignore[call-arg]
    examine_bundle("work.workseal", policy)  # type: ignore[arg-type]
    verify_bundle(data, policy).holds  # type: ignore[attr-defined]  # noqa: B018
    Verified(data)  # type: ignore[call-arg, arg-type]
