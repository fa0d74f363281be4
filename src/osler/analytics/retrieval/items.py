"""How well are many items recalled, and when is each due? Items as columns, pure.

The values equal `model.recall` item by item (to 1e-12); reads, folds and the nightly job all come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import numpy.typing as npt

from osler.analytics.retrieval.model import SECONDS_PER_DAY, ItemMemory, has_own_memory
from osler.science import blend, fsrs_many, sbd
from osler.science.logits_many import logit_many, sigmoid_many

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DUE_CAP_DAYS = 365
_NO_STATE = blend.review(None, 0, 0.0, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Items:
    """Items as columns, in the order of their topic and key. Shapes: all (n,).

    `remembered` marks items with a memory of their own (`model.has_own_memory`).
    The columns of a memory mean something only where `known`: `last` is the last rating - 1, `last_s` epoch seconds,
    `last_day` the ordinal of a day. `whose` is the place of each item's parameters in `parameters`.
    """

    known: Bools
    remembered: Bools
    stability: Floats
    log_s: Floats
    last: Floats
    fails: Floats
    last_s: Floats
    last_day: Ints
    whose: Ints
    parameters: tuple[blend.Parameters, ...]

    def __len__(self) -> int:
        return int(self.known.size)


def columns(items: Sequence[tuple[str, ItemMemory]]) -> Items:
    """Items as columns, from (kind, memory) pairs."""
    known = np.array([m.state is not None for _, m in items], dtype=bool)
    states = [m.state or _NO_STATE for _, m in items]
    # By identity: all items of a learner share one value, and 28 numbers are not to be compared for each.
    places: dict[int, int] = {}
    whose = [places.setdefault(id(m.parameters), len(places)) for _, m in items]
    owners = {id(m.parameters): m.parameters for _, m in items}
    return Items(
        known=known,
        remembered=np.array([has_own_memory(kind, m) for kind, m in items], dtype=bool),
        stability=np.array([s.fsrs.stability for s in states], dtype=np.float64),
        log_s=np.array([s.sbd.log_s for s in states], dtype=np.float64),
        last=np.array([s.sbd.last for s in states], dtype=np.float64),
        fails=np.array([s.sbd.fails for s in states], dtype=np.float64),
        last_s=np.array([epoch_seconds(m.last_at) for _, m in items], dtype=np.float64),
        last_day=np.array(
            [0 if m.last_local_date is None else m.last_local_date.toordinal() for _, m in items], dtype=np.int64
        ),
        whose=np.array(whose, dtype=np.int64),
        parameters=tuple(owners[place] for place in places),
    )


def epoch_seconds(at: datetime | None) -> float:
    """Seconds since 1970; 0 for none."""
    return 0.0 if at is None else (at - EPOCH).total_seconds()


def recall_of(items: Items, at_s: Floats, day: Ints, bias: Floats) -> Floats:
    """The served chance of recall of each item. Shapes: (n,); values where not `known` mean nothing."""
    days = np.maximum(day - items.last_day, 0).astype(np.float64)
    real = np.maximum(at_s - items.last_s, 0.0) / SECONDS_PER_DAY
    return _served(items, days, real, bias)


def recall_after(items: Items, days: Floats, bias: Floats) -> Floats:
    """The served chance of recall whole local days after the last review. Shapes: (n,)."""
    return _served(items, days, days, bias)


def _served(items: Items, local_days: Floats, real_days: Floats, bias: Floats) -> Floats:
    if len(items.parameters) == 1:
        return sigmoid_many(_joint(items, items.parameters[0], local_days, real_days, np.s_[:]) + bias)
    joint = np.empty(len(items))
    for place, parameters in enumerate(items.parameters):
        rows = np.flatnonzero(items.whose == place)
        joint[rows] = _joint(items, parameters, local_days, real_days, rows)
    return sigmoid_many(joint + bias)


def _joint(
    items: Items, parameters: blend.Parameters, local_days: Floats, real_days: Floats, rows: Ints | slice
) -> Floats:
    """The joint logit of the rows of one learner, before the bias."""
    log_s, last, fails, days = items.log_s[rows], items.last[rows], items.fails[rows], local_days[rows]
    by_sbd = logit_many(sbd.recall_many(log_s, last, fails, real_days[rows], parameters=parameters.sbd)[1])
    by_fsrs = logit_many(fsrs_many.retrievability_many(items.stability[rows], days, weights=parameters.fsrs))
    return np.where(days >= 1.0, (by_sbd + by_fsrs) / 2.0, by_sbd)


def due_days(items: Items, bias: Floats, desired: Floats) -> Ints:
    """The last whole local day on which each item's recall still reaches the desired retention: 1 to 365 days.

    Bisection over whole days, so that curve and calendar agree. Shapes: (n,).
    """
    low = np.ones(len(items), dtype=np.int64)
    high = np.full(len(items), DUE_CAP_DAYS, dtype=np.int64)
    while bool(np.any(low < high)):
        middle = (low + high + 1) // 2
        enough = recall_after(items, middle.astype(np.float64), bias) >= desired
        low = np.where(enough, middle, low)
        high = np.where(enough, high, middle - 1)
    return low


def with_due_days(items: Sequence[tuple[str, ItemMemory]], bias: Floats, desired: float) -> list[ItemMemory]:
    """The memories of (kind, memory) pairs, each with the day on which it is due. `bias` has shape (n,)."""
    days: list[int] = due_days(columns(items), bias, np.full(len(items), desired)).tolist()
    return [
        msgspec.structs.replace(memory, due_on=memory.last_local_date and memory.last_local_date + timedelta(days=wait))
        for (_, memory), wait in zip(items, days, strict=True)
    ]
