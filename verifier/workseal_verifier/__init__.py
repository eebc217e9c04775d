"""The service that admits, orders and receipts statements; it decides nothing on its own word."""

import sys

_MISSING = "workseal-verifier needs the verifier extra: pip install 'workseal[verifier]'"


def main() -> None:
    """Run the `workseal-verifier` command; exit 2 with one sentence when its extra is missing."""
    try:
        # Imported late: the package itself must import without the extra.
        from workseal_verifier.cli import run  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name is not None and missing.name.startswith("workseal_"):
            raise
        print(_MISSING, file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None
    run()
