"""`workseal invoice`: an invoice over verified hours, on paper and for programs (EN 16931).

Rules: no invoice is made of a bundle that does not hold. The net amount is that of
`workseal hours`, to the minor unit; whatever else stands on it is its issuer's own word, and it
says so.
docs/spec/invoice.md
"""

from workseal_protocol.cli.invoice.command import invoice

__all__ = ["invoice"]
