"""Whose data these are where nobody is named: the one learner that a personal installation belongs to."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

from osler.observe.keys import write_once

FILE = "own-learner"


def own_learner(home: Path) -> UUID:
    """The installation's own learner: a random pseudonym under `OSLER_HOME`, made once, the same until erased."""
    path = home / FILE
    if not path.exists():
        write_once(path, str(uuid4()).encode())
    return UUID(path.read_text().strip())


def forget_own_learner(home: Path, user_id: UUID) -> None:
    """Take the pseudonym of an erased learner out of `OSLER_HOME`: whoever begins anew there is somebody else."""
    if _is_own(home, user_id):
        (home / FILE).unlink()


def follow_own_learner(home: Path, user_id: UUID, joined_to: UUID) -> None:
    """Where the installation's own learner is joined to another pseudonym, that one is its own from then on."""
    if _is_own(home, user_id):
        aside = home / f"{FILE}.next"
        aside.unlink(missing_ok=True)
        write_once(aside, str(joined_to).encode())
        aside.replace(home / FILE)


def _is_own(home: Path, user_id: UUID) -> bool:
    path = home / FILE
    return path.exists() and path.read_text().strip() == str(user_id)
