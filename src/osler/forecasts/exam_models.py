"""Which exam model is served at an instant? Signed files of what past results taught, one line of versions an exam.

A fit writes a sealed file under `OSLER_HOME/models` and a row of `models` that names it, with its digest. A version
never changes, so what was read once is kept. Where a file is missing or was tampered with, the one before it serves.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from osler.db.session import ReadSession, WriteSession
from osler.errors import InvalidModelInput
from osler.forecasts import parameters
from osler.forecasts.predictions import EXAM
from osler.forecasts.signing import SUFFIX, Refused, own_key, seal, unseal, write_whole
from osler.observe import metrics
from osler.science import exam_learned
from osler.science.exam_learned import ExamModel

FOLDER = "models"
VERSIONS_TRIED = 3

log = logging.getLogger("osler.models")

VERSIONS_SQL = f"""
select m.content->>'exam_id' as exam_id, m.version, m.promoted_at from models m
 where m.task = '{EXAM}' and m.content->>'exam_id' is not null and m.promoted_at is not null
 order by m.promoted_at desc
"""


@dataclass(frozen=True, slots=True)
class Served:
    """An exam model under the name that it goes by."""

    version: str
    model: ExamModel


@dataclass(frozen=True, slots=True)
class Line:
    """All versions that were ever served, newest first: (exam, version, served from)."""

    home: Path | None
    versions: tuple[tuple[str, str, datetime], ...] = ()

    def at(self, exam_id: str, as_of: datetime) -> Served | None:
        """The model of an exam at an instant, so that the replay of a night reads what the night read."""
        then = [version for exam, version, since in self.versions if exam == exam_id and since <= as_of]
        return first_readable(self.home, then[:VERSIONS_TRIED])


async def line(s: ReadSession) -> Line:
    """The versions of all exams."""
    rows: Any = await s.driver().fetch(VERSIONS_SQL)
    return Line(s.home, tuple((row["exam_id"], row["version"], row["promoted_at"]) for row in rows))


def first_readable(home: Path | None, versions: Sequence[str]) -> Served | None:
    """The first of the versions, newest first, whose file may be served."""
    if home is None:
        return None
    for version in versions:
        try:
            return Served(version, _read(home, version))
        except (Refused, InvalidModelInput, OSError) as wrong:
            metrics.security_events.labels("model_refused").inc()
            log.error("model file %s is not served: %s", version, type(wrong).__name__)  # noqa: TRY400 - no trace
    return None


@lru_cache(maxsize=64)
def _read(home: Path, version: str) -> ExamModel:
    payload = unseal((home / FOLDER / f"{version}{SUFFIX}").read_bytes(), [own_key(home).public_key()])
    if version_of(payload) != version:
        raise Refused("The model file holds another version than its name says.")
    return exam_learned.decode(payload)


async def take_out_of_use(s: WriteSession) -> list[str]:
    """Empty the rows of superseded models that a learner was in who has been erased since; gives their versions.

    The newest of an exam stays: a fit without the learner is the one that supersedes it.
    """
    return [row["version"] for row in await s.driver().fetch(_SUPERSEDED)]


_SUPERSEDED = f"""
update models m set content = '{{}}'
 where m.task = '{EXAM}' and m.flagged_at is not null and m.content <> '{{}}'
   and exists (select from models n where n.task = m.task and n.content->>'exam_id' = m.content->>'exam_id'
                and n.promoted_at > m.promoted_at)
returning m.version
"""


def remove(home: Path, version: str) -> None:
    """Take a file away that nobody is to be served from again."""
    (home / FOLDER / f"{version}{SUFFIX}").unlink(missing_ok=True)
    forget()


def forget() -> None:
    """Read every file anew: one may have been replaced."""
    _read.cache_clear()


def version_of(payload: bytes) -> str:
    """The name of a model, which follows from what it holds: the same fit twice is one version."""
    return f"exam-{hashlib.sha256(payload).hexdigest()[:16]}"


async def store(s: WriteSession, home: Path, model: ExamModel, *, learners: int, rows: int) -> str:
    """Keep a fitted model and serve it from now on; gives its version. The same model again changes nothing.

    The file is written before the row that names it is committed: a crash leaves a file that nothing reads.
    """
    payload = exam_learned.encode(model)
    version = version_of(payload)
    write_whole(seal(payload, own_key(home)), home / FOLDER / f"{version}{SUFFIX}")
    content: Mapping[str, Any] = {
        "exam_id": model.exam_id, "file": f"{version}{SUFFIX}", "sha256": hashlib.sha256(payload).hexdigest(),
        "cut": model.cut, "source": model.source, "calibration": model.calibration.kind, "says": model.says,
    }  # fmt: skip
    until = datetime.combine(date.fromisoformat(model.trained_until), time(), UTC)
    fit = parameters.Fitted(EXAM, dict(content), until, learners, rows, dict(model.brier))
    return await parameters.store(s, fit, promote=True, version=version)
