"""How a table is declared: every column says what it means, in which unit, and how private it is.

The catalogue of the database is compared with these declarations by a test, so a table or column without comment,
unit, privacy class or kind cannot be added. Erasure and export walk the same registry.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)


class Kind(StrEnum):
    """What a table is to the log: the truth, made from it, a kept statement, or machinery."""

    FACT = "fact"
    DERIVED = "derived"
    FROZEN = "frozen"
    OPERATIONAL = "operational"


class Privacy(StrEnum):
    """How near a column comes to a person."""

    PII = "pii"
    PSEUDONYMOUS = "pseudonymous"
    NONE = "none"


class Erase(StrEnum):
    """What erasure of a learner does with the table's rows."""

    DELETE = "delete"
    KEEP = "keep"
    NOT_PERSONAL = "not_personal"


def column(
    name: str,
    type_: Any,
    *args: Any,
    comment: str,
    privacy: Privacy = Privacy.NONE,
    unit: str | None = None,
    **options: Any,
) -> sa.Column[Any]:
    """A column whose meaning, unit and privacy class travel with it into the database's own comments.

    `nullable` defaults to False: what may be missing says so.
    """
    text = f"{comment}{f' [{unit}]' if unit else ''} ({privacy.value})"
    options.setdefault("nullable", False)
    info = {"meaning": comment, "unit": unit, "privacy": privacy}
    return sa.Column(name, type_, *args, comment=text, info=info, **options)


def user_id_column(**options: Any) -> sa.Column[Any]:
    """The learner's pseudonym, the leading column of every large table."""
    return column("user_id", sa.Uuid(), comment="learner's pseudonym", privacy=Privacy.PSEUDONYMOUS, **options)


def table(name: str, *items: Any, kind: Kind, erase: Erase, comment: str, **options: Any) -> sa.Table:
    """A declared table. `erase` says what erasing a learner does with it; DELETE needs a `user_id` column."""
    made = sa.Table(
        name, metadata, *items, comment=f"{comment} ({kind.value})", info={"kind": kind, "erase": erase}, **options
    )
    if erase is Erase.DELETE and "user_id" not in made.c:
        msg = f"table {name} is erased by user_id and has no such column"
        raise TypeError(msg)
    return made


def kind_of(declared: sa.Table) -> Kind:
    """The declared kind of a table."""
    return cast("Kind", declared.info["kind"])


def erase_of(declared: sa.Table) -> Erase:
    """What erasing a learner does with a table's rows."""
    return cast("Erase", declared.info["erase"])
