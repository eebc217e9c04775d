"""`workseal hours`: the verified hours of a bundle as a file for other programs, or for paper.

Rules: nothing is written of a bundle that does not hold. Each form has the same figures as the
report, and where it has room for words, what is not proven. docs/spec/hours.md
"""

from workseal_protocol.cli.hours.command import hours

__all__ = ["hours"]
