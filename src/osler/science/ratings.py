"""Which rating is an answer worth? The grades of each source, mapped by that source's own scale.

Sources: SM-2's grades, Wozniak 1990; Anki's review log, ankitects/anki. What a choice is worth is this project's.
"""

from __future__ import annotations

from enum import StrEnum

from osler.errors import InvalidModelInput

DERIVATION_VERSION = "choice-1"  # stored with every rating derived from a multiple-choice answer

GUESS_AT_MOST = 1
SURE_AT_LEAST = 4
SLOW_TIMES_MEDIAN = 2.0
COST_CAP_SECONDS = 120.0

_RATING_OF_QUALITY = (1, 1, 1, 2, 3, 4)
_QUALITY_OF_RATING = (1, 3, 4, 5)


class Scale(StrEnum):
    """The scales that a source may grade by; the same number means different things on each."""

    RATING = "rating"  # 1 Again, 2 Hard, 3 Good, 4 Easy: Osler's own and Anki's buttons
    ANKI = "anki"  # the same, and 0 for a manual entry
    SUPERMEMO = "supermemo"  # 0 to 5; more are codes of SuperMemo, no grades
    QUALITY = "quality"  # SM-2's 0 to 5


class AnkiUse(StrEnum):
    """What a row of Anki's review log is good for."""

    REVIEW = "review"  # moves the memory
    CRAM = "cram"  # happened, but outside the schedule: moves no memory
    RESET = "reset"  # the card was set back to new: memory starts anew after it
    NONE = "none"  # an entry of the scheduler, no review


def rating_of_quality(quality: int) -> int:
    """The rating of an SM-2 quality: under 3 Again, 3 Hard, 4 Good, 5 Easy. Errors: InvalidModelInput."""
    if quality not in range(6):
        raise InvalidModelInput(f"A quality is an integer from 0 to 5, not {quality!r}.")
    return _RATING_OF_QUALITY[quality]


def quality_of_rating(rating: int) -> int:
    """The SM-2 quality of a rating: 1, 3, 4, 5 for Again, Hard, Good, Easy. Errors: InvalidModelInput."""
    if rating not in range(1, 5):
        raise InvalidModelInput(f"A rating is 1, 2, 3 or 4, not {rating!r}.")
    return _QUALITY_OF_RATING[rating - 1]


def rating_of(grade: int, scale: Scale) -> int | None:
    """The rating of a source's grade; None where the number is no grade on that scale (manual entry, code).

    Errors: InvalidModelInput for a number that the scale does not have: the scale is then the wrong one.
    """
    if scale is Scale.RATING and grade not in range(1, 5):
        raise InvalidModelInput(f"{grade!r} is no rating from 1 to 4; is the source graded on another scale?")
    if scale is Scale.ANKI and grade not in range(5):
        raise InvalidModelInput(f"{grade!r} is no button of Anki (0 to 4).")
    if grade < 0:
        raise InvalidModelInput(f"A grade is not negative, as {grade!r} is.")
    if scale in (Scale.RATING, Scale.ANKI):
        return grade or None
    if scale is Scale.SUPERMEMO and grade > 5:
        return None
    return rating_of_quality(grade)


def question_quality(
    *,
    correct: bool,
    is_blank: bool = False,
    changed_from_right: bool = False,
    confidence: int | None = None,
    seconds: float | None = None,
    median_seconds: float | None = None,
) -> int:
    """The SM-2 quality derived from a multiple-choice answer; never asked for.

    Wrong 1, but 0 where left blank or timed out and 2 where the right answer was changed away. Right 4, but 3 where
    marked as a guess or slower than twice the learner's median, 5 where marked sure and faster than the median.

    Units: `confidence` 1 (a guess) to 5 (certain) as stated by the learner (None: not stated); seconds; the learner's
    median seconds for that type of item (None: not yet known).
    """
    if not correct:
        return 0 if is_blank else 2 if changed_from_right else 1
    pace = seconds / median_seconds if seconds is not None and median_seconds else None
    if (confidence is not None and confidence <= GUESS_AT_MOST) or (pace is not None and pace > SLOW_TIMES_MEDIAN):
        return 3
    if confidence is not None and confidence >= SURE_AT_LEAST and pace is not None and pace < 1.0:
        return 5
    return 4


def anki_use(*, entry_type: int, ease: int, factor_permille: int) -> AnkiUse:
    """What a row of Anki's `revlog` is good for, by its type, button and factor.

    Types: 0 learn, 1 review, 2 relearn, 3 filtered, 4 manual, 5 rescheduled. Types 4 and 5 are never reviews.
    Errors: InvalidModelInput for a type that Anki does not have.
    """
    if entry_type not in range(6):
        raise InvalidModelInput(f"Anki's review log has the types 0 to 5, not {entry_type!r}.")
    if entry_type == 4 and factor_permille == 0:
        return AnkiUse.RESET
    if entry_type >= 4 or ease == 0:
        return AnkiUse.NONE
    return AnkiUse.CRAM if entry_type == 3 and factor_permille == 0 else AnkiUse.REVIEW


def anki_interval_seconds(interval: int) -> int:
    """Seconds of Anki's `ivl` and `lastIvl`: days where positive, seconds where negative."""
    return interval * 86_400 if interval > 0 else -interval


def review_cost_seconds(seconds: float) -> float:
    """What one review costs in a plan: its time, but at most two minutes."""
    return min(max(seconds, 0.0), COST_CAP_SECONDS)
