"""Objects on a bus: which properties and methods each has, and the answers to who asks.

Rule: any program of the session may ask. It gets an error for what there is not, and nothing that
it sends is used but the number of an entry of the menu.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workseal_agent.bus import Message

PROPERTIES = "org.freedesktop.DBus.Properties"
_INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
_ERROR = "org.freedesktop.DBus.Error"
_NO_METHOD, _NO_PROPERTY = "UnknownMethod", "UnknownProperty"
_OTHER_ARGUMENTS, _READ_ONLY = "InvalidArgs", "PropertyReadOnly"

# Signature and value of a property; signature and body of an answer.
Value = tuple[str, Any]
Method = Callable[..., tuple[str, tuple[Any, ...]]]


class _RefusedError(Exception):
    """Name the error that is answered."""


@dataclass(frozen=True, slots=True)
class Served:
    """Hold an object: its place, its interface, and how it answers.

    `methods` has for each name the signature of its arguments, and what answers them.
    """

    path: str
    interface: str
    properties: Callable[[], Mapping[str, Value]]
    methods: Mapping[str, tuple[str, Method]] = field(default_factory=dict)
    signals: tuple[str, ...] = ()

    def answer(self, call: Message) -> Message:
        """Return the answer to a call of this object."""
        try:
            signature, body = self._answered(call)
        except _RefusedError as refused:
            return call.refused(f"{_ERROR}.{refused}")
        return call.answered(signature, *body)

    def _answered(self, call: Message) -> tuple[str, tuple[Any, ...]]:
        if call.interface == _INTROSPECTABLE and call.member == "Introspect":
            return "s", (self._described(),)
        if call.interface == PROPERTIES:
            return self._property(call)
        member = call.member or ""
        if call.interface not in {self.interface, None} or member not in self.methods:
            raise _RefusedError(_NO_METHOD)
        signature, method = self.methods[member]
        if call.signature != signature:
            raise _RefusedError(_OTHER_ARGUMENTS)
        return method(*call.body)

    def _property(self, call: Message) -> tuple[str, tuple[Any, ...]]:
        known = dict(self.properties())
        match (call.member, call.signature, call.body):
            case ("GetAll", "s", [_]):
                return "a{sv}", (known,)
            case ("Get", "ss", [_, name]) if name in known:
                return "v", (known[name],)
            case ("Get", "ss", _):
                raise _RefusedError(_NO_PROPERTY)
            case ("Set", "ssv", _):
                raise _RefusedError(_READ_ONLY)
        raise _RefusedError(_OTHER_ARGUMENTS)

    def _described(self) -> str:
        """Describe the object as introspection has it."""
        properties = "".join(
            f'<property name="{name}" type="{signature}" access="read"/>'
            for name, (signature, _) in self.properties().items()
        )
        methods = "".join(f'<method name="{name}"/>' for name in self.methods)
        signals = "".join(f'<signal name="{name}"/>' for name in self.signals)
        inside = f"{properties}{methods}{signals}"
        return f'<node><interface name="{self.interface}">{inside}</interface></node>'
