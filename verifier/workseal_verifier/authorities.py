"""What the settings say of others' servers, made: time-stamping authorities, a relay of drand."""

from collections.abc import Sequence
from typing import Final

from workseal_verifier.config import Settings
from workseal_verifier.drand import DrandClient, checker
from workseal_verifier.errors import ConfigError
from workseal_verifier.local_tsa import POLICY, ROOT_FILE
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.health import Health
from workseal_verifier.services.relaying import DrandRelay, Network
from workseal_verifier.services.stamping import Authority
from workseal_verifier.tsa import TsaClient, load_intermediates, load_roots

# As many as an agent takes.
MAX_CERTIFICATES: Final = 16


def configured(settings: Settings, local_url: str = "") -> tuple[Authority, ...]:
    """Make the authorities of the settings, then that of `--local-tsa` if it ever ran.

    Paths are relative to the home. Without its address the last one is not asked; what it stamped
    counts.
    """
    return (*_outside(settings), *_local(settings, local_url))


def drand_relay(settings: Settings, clock: Clock, health: Health) -> DrandRelay | None:
    """Make the relay of a drand network, if one is set."""
    wanted = settings.drand
    if wanted is None:
        return None
    chain = bytes.fromhex(wanted.chain)
    return DrandRelay(
        Network(chain, wanted.genesis, wanted.period, checker(bytes.fromhex(wanted.key))),
        [DrandClient(url, chain).ask for url in wanted.urls],
        clock=clock,
        health=health,
    )


def _outside(settings: Settings) -> tuple[Authority, ...]:
    return tuple(
        Authority(
            name=one.name,
            send=TsaClient(one.url).send if one.url else None,
            roots=load_roots([settings.home / name for name in one.roots]),
            intermediates=load_intermediates([settings.home / name for name in one.intermediates]),
            policy=one.policy,
        )
        for one in settings.tsa
    )


def _local(settings: Settings, url: str) -> tuple[Authority, ...]:
    root = settings.home / "tsa" / ROOT_FILE
    if not root.exists():
        return ()
    send = TsaClient(url).send if url else None
    return (Authority(name="local", send=send, roots=load_roots([root]), policy=POLICY),)


def certificates_of(authorities: Sequence[Authority]) -> tuple[bytes, ...]:
    """List what their tokens are checked with, each once, roots first."""
    found = tuple(
        dict.fromkeys(
            [root for one in authorities for root in one.roots]
            + [middle for one in authorities for middle in one.intermediates]
        )
    )
    if len(found) > MAX_CERTIFICATES:
        raise ConfigError(f"the authorities have more than {MAX_CERTIFICATES} certificates")
    return found
