"""What a person typed that cannot be meant."""

from workseal_agent.errors import AgentError


class UsageProblem(AgentError):  # noqa: N818 - the word that people read
    """Say what is wrong with an argument; the exit code is 2."""
