"""Which revisions of the schema does this version know? Read from the names and heads of the migration files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import osler

FOLDER = Path(osler.__file__).parent / "migrations"

_REVISION = re.compile(r"^revision = \"(\w+)\"$", re.MULTILINE)


@cache
def revisions() -> tuple[str, ...]:
    """All revisions, oldest first; one line without branches, so file order is their order.

    Alembic would tell the same after 150 ms of imports; start-up does not pay for that.
    """
    files = sorted((FOLDER / "versions").glob("[0-9]*.py"))
    found = (_REVISION.search(file.read_text(encoding="utf-8")) for file in files)
    return tuple(match.group(1) for match in found if match)


HEAD = revisions()[-1]
