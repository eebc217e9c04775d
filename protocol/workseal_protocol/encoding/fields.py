"""The one reader of decoded maps.

Rules: each key is taken once, by number, with its type and bounds; `close` refuses a key that
nobody took. Errors name the map, the field and its key.
"""

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding.cbor import MAX_BYTES, MAX_INTEGER, MAX_ITEMS, Value
from workseal_protocol.errors import MalformedError


class Fields:
    """Read a decoded map by key, once each, and refuse what is left over."""

    __slots__ = ("_left", "_what")

    def __init__(self, value: Value, what: str) -> None:
        if not isinstance(value, dict):
            raise MalformedError(f"{what}: expected a map, found {_name_of(value)}")
        if value and min(value) < 0:
            raise MalformedError(f"{what}: expected unsigned keys, found {min(value)}")
        self._left = dict(value)
        self._what = what

    def uint(self, key: int, name: str, *, maximum: int = MAX_INTEGER) -> int:
        """Take an integer from 0 to `maximum`."""
        value = self._left.pop(key, None)
        if isinstance(value, int) and 0 <= value <= maximum:
            return value
        raise self._wrong_int(key, name, value, 0, maximum)

    def integer(self, key: int, name: str, *, minimum: int, maximum: int) -> int:
        """Take an integer within both bounds."""
        value = self._left.pop(key, None)
        if isinstance(value, int) and minimum <= value <= maximum:
            return value
        raise self._wrong_int(key, name, value, minimum, maximum)

    def octets(
        self, key: int, name: str, *, length: int | None = None, maximum: int = MAX_BYTES
    ) -> bytes:
        """Take a byte string of one length, or of at most `maximum` bytes."""
        value = self._left.pop(key, None)
        if not isinstance(value, bytes):
            raise self._wrong_type(key, name, "a byte string", value)
        if length is not None and len(value) != length:
            raise self._wrong(key, name, f"{length} bytes, found {len(value)}")
        if len(value) > maximum:
            raise self._wrong(key, name, f"at most {maximum} bytes, found {len(value)}")
        return value

    def text(self, key: int, name: str, *, maximum: int = MAX_BYTES) -> str:
        """Take text of at most `maximum` code points."""
        value = self._left.pop(key, None)
        if not isinstance(value, str):
            raise self._wrong_type(key, name, "text", value)
        if len(value) > maximum:
            raise self._wrong(key, name, f"at most {maximum} characters, found {len(value)}")
        return value

    def digest(self, key: int, name: str) -> Digest:
        """Take a SHA-256 digest."""
        value = self._left.pop(key, None)
        if isinstance(value, bytes) and len(value) == DIGEST_BYTES:
            return Digest(value)
        if isinstance(value, bytes):
            raise self._wrong(key, name, f"{DIGEST_BYTES} bytes, found {len(value)}")
        raise self._wrong_type(key, name, "a digest", value)

    def array(
        self, key: int, name: str, *, minimum: int = 0, maximum: int = MAX_ITEMS
    ) -> list[Value]:
        """Take an array by the number of its items."""
        value = self._left.pop(key, None)
        if not isinstance(value, list):
            raise self._wrong_type(key, name, "an array", value)
        if not minimum <= len(value) <= maximum:
            raise self._wrong(key, name, f"{minimum} to {maximum} items, found {len(value)}")
        return value

    def fields(self, key: int, name: str) -> "Fields":
        """Take a map inside this one; the caller closes it."""
        value = self._left.pop(key, None)
        if not isinstance(value, dict):
            raise self._wrong_type(key, name, "a map", value)
        return Fields(value, f"{self._what}: {name} ({key})")

    def optional_uint(self, key: int, name: str, *, maximum: int = MAX_INTEGER) -> int | None:
        """Take what `uint` takes, or None when the key is absent."""
        return self.uint(key, name, maximum=maximum) if key in self._left else None

    def optional_integer(self, key: int, name: str, *, minimum: int, maximum: int) -> int | None:
        """Take what `integer` takes, or None when the key is absent."""
        if key not in self._left:
            return None
        return self.integer(key, name, minimum=minimum, maximum=maximum)

    def optional_octets(
        self, key: int, name: str, *, length: int | None = None, maximum: int = MAX_BYTES
    ) -> bytes | None:
        """Take what `octets` takes, or None when the key is absent."""
        if key not in self._left:
            return None
        return self.octets(key, name, length=length, maximum=maximum)

    def optional_text(self, key: int, name: str, *, maximum: int = MAX_BYTES) -> str | None:
        """Take what `text` takes, or None when the key is absent."""
        return self.text(key, name, maximum=maximum) if key in self._left else None

    def optional_digest(self, key: int, name: str) -> Digest | None:
        """Take what `digest` takes, or None when the key is absent."""
        return self.digest(key, name) if key in self._left else None

    def optional_array(
        self, key: int, name: str, *, minimum: int = 0, maximum: int = MAX_ITEMS
    ) -> list[Value] | None:
        """Take what `array` takes, or None when the key is absent."""
        if key not in self._left:
            return None
        return self.array(key, name, minimum=minimum, maximum=maximum)

    def optional_fields(self, key: int, name: str) -> "Fields | None":
        """Take what `fields` takes, or None when the key is absent."""
        return self.fields(key, name) if key in self._left else None

    def close(self) -> None:
        """Refuse a key that nobody asked for."""
        if self._left:
            raise MalformedError(f"unknown key {min(self._left)} in {self._what}")

    def _wrong(self, key: int, name: str, problem: str) -> MalformedError:
        return MalformedError(f"{self._what}: {name} ({key}): expected {problem}")

    def _wrong_type(
        self, key: int, name: str, expected: str, value: Value | None
    ) -> MalformedError:
        if value is None:
            return MalformedError(f"{self._what}: {name} ({key}) is missing")
        return self._wrong(key, name, f"{expected}, found {_name_of(value)}")

    def _wrong_int(
        self, key: int, name: str, value: Value | None, minimum: int, maximum: int
    ) -> MalformedError:
        if not isinstance(value, int):
            return self._wrong_type(key, name, "an integer", value)
        return self._wrong(key, name, f"{minimum} to {maximum}, found {value}")


def _name_of(value: Value) -> str:
    names = {int: "an integer", bytes: "a byte string", str: "text", list: "an array"}
    return names.get(type(value), "a map")
