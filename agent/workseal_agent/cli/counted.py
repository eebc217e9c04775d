"""Numbers of things that several commands tell of, each with its noun in the right form."""

from workseal_agent.language import Phrase, phrases


def engagements_text(number: int) -> Phrase:
    """Count engagements."""
    return phrases(number, "{count} engagement", "{count} engagements")


def statements_text(number: int) -> Phrase:
    """Count signed statements."""
    return phrases(number, "{count} signed statement", "{count} signed statements")


def checkpoints_text(number: int) -> Phrase:
    """Count checkpoints of a log."""
    return phrases(number, "{count} checkpoint", "{count} checkpoints")


def frames_text(number: int) -> Phrase:
    """Count frames."""
    return phrases(number, "{count} frame", "{count} frames")
