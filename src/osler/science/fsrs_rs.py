"""Fits FSRS-6 with the package fsrs-rs-python, where the fitting extra is installed."""

# The package is compiled and optional.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import Misconfigured
from osler.science.fsrs import DEFAULTS, Weights

_package: Any = None  # compiled, with stubs that pyright cannot follow to a type
try:
    import fsrs_rs_python

    _package = fsrs_rs_python
except ImportError:  # the extra `osler[fit]` is not installed: fsrs_fit takes its place
    pass

AVAILABLE = _package is not None
LONGEST = 256  # reviews of one item: fsrs-rs reads no more of a history


def fit(
    item: npt.NDArray[np.int64],
    elapsed_days: npt.NDArray[np.float64],
    rating: npt.NDArray[np.int64],
    counted: npt.NDArray[np.bool_],
) -> Weights:
    """The weights that fsrs-rs fits, brought inside the bounds.

    Shapes: (n,) arrays in time order; each counted row becomes a training item with its whole history.
    Under 8 such rows fsrs-rs gives its defaults, under 64 it fits first stabilities only.
    Errors: Misconfigured where the extra is absent.
    """
    if _package is None:
        raise Misconfigured("Fitting with fsrs-rs needs the extra osler[fit].")
    known: dict[tuple[int, int], Any] = {}
    histories: defaultdict[int, list[Any]] = defaultdict(list)
    items: list[Any] = []
    rows = zip(item.tolist(), elapsed_days.tolist(), rating.tolist(), counted.tolist(), strict=True)
    for card, days, grade, counts in rows:
        key = (grade, int(days))
        if key not in known:
            known[key] = _package.FSRSReview(*key)
        history = histories[card]
        history.append(known[key])
        if counts and len(history) <= LONGEST:
            items.append(_package.FSRSItem(list(history)))
    return Weights.clipped(_package.FSRS(list(DEFAULTS)).compute_parameters(items))
