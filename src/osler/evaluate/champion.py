"""Does a run keep a recorded champion's level? A report of today held against one of before, by learner."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate.bootstrap import Difference, Weight, paired_by_learner
from osler.evaluate.report import SERVED, Report


def against_champion(report: Report, champion: Path, *, weight: Weight, seed: int) -> Difference:
    """Osler now minus Osler as recorded, by learner: the gate passes where `high` is at most 0.

    `champion` is a JSON report of the same task on the same data.
    Errors: UnreadableSource for a file that is no report, InvalidInput for one of another task or other learners.
    """
    try:
        recorded = json.loads(champion.read_text())
        theirs: dict[str, dict[str, float]] = recorded["models"][SERVED]["by_learner"]
        task, data = str(recorded["task"]), str(recorded["data_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableSource(f"{champion.name} is not a report of osler evaluate: {error}") from error
    mine = report.models[SERVED].by_learner
    if (task, data) != (report.task, report.data_sha256) or set(theirs) != set(mine):
        raise InvalidInput(
            f"{champion.name} was recorded on another task, other data or other learners; record a champion anew."
        )
    names = sorted(mine)
    counts = [1 if weight == "learners" else int(mine[name]["n"] or 0) for name in names]
    learner = np.repeat(np.array(names), counts)
    return paired_by_learner(
        learner,
        np.repeat([float(mine[name]["log_loss"] or 0.0) for name in names], counts),
        np.repeat([float(theirs[name]["log_loss"]) for name in names], counts),
        seed=seed,
        weight=weight,
    )
