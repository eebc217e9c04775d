"""What a person typed that cannot be meant, under the name that commands know it by."""

from workseal_agent.errors import UsageProblem

__all__ = ["UsageProblem"]
