"""Which reviews are there? Reads review files, Osler's own log and Anki collections into one history a learner."""

# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from osler.errors import UnreadableSource
from osler.evaluate import groups
from osler.evaluate.metrics import rows_by_learner
from osler.evaluate.recall_logs import read_anki, read_log
from osler.evaluate.recall_rows import Rows, Texts, days_gone_back, in_order, joined, quality, usable
from osler.science.memory_fit import History, history_of
from osler.science.ratings import Scale

REQUIRED = ("user", "card", "ts")
NUMBERS = {"ts": "ts", "day": "day", "rating": "rating", "supermemo_grade": "grade", "p_sm15": "stated"}
TABLES = (".csv", ".csv.zst", ".csv.gz")
LOGS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson")
ANKI = (".anki2", ".anki21")
TOPICS = ("topic", "topic_id", "deck")
LABELS = [*TOPICS, *(name for names in groups.COLUMNS.values() for name in names)]
DAY_START_SECONDS = 4 * 3600
NO_SECONDS = 1e11  # of the year 5138: whatever is larger counts milliseconds

Said = dict[str, list[tuple[str, str]]]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LearnerReviews:
    """One learner's reviews in time order: (n,) arrays.

    `quality` is SM-2's 0 to 5 (as given on a SuperMemo scale, else from the rating); `stated` is another scheduler's
    own forecast, NaN where it gave none; `local_day` is the number of the local day; `topic` is the item's topic or
    deck, "" where none is stated.
    """

    user: str
    history: History
    local_day: Ints
    quality: Ints
    stated: Floats
    topic: Texts
    scale: Scale


@dataclass(frozen=True, slots=True)
class RecallData:
    """All learners of a data set, what was left out of it and why, and who is said to be in which cohort or group."""

    learners: Sequence[LearnerReviews]
    notes: Sequence[str] = field(default_factory=tuple[str, ...])
    labels: groups.Labels = field(default_factory=dict[str, dict[str, str]])

    @property
    def reviews(self) -> int:
        """How many reviews were read."""
        return sum(learner.history.rating.size for learner in self.learners)


def read(path: Path, *, as_of: date | None = None) -> RecallData:
    """The reviews of a file, or of all readable files of a folder.

    Tables have the columns user, card, ts (epoch seconds or milliseconds), day (local day number), rating (1 to 4), and
    where known supermemo_grade (0 to 5, then the rating follows from it) and p_sm15; a topic (or deck), a cohort and a
    group are no features; other columns are not read. Logs are Osler's own, collections are Anki's. Reviews after
    `as_of` (UTC) are left out.
    Errors: UnreadableSource naming file, column and line for anything that cannot be used.
    """
    notes: list[str] = []
    said: Said = {kind: [] for kind in groups.COLUMNS}
    rows = usable(joined([_rows(file, notes, said) for file in _files(path)]), notes)
    if as_of is not None:
        end = (datetime.combine(as_of, datetime.min.time(), UTC) + timedelta(days=1)).timestamp()
        rows = rows.take(rows.ts < end)
    if not len(rows):
        raise UnreadableSource(f"{path.name} holds no review that can be used.")
    ordered = in_order(rows)
    if back := days_gone_back(ordered):
        notes.append(f"{back} reviews have a day before that of the item's last one: they count as on the same day.")
    return RecallData(
        [_learner(user, ordered.take(mine)) for user, mine in rows_by_learner(ordered.user).items()],
        tuple(notes),
        groups.stated(said),
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.name.endswith((*TABLES, *LOGS, *ANKI)))
    if not found:
        raise UnreadableSource(f"The folder {path.name} holds no table, log or collection.")
    return found


def _rows(file: Path, notes: list[str], said: Said) -> Rows:
    if file.name.endswith(LOGS):
        return read_log(file, notes, said["cohort"])
    if file.name.endswith(ANKI):
        return read_anki(file, notes)
    try:
        table: pd.DataFrame = pd.read_csv(file, dtype=dict.fromkeys(LABELS, "str"))
    except (OSError, ValueError) as error:
        raise UnreadableSource(f"{file.name} cannot be read as a table: {error}") from error
    missing = [name for name in REQUIRED if name not in table]
    if not {"rating", "supermemo_grade"} & set(table):
        missing.append("rating")
    if missing:
        raise UnreadableSource(f"{file.name} lacks the columns {', '.join(missing)}.")
    users = table["user"].astype(str).tolist()
    for kind, names in groups.COLUMNS.items():
        for name in [name for name in names if name in table][:1]:
            said[kind].extend((user, value) for user, value in zip(users, table[name], strict=True) if pd.notna(value))
    return _columns(table, file, notes)


def _columns(table: pd.DataFrame, file: Path, notes: list[str]) -> Rows:
    size = int(table.shape[0])
    for name in ("user", "card"):
        bad = np.flatnonzero(np.asarray(table[name].isna()))
        if bad.size:
            raise UnreadableSource(f"{file.name}, line {int(bad[0]) + 2}: no {name} ({bad.size} such lines).")
    numbers = {key: _numbers(table, name, file, size) for name, key in NUMBERS.items()}
    is_milli = numbers["ts"] > NO_SECONDS
    if is_milli.any():
        notes.append(f"{file.name}: {int(is_milli.sum())} instants (ts) are taken as milliseconds, not seconds.")
        numbers["ts"] = np.where(is_milli, numbers["ts"] / 1000.0, numbers["ts"])
    if "day" not in table:
        notes.append(f"{file.name} has no day: local days start at 04:00 UTC.")
        numbers["day"] = np.floor((numbers["ts"] - DAY_START_SECONDS) / 86_400.0)
    card = np.asarray(table["card"])
    return Rows(
        user=np.asarray(table["user"].astype(str), dtype=np.str_),
        card=card if card.dtype.kind in "iu" else np.asarray(table["card"].astype(str), dtype=np.str_),
        topic=_topics(table, size),
        line=np.arange(size, dtype=np.int64) + 2,
        file=np.full(size, file.name),
        **numbers,
    )


def _topics(table: pd.DataFrame, size: int) -> Texts:
    """The first column of those that may name a topic; a row without one has ""."""
    for name in TOPICS:
        if name in table:
            return np.asarray(table[name].fillna(""), dtype=np.str_)
    return np.full(size, "", dtype=np.str_)


def _numbers(table: pd.DataFrame, name: str, file: Path, size: int) -> Floats:
    if name not in table:
        return np.full(size, np.nan)
    numbers = np.asarray(pd.to_numeric(table[name], errors="coerce"), dtype=np.float64)
    bad = np.flatnonzero(np.isnan(numbers) & np.asarray(table[name].notna()))
    if bad.size:
        raise UnreadableSource(f"{file.name}, line {int(bad[0]) + 2}: {name} is no number ({bad.size} such lines).")
    return numbers


def _learner(user: str, rows: Rows) -> LearnerReviews:
    day, rating = rows.day.astype(np.int64), rows.rating.astype(np.int64)
    return LearnerReviews(
        user=user,
        history=history_of(rows.card, rows.ts, day, rating),
        local_day=day,
        quality=quality(rows),
        stated=rows.stated,
        topic=rows.topic,
        scale=Scale.SUPERMEMO if bool(np.isfinite(rows.grade).any()) else Scale.RATING,
    )
