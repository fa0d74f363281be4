"""Under which numbers events are folded: a named, frozen set of parameters.

A refit makes a new version and a refold; it never edits a served forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log

START_VERSION = "start-1"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a fold needs beside the events.

    Without a fit every question has the easiness of the population mean: that is the model alone, and says so by its
    version. `question_easiness` and `topic_easiness` (medians by topic) are in logits, bigger is easier.
    """

    version: str
    question_mean: float = 0.65
    card_mean: float = 0.85
    question_easiness: Mapping[str, float] = field(default_factory=dict[str, float])
    topic_easiness: Mapping[str, float] = field(default_factory=dict[str, float])

    def of_question(self, question_id: str) -> float:
        """Easiness of a question in logits."""
        return self.question_easiness.get(question_id, _logit(self.question_mean))

    def of_card(self) -> float:
        """Easiness of a learner's own card in logits: cards have no population."""
        return _logit(self.card_mean)

    def of_topic(self, topic_id: str) -> float:
        """Median easiness of a topic's questions in logits."""
        return self.topic_easiness.get(topic_id, _logit(self.question_mean))


def _logit(p: float) -> float:
    return log(p / (1 - p))


START = Parameters(version=START_VERSION)
