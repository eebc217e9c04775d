"""Evidence: a commit, a file, a text, or the project that time belongs to, put into the chain.

Rules: an item is a private value. The record holds nothing of it but a salted commitment, not even
which form it has; what is opened is read by `parse_item`. docs/spec/commitments.md
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Self, TypeAlias

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import MAX_TIME, check_text, check_uint
from workseal_protocol.records.links import Link, check_link, link_value, read_link
from workseal_protocol.statement import Kind

MAX_NAME: Final = 200
MAX_TEXT: Final = 8_000
MAX_TAGS: Final = 16
# Object names of git are SHA-1 or SHA-256.
_COMMIT_BYTES: Final = frozenset({20, 32})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Link):
    """Commit to one item: it existed when the statement was logged. It adds no time."""

    KIND: ClassVar[Kind] = Kind.EVIDENCE

    item: Digest

    def __post_init__(self) -> None:
        check_link(self)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "evidence")
        try:
            record = cls(**read_link(fields), item=fields.digest(10, "item"))
        except ValueError as error:
            raise MalformedError(f"evidence: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return link_value(self) | {10: self.item.raw}


@dataclass(frozen=True, slots=True)
class GitCommit:
    """Name a commit of a repository; `committed_ms` is what the commit says of itself."""

    name: str
    commit: bytes
    committed_ms: int

    def __post_init__(self) -> None:
        check_text("name", self.name, maximum=MAX_NAME)
        if len(self.commit) not in _COMMIT_BYTES:
            raise ValueError(f"a commit has 20 or 32 bytes, found {len(self.commit)}")
        check_uint("committed_ms", self.committed_ms, maximum=MAX_TIME)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the fields of this form."""
        return cls(
            fields.text(2, "name", maximum=MAX_NAME),
            fields.octets(3, "commit", maximum=32),
            fields.uint(4, "committed_ms", maximum=MAX_TIME),
        )

    def to_value(self) -> dict[int, Value]:
        """Return the fields of this form."""
        return {2: self.name, 3: self.commit, 4: self.committed_ms}


@dataclass(frozen=True, slots=True)
class FileDigest:
    """Name a file by the SHA-256 of its bytes, and by their number."""

    name: str
    digest: Digest
    size: int

    def __post_init__(self) -> None:
        check_text("name", self.name, maximum=MAX_NAME)
        check_uint("size", self.size)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the fields of this form."""
        return cls(
            fields.text(2, "name", maximum=MAX_NAME),
            fields.digest(3, "digest"),
            fields.uint(4, "size"),
        )

    def to_value(self) -> dict[int, Value]:
        """Return the fields of this form."""
        return {2: self.name, 3: self.digest.raw, 4: self.size}


@dataclass(frozen=True, slots=True)
class Text:
    """Hold a text whole: a message, a link, a remark."""

    text: str

    def __post_init__(self) -> None:
        check_text("text", self.text, maximum=MAX_TEXT)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the fields of this form."""
        return cls(fields.text(2, "text", maximum=MAX_TEXT))

    def to_value(self) -> dict[int, Value]:
        """Return the fields of this form."""
        return {2: self.text}


@dataclass(frozen=True, slots=True)
class Label:
    """Say to which project the time of [begin, end) belongs, and what it is about."""

    project: str
    tags: tuple[str, ...]
    begin: int
    end: int

    def __post_init__(self) -> None:
        check_text("project", self.project, maximum=MAX_NAME)
        if len(self.tags) > MAX_TAGS or len(set(self.tags)) != len(self.tags):
            raise ValueError(f"expected at most {MAX_TAGS} tags, each once")
        for tag in self.tags:
            check_text("tag", tag, maximum=MAX_NAME)
        if not 0 <= self.begin < self.end <= MAX_TIME:
            raise ValueError("a label ends before it begins")

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the fields of this form."""
        project = fields.text(2, "project", maximum=MAX_NAME)
        tags = fields.array(3, "tags", maximum=MAX_TAGS)
        texts = tuple(tag for tag in tags if isinstance(tag, str))
        if len(texts) != len(tags):
            raise MalformedError("evidence: tags (3): expected text for each")
        return cls(project, texts, fields.uint(4, "begin"), fields.uint(5, "end"))

    def to_value(self) -> dict[int, Value]:
        """Return the fields of this form."""
        return {2: self.project, 3: list(self.tags), 4: self.begin, 5: self.end}


EvidenceItem: TypeAlias = GitCommit | FileDigest | Text | Label

_FORMS: Final[dict[int, type[EvidenceItem]]] = {1: GitCommit, 2: FileDigest, 3: Text, 4: Label}
_NUMBERS: Final = {form: number for number, form in _FORMS.items()}


def encode_item(item: EvidenceItem) -> bytes:
    """Write an item as the private value that is committed; `parse_item` is the inverse."""
    return encode({1: _NUMBERS[type(item)], **item.to_value()})


def parse_item(data: bytes) -> EvidenceItem:
    """Read an item, or raise `MalformedError`."""
    fields = Fields(decode(data), "evidence")
    form = _FORMS[fields.integer(1, "form", minimum=1, maximum=len(_FORMS))]
    try:
        item = form.read(fields)
    except ValueError as error:
        raise MalformedError(f"evidence: {error}") from error
    fields.close()
    return item
