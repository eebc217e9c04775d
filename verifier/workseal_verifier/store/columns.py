"""The kinds of columns and indexes that the tables are made of.

Rule: no column without a privacy class, and no blob or text without a bound; both are arguments
that cannot be left out.
"""

from enum import StrEnum, unique
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    TextClause,
    text,
)


@unique
class Privacy(StrEnum):
    """Say what a stranger learns who reads the column."""

    PUBLIC = "public"  # anybody may read it over HTTP
    PSEUDONYM = "pseudonym"  # a key or a random id: links acts of one party
    COMMITMENT = "commitment"  # a hash that hides what it fixes
    HASHED = "hashed"  # of a token, or under a secret of this server: who reads it cannot use it
    TIME = "time"  # when somebody worked or signed
    ENGAGEMENT = "engagement"  # what the engagement's own parties signed and may fetch
    CONTACT = "contact"  # where a party asked to be told; shown to that party alone


# Milliseconds and sizes need 64 bits; SQLite's INTEGER has them.
_INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def whole(name: str, privacy: Privacy, **options: Any) -> Column[Any]:
    """Make a column of whole numbers."""
    options.setdefault("nullable", False)
    return Column(name, _INTEGER, info={"privacy": privacy.value}, **options)


def octets(name: str, privacy: Privacy, *, most: int, least: int, **options: Any) -> Column[Any]:
    """Make a column of bytes, bounded by the database itself."""
    options.setdefault("nullable", False)
    bound = CheckConstraint(f"length({name}) BETWEEN {least} AND {most}", name=f"{name}_bound")
    info = {"privacy": privacy.value, "bound": most}
    return Column(name, LargeBinary(most), bound, info=info, **options)


def word(name: str, privacy: Privacy, *, most: int, nullable: bool = False) -> Column[Any]:
    """Make a column of text that is not empty, bounded by the database itself."""
    bound = CheckConstraint(f"length({name}) BETWEEN 1 AND {most}", name=f"{name}_bound")
    info = {"privacy": privacy.value, "bound": most}
    return Column(name, Text, bound, info=info, nullable=nullable)


# With what each has in it, which each database is told in its own option.
PARTIAL: Final[list[tuple[Index, TextClause]]] = []


def among(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Make an index of the rows alone for which something holds."""
    rows = text(where)
    made = Index(name, *columns, unique=unique, sqlite_where=rows)
    PARTIAL.append((made, rows))
    return made
