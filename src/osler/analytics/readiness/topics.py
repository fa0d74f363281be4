"""The topics of a blueprint as one learner knows them: a value each, or as columns, which the mathematics takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the blueprint for one learner, carried to the exam day.

    Units: `share` 0 to 1; `easiness` d_50 (median of the topic's items), `skill` m_k and `variance` v_k in logits;
    `guess` c = 1/options; `mastery` with bounds 0 to 1 (from the `mastery` analytic); `n` attempts.
    """

    topic_id: str
    share: float
    section: str
    easiness: float
    skill: float
    variance: float
    n: int
    mastery: float
    mastery_low: float
    mastery_high: float
    guess: float = 0.0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What an exam asks, in its own order: topics, their shares, and the section of each as a number. Shapes: (k,)."""

    topic_ids: tuple[str, ...]
    share: Floats
    sections: tuple[str, ...]
    section: Ints


def blueprint(topic_ids: Sequence[str], shares: Sequence[float], sections: Sequence[str]) -> Blueprint:
    """The blueprint of these topics; sections are numbered as they come up."""
    names = tuple(dict.fromkeys(sections))
    number = {name: i for i, name in enumerate(names)}
    return Blueprint(tuple(topic_ids), np.array(shares), names, np.array([number[s] for s in sections], dtype=np.int64))


def sums(group: Ints, values: npt.ArrayLike, count: int) -> Floats:
    """The sum of the values of each group, 0 for an empty one. Shapes: (n,), (n,); gives (count,)."""
    return np.asarray(np.bincount(group, values, count), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class TopicColumns(Sequence[TopicState]):
    """The topics of a learner as columns, all (k,) in the order of the blueprint; as a sequence, a value each."""

    asked: Blueprint
    easiness: Floats
    skill: Floats
    variance: Floats
    n: Ints
    mastery: Floats
    mastery_low: Floats
    mastery_high: Floats
    guess: Floats

    def __len__(self) -> int:
        return len(self.asked.topic_ids)

    @overload
    def __getitem__(self, index: int) -> TopicState: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TopicState]: ...
    def __getitem__(self, index: int | slice) -> TopicState | Sequence[TopicState]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return TopicState(
            self.asked.topic_ids[index],
            float(self.asked.share[index]),
            self.asked.sections[int(self.asked.section[index])],
            float(self.easiness[index]),
            float(self.skill[index]),
            float(self.variance[index]),
            int(self.n[index]),
            float(self.mastery[index]),
            float(self.mastery_low[index]),
            float(self.mastery_high[index]),
            float(self.guess[index]),
        )


def columns(topics: Sequence[TopicState]) -> TopicColumns:
    """The topics as columns: as they are, or made of values."""
    if isinstance(topics, TopicColumns):
        return topics
    return TopicColumns(
        asked=blueprint([t.topic_id for t in topics], [t.share for t in topics], [t.section for t in topics]),
        easiness=np.array([t.easiness for t in topics]),
        skill=np.array([t.skill for t in topics]),
        variance=np.array([t.variance for t in topics]),
        n=np.array([t.n for t in topics], dtype=np.int64),
        mastery=np.array([t.mastery for t in topics]),
        mastery_low=np.array([t.mastery_low for t in topics]),
        mastery_high=np.array([t.mastery_high for t in topics]),
        guess=np.array([t.guess for t in topics]),
    )
