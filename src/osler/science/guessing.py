"""How much is known behind a share right, when some of it can be guessed?

Source: correction for guessing, Lord 1980 (a lower asymptote of 1/options).
"""

from __future__ import annotations

from osler.errors import InvalidModelInput


def guess_floor(options: int) -> float:
    """The chance to be right by guessing: 1/options, and 0 for cards (no options).

    Errors: InvalidModelInput below 0 or at 1.
    """
    if options < 0 or options == 1:
        raise InvalidModelInput("An item has no options (a card) or at least two.", params={"options": options})
    return 1.0 / options if options else 0.0


def known_share(chance: float, floor: float) -> float:
    """The chance with guessing taken out, held inside 0 to 1: a learner at chance on five options has 0, not .2.

    >>> known_share(0.2, 0.2)
    0.0
    """
    return min(1.0, max(0.0, (chance - floor) / (1.0 - floor)))


def raw_share(known: float, floor: float) -> float:
    """The share right that belongs to a share known: the inverse of `known_share`."""
    return floor + known * (1.0 - floor)
