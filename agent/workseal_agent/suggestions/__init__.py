"""Suggestions before a reveal: secrets, names, faces, pictures and text that a frame would show.

Rules: nothing is decided here, and nothing of what was read leaves the process that reads it but
classes and boxes. What reads is an extra, `review`, loaded by that process alone. docs/agent.md
"""

from workseal_agent.suggestions.names import NameList
from workseal_agent.suggestions.reading import (
    ReadingError,
    TextReading,
    can_find_faces,
    can_read,
)
from workseal_agent.suggestions.review import Reader, review_frame
from workseal_agent.suggestions.suggestion import (
    MARGIN,
    Exposure,
    Kind,
    Reading,
    Review,
    Suggestion,
    Sureness,
    Why,
)

__all__ = [
    "MARGIN",
    "Exposure",
    "Kind",
    "NameList",
    "Reader",
    "Reading",
    "ReadingError",
    "Review",
    "Suggestion",
    "Sureness",
    "TextReading",
    "Why",
    "can_find_faces",
    "can_read",
    "review_frame",
]
