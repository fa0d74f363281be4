"""What is a usable review? The columns of a review file, checked row by row before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import UnreadableSource
from osler.science.ratings import Scale, quality_of_rating, rating_of

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Texts = npt.NDArray[Any]

SUPERMEMO_RATINGS = np.array([rating_of(g, Scale.SUPERMEMO) or 0 for g in range(6)], dtype=np.float64)
QUALITIES = np.array([quality_of_rating(g) for g in range(1, 5)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Reviews as (n,) columns; NaN where a number is not given. `line` is the line of `file` that a row came from.

    `rating` 1 to 4, `grade` SuperMemo's 0 to 5, `stated` another scheduler's forecast, `ts` epoch seconds, `day` the
    local day's number. `card` is text or numbers. `topic` is the card's topic or deck, "" where the source has none.
    """

    user: Texts
    card: Texts
    ts: Floats
    day: Floats
    rating: Floats
    grade: Floats
    stated: Floats
    topic: Texts
    line: npt.NDArray[np.int64]
    file: Texts

    def __len__(self) -> int:
        return int(self.ts.size)

    def take(self, rows: npt.NDArray[Any]) -> Rows:
        """The rows chosen by a mask or by numbers."""
        return Rows(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def joined(parts: Sequence[Rows]) -> Rows:
    """Several files as one; card ids stay numbers only where all files have numbers."""
    return Rows(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)})


def usable(rows: Rows, notes: list[str]) -> Rows:
    """The rows that are reviews with a grade, each (user, card, instant) once; what is left out goes to `notes`.

    Errors: UnreadableSource naming file and line of the first row that cannot be a review, or that repeats another
    one with other content (an answer expanded to one row a skill).
    """
    whole = np.isfinite(rows.day) & (np.floor(rows.day) == rows.day)
    graded = np.isfinite(rows.grade)
    ratings = np.isin(rows.rating, [0.0, 1.0, 2.0, 3.0, 4.0])
    _refuse(rows, ~np.isfinite(rows.ts), "has no instant (ts)")
    _refuse(rows, ~whole, "has no whole day number (day)")
    _refuse(rows, graded & ((rows.grade < 0) | (np.floor(rows.grade) != rows.grade)), "has a supermemo_grade below 0")
    _refuse(rows, ~graded & ~ratings, "has a rating that is none of 1, 2, 3, 4")
    _refuse(rows, np.isfinite(rows.stated) & ((rows.stated < 0) | (rows.stated > 1)), "has a p_sm15 outside 0 to 1")
    rows = _drop(rows, ~graded & (rows.rating == 0), "manual entries without a grade (rating 0)", notes)
    rows = _drop(rows, rows.grade > 5, "SuperMemo codes above 5, which are no grades", notes)
    return _graded(_once(rows, notes), notes)


def quality(rows: Rows) -> npt.NDArray[np.int64]:
    """SM-2's quality of each row: the SuperMemo grade where there is one, else from the rating."""
    from_rating = QUALITIES[rows.rating.astype(np.int64) - 1]
    return np.where(np.isfinite(rows.grade), rows.grade, from_rating).astype(np.int64)


def in_order(rows: Rows) -> Rows:
    """Sorted by user, then instant, then card."""
    return rows.take(np.lexsort((rows.card, rows.ts, rows.user)))


def days_gone_back(ordered: Rows) -> int:
    """How many reviews lie on an earlier local day than the item's last one; rows as `in_order` gives them."""
    by_card = ordered.take(np.lexsort((ordered.ts, ordered.card, ordered.user)))
    return int((_repeats(by_card, "user", "card")[1:] & (np.diff(by_card.day) < 0)).sum()) if len(ordered) else 0


def _graded(rows: Rows, notes: list[str]) -> Rows:
    graded = np.isfinite(rows.grade)
    mapped = SUPERMEMO_RATINGS[np.where(graded, rows.grade, 0.0).astype(np.int64)]
    differs = int((graded & np.isfinite(rows.rating) & (mapped != rows.rating)).sum())
    if differs:
        notes.append(f"{differs} ratings differ from what the SuperMemo scale gives; the grade decides.")
    columns = {f.name: getattr(rows, f.name) for f in fields(rows)}
    return Rows(**{**columns, "rating": np.where(graded, mapped, rows.rating)})


def _once(rows: Rows, notes: list[str]) -> Rows:
    if not len(rows):
        return rows
    order = np.lexsort((rows.line, rows.card, rows.ts, rows.user))
    ordered = rows.take(order)
    same_key = _repeats(ordered, "user", "card", "ts")
    identical = same_key & _repeats(ordered, "day", "rating", "grade", "stated", "topic")
    twice = np.zeros(len(rows), dtype=np.bool_)
    twice[order] = same_key & ~identical
    _refuse(rows, twice, "repeats a (user, card, ts) with other content; a review is one row, not one a skill")
    again = np.zeros(len(rows), dtype=np.bool_)
    again[order] = identical
    return _drop(rows, again, "repeated lines", notes)


def _repeats(ordered: Rows, *names: str) -> Mask:
    """Whether each row equals the one before it in these columns (two missing numbers are equal)."""
    equal = np.ones(len(ordered), dtype=np.bool_)
    equal[0] = False
    for name in names:
        column = getattr(ordered, name)
        here, before = column[1:], column[:-1]
        alike = here == before
        if column.dtype.kind == "f":
            alike |= np.isnan(here) & np.isnan(before)
        equal[1:] &= alike
    return equal


def _refuse(rows: Rows, bad: Mask, what: str) -> None:
    where = np.flatnonzero(bad)
    if where.size:
        first = where[0]
        raise UnreadableSource(f"{rows.file[first]}, line {rows.line[first]}: the row {what} ({where.size} such rows).")


def _drop(rows: Rows, out: Mask, what: str, notes: list[str]) -> Rows:
    count = int(out.sum())
    if count:
        notes.append(f"Left out: {count} {what}.")
    return rows.take(~out) if count else rows
