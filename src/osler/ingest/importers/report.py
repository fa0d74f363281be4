"""What an import took, and what it did not and why. Every source record is counted exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from osler.domain.outcomes import Status
from osler.ingest.work import Outcome

# A record of several events is what the worst of them is: nothing that failed hides behind what was stored.
_WORST_FIRST = (Status.RETRY, Status.REJECTED, Status.REFUSED, Status.CONFLICT, Status.ACCEPTED, Status.DUPLICATE)


@dataclass(slots=True)
class ImportReport:
    """Counts source records; `events` counts the events made of them.

    `read` = accepted + duplicate + conflict + retry + the sums of `rejected`, `refused`, `skipped` and `merged`.
    """

    source: str
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    retry: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    skipped: Counter[str] = field(default_factory=Counter[str])
    merged: Counter[str] = field(default_factory=Counter[str])
    events: int = 0
    outcomes: int = 0
    learners: int = 0
    shifted_days: int = 0
    notes: list[str] = field(default_factory=list[str])

    def settle(self, answers: Sequence[Outcome], n: int) -> None:
        """Count a record by what became of its events."""
        worst = min(answers, key=lambda answer: _WORST_FIRST.index(answer.status))
        code = worst.code.value if worst.code else worst.status.value
        match worst.status:
            case Status.ACCEPTED:
                self.accepted += n
            case Status.DUPLICATE:
                self.duplicate += n
            case Status.CONFLICT:
                self.conflict += n
            case Status.RETRY:
                self.retry += n
            case Status.REJECTED:
                self.rejected[code] += n
            case Status.REFUSED:
                self.refused[code] += n

    @property
    def adds_up(self) -> bool:
        """Whether every record that was read is accounted for."""
        named = self.rejected.total() + self.refused.total() + self.skipped.total() + self.merged.total()
        return self.read == self.accepted + self.duplicate + self.conflict + self.retry + named

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "source": self.source,
            "read": self.read,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "conflict": self.conflict,
            "retry": self.retry,
            "rejected": dict(self.rejected),
            "refused": dict(self.refused),
            "skipped": dict(self.skipped),
            "merged": dict(self.merged),
            "events": self.events,
            "outcomes": self.outcomes,
            "learners": self.learners,
            "shifted_days": self.shifted_days,
            "notes": self.notes,
        }
