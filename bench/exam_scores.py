"""How near do forecasts of an exam's score come on learners of known truth? `python -m bench.exam_scores`.

Simulated learners study, then sit an exam of fresh questions drawn by its blueprint. Their log, in the form that
`osler export` writes, goes through `osler evaluate --task exam`. The simulator's truth is none of Osler's models; it is
no real exam either. Seeds 101 and 102 were looked at while the model was made: figures are those of others.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from osler.evaluate import exam
from osler.evaluate.protocol import silent
from osler.simulate.bank import OPTIONS, Bank, make_bank
from osler.simulate.learner import SimLearner
from osler.simulate.truth import chance_correct

SEEDS = (1, 2, 3)
FIRST_EXAM = date(2026, 1, 10)
EXAM = "board"
DIFFICULTY_SPREAD = 0.9
KEPT = frozenset({"question_submit", "session_start", "session_end"})
FIGURES = ("n", "r", "mae_points", "bias_points", "interval_coverage", "interval_width_points", "reaches_target")


@dataclass(frozen=True, slots=True)
class Sittings:
    """A class before its exams: learners in turn over `exam_days` a week apart, each after `days` of study."""

    seed: int
    learners: int
    topics: int = 40
    days: int = 100
    density: float = 0.7
    questions: int = 200
    exam_days: int = 8
    cut: float = 0.7

    @property
    def names(self) -> tuple[str, ...]:
        """The topics."""
        return tuple(f"t{n:02d}" for n in range(self.topics))

    def shares(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The blueprint, in the order of the topics."""
        return np.random.default_rng([self.seed, 0xE8A]).dirichlet(np.full(self.topics, 4.0))


def log_lines(plan: Sittings) -> Iterator[dict[str, Any]]:
    """Everything that an export of these learners would hold and the exam task reads."""
    bank, shares = make_bank(plan.names, plan.seed), plan.shares()
    yield {"export": "osler", "form": 2, "whose": "everybody"}
    yield from _catalogue(plan, bank, shares)
    for index in range(plan.learners):
        yield from _learner(plan, bank, shares, index)


def _catalogue(plan: Sittings, bank: Bank, shares: Any) -> Iterator[dict[str, Any]]:
    exam_row = {"exam_id": EXAM, "name": "Board", "question_count": plan.questions, "cut": plan.cut}
    yield {"catalogue": "exams", "row": exam_row}
    for name, share in zip(plan.names, shares.tolist(), strict=True):
        yield {"catalogue": "topics", "row": {"topic_id": name, "name": name, "parent_id": None}}
        part = {"exam_id": EXAM, "topic_id": name, "section": name, "exam_share": share}
        yield {"catalogue": "exam_blueprint", "row": part}
        for question in bank.questions[name]:
            row = {"question_id": question.question_id, "topic_ids": list(question.topic_ids)}
            yield {"catalogue": "questions", "row": {**row, "option_count": len(OPTIONS)}}


def _learner(plan: Sittings, bank: Bank, shares: Any, index: int) -> Iterator[dict[str, Any]]:
    exam_on = FIRST_EXAM + timedelta(days=7 * (index % plan.exam_days))
    learner, who = SimLearner(index, plan.seed, bank, density=plan.density), f"u{index}"
    events = learner.study(exam_on - timedelta(days=plan.days), plan.days, datetime.combine(exam_on, time(), UTC))
    score = sitting(plan, learner, shares)
    yield {"table": "users", "row": {"user_id": who, "time_zone": learner.truth.habits.zone, "day_start_minutes": 240}}
    result = {"user_id": who, "exam_id": EXAM, "exam_on": exam_on.isoformat(), "score": score}
    yield {"table": "exam_outcomes", "row": {**result, "passed": score >= plan.cut}}
    keys = {q.question_id: q.key for each in bank.questions.values() for q in each}
    for event in events:
        if event["type"] in KEPT:
            data = event["data"]
            graded = {"is_correct": data["answer"] == [keys[data["question_id"]]]} if "answer" in data else {}
            yield {**event, "user_id": who, "stored": graded}


def sitting(plan: Sittings, learner: SimLearner, shares: Any) -> float:
    """The share of right answers to fresh questions drawn by the blueprint, by the learner's truth on that day."""
    rng = np.random.default_rng([plan.seed, learner.truth.index, 0x517])
    asked = rng.choice(plan.topics, plan.questions, p=shares)
    hard = rng.normal(0, DIFFICULTY_SPREAD, plan.questions)
    skills = [learner.progress.skills[plan.names[topic]] for topic in asked.tolist()]
    ability = learner.truth.ability
    chances = [chance_correct(ability, skill, d, tired=False) for skill, d in zip(skills, hard.tolist(), strict=True)]
    return float((rng.random(plan.questions) < np.array(chances)).mean())


def report(plan: Sittings, folder: Path) -> dict[str, Any]:
    """What `osler evaluate` says of the class, as JSON; the log stays in the folder."""
    path = folder / f"sittings-{plan.seed}.jsonl"
    with path.open("w") as out:
        out.writelines(json.dumps(line) + "\n" for line in log_lines(plan))
    return exam.TASK.run(path, as_of=None, baselines=None, progress=silent, seed=0).to_json()


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) and abs(value) < 1 else f"{value:.4g}"


def main() -> None:
    """Print the figures of each seed; `--keep FOLDER` keeps the logs for `osler evaluate --task exam --data`."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    asked.add_argument("--learners", type=int, default=120)
    asked.add_argument("--keep", type=Path)
    given = asked.parse_args()
    print("| seed | forecast | " + " | ".join(FIGURES) + " |")
    print("|---|---|" + "---|" * len(FIGURES))
    with tempfile.TemporaryDirectory() as scratch:
        for seed in given.seeds:
            found = report(Sittings(seed, given.learners), given.keep or Path(scratch))
            for name, row in found["score"].items():
                cells = " | ".join(_cell(row.get(figure)) for figure in FIGURES)
                print(f"| {seed} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
