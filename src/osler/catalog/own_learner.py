"""Whose data these are where nobody is named: the one learner that a personal installation belongs to."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

from osler.observe.keys import write_once

FILE = "own-learner"


def own_learner(home: Path) -> UUID:
    """The installation's own learner: a random pseudonym under `OSLER_HOME`, made on first use, the same ever after."""
    path = home / FILE
    if not path.exists():
        write_once(path, str(uuid4()).encode())
    return UUID(path.read_text().strip())
