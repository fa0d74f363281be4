"""What changes in a simulated learner while they study: skills, cards, what was read and noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(slots=True)
class CardMemory:
    """The true memory of one card. `due` is what the learner's own scheduler says."""

    stability_days: float
    last: datetime
    due: date
    interval_days: int


@dataclass(slots=True)
class Progress:
    """What changes while the learner studies."""

    skills: dict[str, float]
    practised: dict[str, int] = field(default_factory=dict[str, int])
    cards: dict[str, CardMemory] = field(default_factory=dict[str, CardMemory])
    read: set[str] = field(default_factory=set[str])
    noted: set[str] = field(default_factory=set[str])
    readings: dict[str, list[tuple[date, str]]] = field(default_factory=dict[str, list[tuple[date, str]]])
    answers_since_break: int = 1 << 20

    def is_noted(self, topic_ids: Sequence[str], today: date) -> bool:
        """Whether the last material on these topics that was read 1 to 14 days ago has notes."""
        read = [one for topic in topic_ids for one in self.readings.get(topic, []) if 1 <= (today - one[0]).days <= 14]
        return bool(read) and max(read)[1] in self.noted
