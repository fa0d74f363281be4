"""What does each review policy bring on the exam day, in simulation? The table of docs/explanation/schedule.md.

`python -m bench.plan_policies` prints it. The truth of the simulation is the memory model that plans: policies are
compared under that model, and no learning gain is shown. Retention and window are chosen on one seed; the figures are
means over others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osler.science.review_simulator import Costs, Deck, Floats, Policy, simulate
from osler.science.schedule import choose_plan, fixed_retention, plan_policy, waiting_for_a_better_day

COSTS = Costs()
CHOSEN_ON = 0
SCORED_ON = (1, 2, 3, 4)
FIXED = (0.70, 0.80, 0.90)


@dataclass(frozen=True, slots=True)
class Case:
    """A learner: cards, days to the exam, minutes a day."""

    name: str
    deck: Deck
    minutes: Floats


def unseen(cards: int) -> Deck:
    """A deck of which nothing has been seen."""
    return Deck(np.zeros(cards), np.zeros(cards), np.zeros(cards, dtype=np.int64), np.full(cards, 1 / cards))


def half_seen(cards: int, seed: int) -> Deck:
    """A deck in the middle of its use: half seen, stabilities of some days to months, unequal weights."""
    rng = np.random.default_rng(seed)
    seen = rng.random(cards) < 0.5
    weight = rng.uniform(0.2, 2.0, cards)
    return Deck(
        np.where(seen, rng.lognormal(2.3, 1.0, cards), 0.0),
        np.where(seen, rng.uniform(3, 8, cards), 0.0),
        np.where(seen, -rng.integers(0, 45, cards), 0),
        weight / weight.sum(),
    )


def cases() -> list[Case]:
    """Those of the table."""
    weekends = np.array([40.0 if day % 7 > 4 else 0.0 for day in range(60)])
    return [
        Case("1,200 new, 75 days, 10 min", unseen(1200), np.full(75, 10.0)),
        Case("1,200 new, 75 days, 16 min", unseen(1200), np.full(75, 16.0)),
        Case("1,200 half seen, 40 days, 10 min", half_seen(1200, 7), np.full(40, 10.0)),
        Case("1,200 half seen, 40 days, 20 min", half_seen(1200, 7), np.full(40, 20.0)),
        Case("1,200 half seen, 10 days, 10 min", half_seen(1200, 8), np.full(10, 10.0)),
        Case("800 half seen, 60 days, weekends 40 min", half_seen(800, 9), weekends),
    ]


def policies(case: Case) -> Mapping[str, tuple[Policy, float]]:
    """Each policy with the retention that it runs at."""
    chosen = choose_plan(case.deck, case.minutes, costs=COSTS, seed=CHOSEN_ON)
    return {
        **{f"fixed {retention:.2f}": (fixed_retention, retention) for retention in FIXED},
        "plan, chosen": (plan_policy(chosen.window_days), chosen.desired_retention),
        "plan, .90 and 7 days": (plan_policy(7), 0.90),
        "plan without final window": (plan_policy(0), chosen.desired_retention),
        "waits for a better day": (waiting_for_a_better_day, 0.80),
    }


def figures(case: Case) -> dict[str, tuple[float, float]]:
    """By policy: exam-day recall, and the share of the offered minutes that was used; means over the scored seeds."""
    found: dict[str, tuple[float, float]] = {}
    for name, (policy, retention) in policies(case).items():
        runs = [
            simulate(case.deck, case.minutes, policy, desired_retention=retention, costs=COSTS, seed=seed)
            for seed in SCORED_ON
        ]
        used = [run.used_seconds / run.offered_seconds for run in runs]
        found[name] = float(np.mean([run.exam_recall for run in runs])), float(np.mean(used))
    return found


def main() -> None:
    """Print the table."""
    table = {case.name: figures(case) for case in cases()}
    names = list(next(iter(table.values())))
    print("| policy | " + " | ".join(table) + " |")
    print("|---|" + "---|" * len(table))
    for name in names:
        cells = (f"{found[name][0]:.3f} ({100 * found[name][1]:.0f} %)" for found in table.values())
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
