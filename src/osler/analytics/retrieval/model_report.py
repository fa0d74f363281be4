"""Whose parameters forecast a learner's recall, what was decided at the last fit, and how the forecasts did. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from osler.science import blend
from osler.science.logits import sigmoid
from osler.science.memory_fit import MIN_REVIEWS

POPULATION, OWN = "population", "own"


def model_report(fit: Mapping[str, Any] | None, guard: Mapping[str, Any] | None) -> dict[str, Any]:
    """The report from a learner's row of memory_parameters, None before a fit, and the guard of their state."""
    known: Mapping[str, Any] = fit or {}
    verdicts = {"fsrs": known.get("fsrs_verdict"), "sbd": known.get("sbd_verdict")}
    is_own = bool(known) and (tuple(known["weights"]), tuple(known["sbd"])) != _OF_POPULATION
    reviews: int = guard["n"] if guard else 0
    return {
        "version": known.get("version"),
        "source": OWN if is_own else POPULATION,
        **verdicts,
        "fitted_to": known.get("reviews", 0),
        "fitted_until": known.get("fitted_on"),
        "next_day_reviews": reviews,
        "weight_of_model": sigmoid(guard["advantage"]) if guard else 0.5,
        "says": _says(known, verdicts, reviews, is_own=is_own),
    }


_OF_POPULATION = (blend.POPULATION.fsrs.values, tuple(blend.POPULATION.sbd))


def _says(known: Mapping[str, Any], verdicts: Mapping[str, str | None], reviews: int, *, is_own: bool) -> str:
    if not known:
        so_far = f"{reviews} next-day reviews so far"
        return f"The population's parameters serve: own ones are fitted from {MIN_REVIEWS} on; {so_far}."
    won = [name for name, key in (("FSRS-6", "fsrs"), ("SBD", "sbd")) if verdicts[key] == "accepted"]
    if not won and is_own:
        return "Parameters fitted before older reviews left the log serve on: newer ones did not forecast better."
    if not won:
        return "The population's parameters serve: own ones did not forecast the newest reviews better."
    return f"Own parameters serve for {' and '.join(won)}: they forecast the newest fifth of the reviews better."
