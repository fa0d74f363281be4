"""When to stop asking a store that is away, and when to try again."""

from __future__ import annotations

from dataclasses import dataclass

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 2.0


@dataclass(slots=True)
class Breaker:
    """Opens after five failures in a row; lets one try through every two seconds. Time is an argument."""

    failures: int = 0
    retry_at: float = 0.0

    def allows(self, at: float) -> bool:
        """Whether to ask the store now."""
        if self.failures < FAILURES_TO_OPEN:
            return True
        if at < self.retry_at:
            return False
        self.retry_at = at + OPEN_SECONDS
        return True

    def succeeded(self) -> None:
        """The store answered."""
        self.failures = 0

    def failed(self, at: float, *, is_certain: bool = False) -> None:
        """The store did not answer; `is_certain` when the connection was refused, which needs no second opinion."""
        self.failures = FAILURES_TO_OPEN if is_certain else self.failures + 1
        self.retry_at = at + OPEN_SECONDS
