"""What the server writes of its own life: one line each, for people or for programs.

Rules: no trace, because a trace quotes what was being handled; the class of an error is told, its
text is not. What is logged elsewhere names no address, body, engagement or statement. Libraries do
not keep to that in what they tell below a warning, where they are asked for it: it is left out.
"""

import json
import logging
import sys
import threading
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Final

_logger = logging.getLogger(__name__)

TEXT, JSON = "text", "json"
FORMATS: Final = frozenset({TEXT, JSON})
LEVELS: Final = frozenset({"debug", "info", "warning", "error"})
# Who tells of its own life alone. A client of HTTP tells each address, with the password in it.
_TOLD: Final = frozenset({"workseal_verifier", "uvicorn", "alembic"})


class _Formatter(logging.Formatter, ABC):
    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0] if record.exc_info else None
        # The first line alone: the event loop quotes a lost error's text on the others.
        message = record.getMessage().strip().partition("\n")[0].rstrip()
        return self.line(record, message, kind.__name__ if kind else "")

    @abstractmethod
    def line(self, record: logging.LogRecord, message: str, error: str) -> str:
        """Write one line."""


class _TextFormatter(_Formatter):
    def line(self, record: logging.LogRecord, message: str, error: str) -> str:
        told = f"{message}: {error}" if error else message
        return f"{_instant(record)} {record.levelname.lower()} {record.name}: {told}"


class _JsonFormatter(_Formatter):
    def line(self, record: logging.LogRecord, message: str, error: str) -> str:
        members = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        return json.dumps(members | ({"error": error} if error else {}), ensure_ascii=False)


def _may_be_told(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _TOLD


def _tell_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    """Say that a thread ended by an error; the interpreter's own words would be a trace."""
    name = "" if ended.thread is None else ended.thread.name
    _logger.error("the thread %s ended: %s", name, ended.exc_type.__name__)


def configure(form: str, level: str) -> None:
    """Write to standard error, in this form, from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == JSON else _TextFormatter())
    handler.addFilter(_may_be_told)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    threading.excepthook = _tell_of_a_thread
    # uvicorn sets its own level; ours is for all.
    logging.getLogger("uvicorn").setLevel(level.upper())


def _instant(record: logging.LogRecord) -> str:
    when = datetime.fromtimestamp(record.created, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
