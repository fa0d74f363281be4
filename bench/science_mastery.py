"""How fast is the mastery science, as ratios to a thing run beside it in the same process, on one core?

Each function gives `{"ratio", "runs", "beside", "target", …}`: the median of interleaved rounds, in processor time:
what waits for a processor on a busy machine is not slow.
Run alone: `python bench/science_mastery.py [--json]`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: a ratio to one thread
os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import statistics
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsrs as py_fsrs
import numpy as np
import numpy.typing as npt

from command import several
from osler.science import bkt, histories, irt, next_answer, next_answer_fit
from osler.science.features import NAMES, NEW_TOPIC, Answer
from osler.science.irt import AbilityState, SkillState
from osler.science.irt_many import fold_many
from osler.science.item_easiness import Encoding, ItemPrior
from osler.science.next_answer import Asked

ROUNDS = 7
ATTEMPTS = 5_000
NIGHT_LEARNERS, NIGHT_EACH = 2_000, 100
START = datetime(2024, 1, 1, tzinfo=UTC)
ENCODING = Encoding(0.65, {f"t{k}": 0.3 for k in range(60)}, {f"q{i}": ItemPrior(0.2, 0.3, 4.0) for i in range(3_000)})

Measure = dict[str, Any]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def answers(n: int = ATTEMPTS, seed: int = 0) -> list[Answer]:
    """A learner-year of answers: 3,000 questions on 60 topics."""
    rng = np.random.default_rng(seed)
    item, topic, right = rng.integers(0, 3_000, n), rng.integers(0, 60, n), rng.random(n) < 0.65
    return [
        Answer(f"q{i}", (f"t{k}",), bool(y), 1.7e9 + 3_000.0 * t)
        for t, (i, k, y) in enumerate(zip(item.tolist(), topic.tolist(), right.tolist(), strict=True))
    ]


def fsrs_reviews(n: int = ATTEMPTS) -> Callable[[], None]:
    """So many py-fsrs reviews, card by card, with ids: without them `Card()` sleeps a millisecond."""
    scheduler = py_fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    cards = [
        py_fsrs.Card(
            card_id=i, state=py_fsrs.State.Review, stability=10.0, difficulty=5.0, last_review=START, due=START
        )
        for i in range(n)
    ]
    at = START + timedelta(days=9)

    def run() -> None:
        for card in cards:
            scheduler.review_card(card, py_fsrs.Rating.Good, at)

    return run


def ratio(mine: Callable[[], object], other: Callable[[], object], n: int, n_beside: int, **said: Any) -> Measure:
    """How many times as fast one unit is as one unit of what runs beside it, in turns; processor time."""
    mine()
    other()
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        for run, kept in ((mine, ours), (other, theirs)):
            began = time.process_time()
            run()
            kept.append(time.process_time() - began)
    each = [(b / n_beside) / (a / n) for a, b in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(each), 2),
        "runs": [round(r, 2) for r in each],
        "us_each": round(statistics.median(ours) / n * 1e6, 2),
        "us_each_beside": round(statistics.median(theirs) / n_beside * 1e6, 2),
        **said,
    }


def live_update() -> Measure:
    """Ability, skill and the 24 features of one attempt, pure Python, against py-fsrs `review_card`."""
    year = answers()
    return ratio(
        lambda: histories.fold(histories.initial(), year, ENCODING, trace=deque(maxlen=1)), fsrs_reviews(),
        ATTEMPTS, ATTEMPTS, beside="py-fsrs review_card", target=1.0,
    )  # fmt: skip


def mastery_update() -> Measure:
    """One online item response update, against two py-fsrs reviews (no dearer: at least 1)."""
    ability, skills = AbilityState(), [SkillState()]

    def mine() -> None:
        for _ in range(ATTEMPTS):
            irt.update(ability, skills, easiness=0.2, correct=True)

    return ratio(
        mine, fsrs_reviews(), ATTEMPTS, ATTEMPTS // 2, beside="two py-fsrs review_card", target=1.0,
    )  # fmt: skip


def nightly_refold() -> Measure:
    """Item response of many learners at once, per event, against the live update one by one."""
    rng = np.random.default_rng(0)
    n = NIGHT_LEARNERS * NIGHT_EACH
    learner = np.repeat(np.arange(NIGHT_LEARNERS), NIGHT_EACH)
    topics, easiness = rng.integers(0, 60, (n, 1)), rng.normal(size=n)
    correct, weight = (rng.random(n) < 0.65).astype(np.float64), np.ones(n)
    year = answers()

    def mine() -> None:
        fold_many(learner, topics, easiness, correct, weight, learners=NIGHT_LEARNERS, topic_count=60)

    def beside() -> None:
        histories.fold(histories.initial(), year, ENCODING)

    return ratio(mine, beside, n, ATTEMPTS, beside="live update, one by one", target=10.0)


def learner_year() -> Measure:
    """Processor seconds to refold 5,000 attempts with their features (at most .25)."""
    year = answers()
    runs: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        histories.fold(histories.initial(), year, ENCODING, trace=[])
        runs.append(time.process_time() - began)
    return {"seconds": round(statistics.median(runs), 4), "runs": [round(r, 4) for r in runs], "target_at_most": 0.25}


def million_attempts() -> Measure:
    """Processor seconds to replay a million attempts of 200 learners through the live fold (under 30)."""
    year = answers()
    began = time.process_time()
    for _ in range(200):
        histories.fold(histories.initial(), year, ENCODING)
    return {"seconds": round(time.process_time() - began, 2), "target_at_most": 30.0}


BKT_ANSWERS, BKT_LEARNERS, BKT_SKILLS = 10_000, 100, 10
HOW_TO_PYBKT = (
    "pyBKT is not installed: make an environment with `pip install pyBKT 'scikit-learn<1.6' 'numpy<2'` (it does not "
    "import beside a newer scikit-learn) and name its Python in OSLER_PYBKT_PYTHON"
)
PYBKT = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from pyBKT.models import Model
rows = np.load(sys.argv[1])
table = pd.DataFrame({"order_id": np.arange(rows["learner"].size), "user_id": rows["learner"],
                      "skill_name": rows["skill"].astype(str), "correct": rows["correct"].astype(int)})
model = Model(seed=0, num_fits=1, parallel=False)
began = time.process_time()
model.fit(data=table)
print(json.dumps(time.process_time() - began))
"""


def bkt_answers(seed: int = 0) -> tuple[Ints, Ints, Floats]:
    """(learner, skill, right) of learners who learn by the very model: prior .3, learn .15, guess .2, slip .1."""
    rng = np.random.default_rng(seed)
    learner = np.repeat(np.arange(BKT_LEARNERS), BKT_ANSWERS // BKT_LEARNERS)
    skill, correct = rng.integers(0, BKT_SKILLS, BKT_ANSWERS), np.zeros(BKT_ANSWERS)
    known: dict[tuple[int, int], bool] = {}
    for row, place in enumerate(zip(learner.tolist(), skill.tolist(), strict=True)):
        knows = known.setdefault(place, bool(rng.random() < 0.3))
        correct[row] = rng.random() < (0.9 if knows else 0.2)
        known[place] = knows or bool(rng.random() < 0.15)
    return learner, skill, correct


def bkt_fit() -> Measure:
    """Knowledge tracing on the same answers, against pyBKT with one start in an environment of its own."""
    python = os.environ.get("OSLER_PYBKT_PYTHON")
    if python is None:
        return {"not_run": HOW_TO_PYBKT, "target": 30.0}
    learner, skill, correct = bkt_answers()
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.npz"
        np.savez(path, learner=learner, skill=skill, correct=correct)
        told = subprocess.run([python, "-c", PYBKT, str(path)], capture_output=True, text=True, check=True)
    theirs = json.loads(told.stdout)
    for _ in range(ROUNDS):
        began = time.process_time()
        bkt.fit(learner, skill, correct, skills=BKT_SKILLS)
        ours.append(time.process_time() - began)
    mine = statistics.median(ours)
    return {
        "ratio": round(theirs / mine, 1), "seconds": round(mine, 4), "seconds_beside": round(theirs, 2),
        "beside": f"pyBKT, one start, the same {BKT_ANSWERS} answers", "target": 30.0,
    }  # fmt: skip


def blend_forecast() -> Measure:
    """The forecast of one answer by the blend (a dot product, 200 trees), beside one py-fsrs review. Not an update."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2_000, len(NAMES)))
    asked = [Asked(row, f"q{i % 50}", [("t0", NEW_TOPIC)]) for i, row in enumerate(rows.tolist())]
    found = next_answer_fit.collected(asked, (rows[:, 0] + rng.normal(size=2_000) > 0).tolist())
    model = next_answer_fit.fit(found.rows, found.items, found.topics)
    return ratio(
        lambda: [next_answer.predict(model, *one) for one in asked], fsrs_reviews(), len(asked), ATTEMPTS,
        beside="py-fsrs review_card", target=None,
    )  # fmt: skip


BENCHES: dict[str, Callable[[], Measure]] = {
    bench.__name__: bench
    for bench in (live_update, mastery_update, nightly_refold, learner_year, million_attempts, blend_forecast, bkt_fit)
}


if __name__ == "__main__":
    several(BENCHES, __doc__)
