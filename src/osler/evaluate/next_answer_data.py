"""What did learners answer, in which order? Answers as arrays, each once, and refused where they would mislead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate.groups import Labels, stated
from osler.evaluate.next_answer_logs import Row
from osler.evaluate.next_answer_sources import is_log, rows_of_file

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

EXPANDED_SHARE = 0.001
MIN_TO_SEE_DOUBLE = 10
LOG = "osler"  # the name that folds are drawn with, in a log and where it is served


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers in order of learner, then time; codes from 0 into the tuples of names.

    Shapes: `learner`, `item`, `topic_set`, `correct`, `at` (n,). `at` is epoch seconds, NaN where only the order is
    known. `topic_sets` are tuples of topic codes. `dropped` counts rows left out, by reason. `is_card` (n,) marks
    reviews of cards, which are folded, and neither forecast nor learnt from. `labels` say who is in which cohort or
    group, where the source does.
    """

    dataset: str
    learner: Ints
    item: Ints
    topic_set: Ints
    correct: Floats
    at: Floats
    learners: tuple[str, ...]
    items: tuple[str, ...]
    topics: tuple[str, ...]
    topic_sets: tuple[tuple[int, ...], ...]
    is_log: bool
    dropped: dict[str, int]
    is_card: npt.NDArray[np.bool_]
    labels: Labels = field(default_factory=dict[str, dict[str, str]])

    @property
    def has_time(self) -> bool:
        """Whether every answer has an instant."""
        return bool(np.isfinite(self.at).all())

    def bounds(self) -> Ints:
        """The row at which each learner begins, and the end."""
        begins = np.flatnonzero(np.diff(self.learner, prepend=-1) != 0)
        return np.append(begins, self.learner.size).astype(np.int64)

    def is_first(self) -> npt.NDArray[np.bool_]:
        """Whether a row is the learner's first answer to its item."""
        _, first = np.unique(self.learner * len(self.items) + self.item, return_index=True)
        mark = np.zeros(self.learner.size, dtype=bool)
        mark[first] = True
        return mark

    def item_topics(self) -> Ints:
        """Pairs (question, topic), each once."""
        asked = ~self.is_card
        both_of = np.column_stack([self.item[asked], self.topic_set[asked]])
        pairs: list[tuple[int, int]] = np.unique(both_of, axis=0).tolist()
        both = {(item, topic) for item, group in pairs for topic in self.topic_sets[group]}
        return np.array(sorted(both), dtype=np.int64).reshape(-1, 2)

    def prior_counts(self) -> tuple[Ints, Ints]:
        """(answers before this one by the same learner, the same on its topics' set) for each row."""
        begins = self.bounds()[:-1]
        return np.arange(self.learner.size) - begins[self.learner], occurrences(self.learner, self.topic_set)


def occurrences(*keys: Ints) -> Ints:
    """How often each row's combination of keys has stood in a row before it."""
    combined = np.column_stack(keys)
    _, code = np.unique(combined, axis=0, return_inverse=True)
    code = np.ravel(code)
    order = np.argsort(code, kind="stable")
    sorted_code = code[order]
    begins = np.flatnonzero(np.diff(sorted_code, prepend=-1) != 0)
    sizes = np.diff(np.append(begins, code.size))
    counted = np.empty(code.size, dtype=np.int64)
    counted[order] = np.arange(code.size) - np.repeat(begins, sizes)
    return counted


def dataset_name(path: Path) -> str:
    """The name that splits are drawn with: the file's, up to its first underscore or dot.

    >>> dataset_name(Path("assist09_interactions.csv.zst"))
    'assist09'
    """
    return re.split(r"[_.]", path.name)[0]


def read(path: Path, as_of: date | None = None) -> Answers:
    """The answers of a file. Answers after the day `as_of` are left out.

    Errors: UnreadableSource, naming the row, for a file that cannot be read, and for one whose answers were expanded
    to a row for each skill or stand there twice (it would show each answer before it is asked for); InvalidInput for
    `as_of` without dates.
    """
    rows = rows_of_file(path)
    if not rows:
        raise UnreadableSource(f"{path.name} holds no graded answers.")
    # A log's rows are in the order of the fold already.
    rows, dropped = _distinct(rows if is_log(path) else _in_order(rows), path.name)
    _refuse_doubled(rows, path.name)
    if as_of is not None:
        kept = _until(rows, as_of)
        dropped["after as-of"] = len(rows) - len(kept)
        rows = kept
    return coded(rows, LOG if is_log(path) else dataset_name(path), is_log=is_log(path), dropped=dropped)


def _in_order(rows: list[Row]) -> list[Row]:
    """By learner in order of appearance, then by instant or order number where there is one, else as they stood."""
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row.learner, len(first))

    def key(row: Row) -> tuple[int, float, float]:
        order = float(row.order) if row.order.isdigit() else 0.0
        return first[row.learner], 0.0 if isnan(row.at) else row.at, order

    return sorted(rows, key=key)


def _distinct(rows: list[Row], name: str) -> tuple[list[Row], dict[str, int]]:
    """Without resent rows. Errors: UnreadableSource where answers were expanded to one row per skill."""
    kept: list[Row] = []
    resent = expanded = 0
    seen = _Seen()
    for row in rows:
        twin = seen.twin(row)
        if twin is None:
            kept.append(row)
            seen.add(row)
        elif twin.topics == row.topics or twin.correct != row.correct:
            resent += 1
        else:
            expanded += 1
    if expanded > EXPANDED_SHARE * len(rows):
        raise UnreadableSource(
            f"{name}: {expanded} of {len(rows)} rows repeat an answer under another skill. "
            "Give one row an answer, its skills in one cell (1;2): otherwise the answer stands in another row already.",
            code="source.expanded",
        )
    return kept, {"resent": resent, "repeated under another skill": expanded}


class _Seen:
    """The answers so far, found again by what makes a row the same answer.

    That is the order number, or the instant where there is none. Under another skill it is the instant whatever the
    numbers (they may count rows), and without instants any like answer of the learner's to the item: what an item is
    about does not change from one try to the next.
    """

    def __init__(self) -> None:
        self._by: dict[tuple[str, str, str | float | None], list[Row]] = {}

    def twin(self, row: Row) -> Row | None:
        """The row that is this answer already."""
        instant = _instant(row)
        surest = row.order or instant
        same_try = self._by.get((row.learner, row.item, surest)) if surest is not None else None
        if same_try:
            return same_try[0]
        for other in self._by.get((row.learner, row.item, instant), ()):
            if other.topics != row.topics and other.correct == row.correct:
                return other
        return None

    def add(self, row: Row) -> None:
        """Remember a row that is kept."""
        for place in {row.order or None, _instant(row)}:
            self._by.setdefault((row.learner, row.item, place), []).append(row)


def _refuse_doubled(rows: list[Row], name: str) -> None:
    """Without instants an answer that is written twice looks like a second try, and stands in another row already.

    Errors: UnreadableSource where most learners' answers are the same ones twice over, one by one or all of them.
    """
    own: dict[str, list[tuple[str, float, tuple[str, ...]]]] = {}
    for row in rows:
        if row.order or _instant(row) is not None:
            return
        own.setdefault(row.learner, []).append((row.item, row.correct, row.topics))
    long = [given for given in own.values() if len(given) >= MIN_TO_SEE_DOUBLE]
    doubled = [given for given in long if given[::2] == given[1::2] or given == given[: len(given) // 2] * 2]
    if len(doubled) > len(long) / 2:
        raise UnreadableSource(
            f"{name}: of {len(long)} learners {len(doubled)} gave each answer twice in the same order. "
            "Give each answer once, or an instant with it.",
            code="source.doubled",
        )


def _instant(row: Row) -> float | None:
    return None if isnan(row.at) else row.at


def _until(rows: list[Row], as_of: date) -> list[Row]:
    if any(isnan(row.at) for row in rows):
        raise InvalidInput("These answers carry no dates, so as-of cannot cut them.")
    end = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC) + timedelta(days=1)
    return [row for row in rows if row.at < end.timestamp()]


def coded(rows: list[Row], dataset: str, *, is_log: bool, dropped: dict[str, int]) -> Answers:
    """Rows in order of learner, then time, as arrays."""
    learners, learner = _codes([row.learner for row in rows])
    items, item = _codes([row.item for row in rows])
    topics, _ = _codes([topic for row in rows for topic in row.topics])
    code = {name: i for i, name in enumerate(topics)}
    sets, topic_set = _codes([tuple(sorted(code[topic] for topic in row.topics)) for row in rows])
    return Answers(
        dataset, learner, item, topic_set,
        np.array([row.correct for row in rows]), np.array([row.at for row in rows]),
        tuple(learners), tuple(items), tuple(topics), tuple(sets), is_log, dropped,
        np.array([row.is_card for row in rows], dtype=np.bool_),
        stated({
            "cohort": [(row.learner, row.cohort) for row in rows if row.cohort],
            "group": [(row.learner, row.group) for row in rows if row.group],
        }),
    )  # fmt: skip


def _codes(values: list[Any]) -> tuple[list[Any], Ints]:
    code: dict[Any, int] = {}
    numbers = [code.setdefault(value, len(code)) for value in values]
    return list(code), np.array(numbers, dtype=np.int64)
