"""How long do due reviews take? One answer for every page that says it."""

from __future__ import annotations

SECONDS_PER_REVIEW = 12.0
"""Where the learner's own pace is not known yet."""

# The learner's own seconds for a review, as of the last night; a part of the statements that gather a page.
SECONDS_PART = """
(select m.seconds_per_review from user_learning_metrics m where m.user_id = me.user_id)
"""


def due_minutes(items: int, seconds_per_review: float | None) -> float:
    """Minutes that so many reviews take at the learner's own pace, else at the usual one."""
    return items * (seconds_per_review or SECONDS_PER_REVIEW) / 60.0
