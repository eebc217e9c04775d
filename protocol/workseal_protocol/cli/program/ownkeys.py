"""`workseal recovery-key`, `revoke-key`, `rotate-key`: a key is lost, stolen or replaced."""

from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, Parser, add

recovery_key = Later("ownkeys.command", "recovery_key")
revoke_key = Later("ownkeys.command", "revoke_key")
rotate_key = Later("ownkeys.command", "rotate_key")

_ROLES = ("client", "arbitrator", "freelancer")
_REASONS = ("lost", "compromised", "retired")


def add_ownkeys(commands: Commands) -> None:
    """Describe what a person says about their own key."""
    one = add(
        commands,
        "recovery-key",
        recovery_key,
        "name the key that can end yours when it is lost or stolen",
    )
    _add_place(one, "your key file")
    one.add_argument(
        "--recovery",
        type=Path,
        required=True,
        metavar="FILE",
        help="the recovery key's file, made if there is none; keep it offline",
    )
    one.add_argument("--role", choices=_ROLES, required=True, help="what you are")

    one = add(commands, "revoke-key", revoke_key, "end a key by itself or by its recovery key")
    _add_place(one, "the file of the key, or of its recovery key")
    one.add_argument(
        "--of",
        metavar="KEY",
        help="with a recovery key: the key that ends, its thumbprint or text",
    )
    one.add_argument("--reason", choices=_REASONS, required=True)

    one = add(commands, "rotate-key", rotate_key, "let a new key take the place of yours")
    _add_place(one, "the file of the key that ends")
    one.add_argument(
        "--new",
        type=Path,
        required=True,
        metavar="FILE",
        help="the new key's file, made if there is none",
    )


def _add_place(one: Parser, key: str) -> None:
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("--key", type=Path, required=True, help=key)
    log = one.add_mutually_exclusive_group(required=True)
    log.add_argument("--policy", type=Path, help="a policy file: by it the log is known")
    log.add_argument(
        "--terms", type=Path, metavar="FILE", help="or an offer, acceptance or bundle: by its terms"
    )
    one.add_argument("--yes", action="store_true", help="sign and send without being asked")
