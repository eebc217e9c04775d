"""What goes over a bus, in types of our own: whoever asks or answers needs to know no library."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"


class Kind(Enum):
    """Number the kinds of messages as the D-Bus specification does."""

    CALL = 1
    ANSWER = 2
    ERROR = 3
    SIGNAL = 4


@dataclass(frozen=True, slots=True)
class Message:
    """Hold a message; who sent it is the bus's word, everything else is the sender's.

    In a body a structure is a tuple, an array a list or a dict, and a variant the tuple of its
    signature and its value; an open file is an object with `fileno` and `close`. `answers` is the
    number of the call that is answered, `silent` says of a call that it wants no answer.
    """

    kind: Kind
    path: str | None = None
    interface: str | None = None
    member: str | None = None
    error: str | None = None
    answers: int | None = None
    destination: str | None = None
    sender: str | None = None
    signature: str = ""
    body: tuple[Any, ...] = ()
    number: int = 0
    silent: bool = False

    def answered(self, signature: str = "", *body: Any) -> "Message":
        """Return the answer to this call."""
        return Message(
            Kind.ANSWER,
            answers=self.number,
            destination=self.sender,
            signature=signature,
            body=body,
        )

    def refused(self, error: str) -> "Message":
        """Return the answer that names an error, and says no more."""
        return Message(
            Kind.ERROR,
            error=error,
            answers=self.number,
            destination=self.sender,
            signature="s",
            body=("no",),
        )
