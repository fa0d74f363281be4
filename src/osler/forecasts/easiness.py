"""How easy is each question for a learner who had no part in saying so? Counts of first attempts, kept by fold.

Learners fall into five folds by a hash of their pseudonym. Each is folded under the easiness that the other four gave,
in training, in the backtest and live alike: so no answer sits in the number that it is forecast with.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1, sqrt
from uuid import UUID

import msgspec
import numpy as np

from osler.errors import IntegrityBroken
from osler.science.item_easiness import FOLDS, Encoding, Tallies, fold_of, tallies

FOLD_NAME = "osler:fold:"


class Counts(msgspec.Struct, frozen=True):
    """First attempts as they are stored: by fold and item, right and in all; `item_topics` are pairs of places.

    Counts are whole numbers but for learners of very many answers, each of whose answers counts less.
    """

    items: tuple[str, ...]
    topics: tuple[str, ...]
    item_topics: tuple[tuple[int, int], ...]
    right: tuple[tuple[float, ...], ...]
    answers: tuple[tuple[float, ...], ...]


class Easiness:
    """The easiness of items and topics, from everybody and from all folds but one; made when first asked for."""

    def __init__(self, counts: Counts) -> None:
        """Errors: IntegrityBroken where the counts do not fit together."""
        shapes = {len(row) for row in (*counts.right, *counts.answers)}
        if {len(counts.right), len(counts.answers)} != {FOLDS} or shapes != {len(counts.items)}:
            raise IntegrityBroken("the stored counts of first attempts do not fit together", code="easiness.shape")
        self._counts = counts
        self._tallies: Tallies = tallies(
            np.array(counts.right, dtype=np.float64), np.array(counts.answers, dtype=np.float64),
            np.array(counts.item_topics, dtype=np.int64).reshape(-1, 2), topics=len(counts.topics),
        )  # fmt: skip
        self.everybody = self._tallies.encoding(counts.items, counts.topics)
        self.middling: Mapping[str, float] = self._tallies.median_easiness(counts.items, counts.topics, self.everybody)
        self.spread = _spread(self.everybody)
        self._without: dict[int, Encoding] = {}

    def of(self, user_id: UUID) -> Encoding:
        """What a learner is folded under: the easiness that the folds without them gave."""
        fold = fold_of(f"{FOLD_NAME}{user_id}")
        if fold not in self._without:
            counts = self._counts
            self._without[fold] = self._tallies.encoding(counts.items, counts.topics, leave_out=fold)
        return self._without[fold]


def _spread(encoding: Encoding) -> float:
    """How far questions lie from the easiness of their topics, in logits: root mean square, answers weighing."""
    known = [(prior.easiness - prior.topic_easiness, expm1(prior.log_answers)) for prior in encoding.items.values()]
    answers = sum(weight for _, weight in known)
    return sqrt(sum(weight * distance**2 for distance, weight in known) / answers) if answers > 0 else 0.0
