"""Made answers for the tests of the next-answer backtest: learners of different ability on items of different ease."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def write_sample(folder: Path, *, learners: int = 80, answers: int = 60, dated: bool = False, seed: int = 0) -> Path:
    """A CSV (or, dated, a log in JSONL) of simulated answers."""
    rng = np.random.default_rng(seed)
    ability, easiness = rng.normal(0, 1, learners), rng.normal(0.5, 1, 120)
    lines: list[str] = []
    for u in range(learners):
        for t in range(answers):
            item = int(rng.integers(0, 120))
            right = int(rng.random() < 1 / (1 + np.exp(-(ability[u] + easiness[item]))))
            if dated:
                at = f"2026-{1 + t // 28:02d}-{1 + t % 28:02d}T{u % 24:02d}:{u % 60:02d}:00Z"
                data = {"question_id": f"q{item}", "is_correct": bool(right)}
                event = {"id": f"{u}-{t}", "type": "question_submit", "user_id": f"u{u}", "occurred_at": at}
                lines.append(json.dumps(event | {"topic_ids": [f"k{item % 6}"], "data": data}))
            else:
                lines.append(f"u{u},q{item},{right},k{item % 6}")
    path = folder / ("sample.jsonl" if dated else "sample_answers.csv")
    head = "" if dated else "user_id,item_id,correct,skill_id\n"
    path.write_text(head + "\n".join(lines) + "\n")
    return path
