"""Scenarios that hold."""

from dataclasses import replace

from support.scripted import tell_story
from vectors.scenarios.telling import SEED, Scenario, resealed, story

# --- what holds ---


def valid() -> Scenario:
    return Scenario("a whole engagement, with everything in it", story().bundle().encode())


def valid_without_tsa() -> Scenario:
    return Scenario(
        "the policy names no time-stamp authority, so tokens are not asked for",
        resealed(token=None, timestamps=(), tsa_ca=None),
        policy="policy-without-tsa.txt",
    )


def valid_nobody_independent() -> Scenario:
    return Scenario(
        "the caller holds no witness to be independent: it holds, and says so",
        story().bundle().encode(),
        policy="policy-nobody-independent.txt",
    )


def valid_no_witnesses() -> Scenario:
    told = tell_story(SEED, witnesses=0)
    plain = replace(told.contents, token=None, timestamps=(), tsa_ca=None)
    return Scenario(
        "neither witnesses nor time-stamps: nothing bounds the work from above, and it says so",
        told.bundle(plain).encode(),
        policy="policy-no-witnesses.txt",
    )


def valid_by_client() -> Scenario:
    told = story()
    return Scenario(
        "the client exports the bundle", told.bundle(signer=told.verifier.people.client).encode()
    )


ALL = (
    valid,
    valid_without_tsa,
    valid_nobody_independent,
    valid_no_witnesses,
    valid_by_client,
)
