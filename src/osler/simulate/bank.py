"""What simulated learners study: questions, cards and materials by topic, a function of the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

OPTIONS = ("A", "B", "C", "D", "E")
KINDS = ("text", "video", "text", "case")


@dataclass(frozen=True, slots=True)
class SimQuestion:
    """A question. `difficulty` is in logits and true; nobody but the simulator knows it."""

    question_id: str
    topic_ids: tuple[str, ...]
    key: str
    difficulty: float


@dataclass(frozen=True, slots=True)
class SimMaterial:
    """A text, video or case, with the minutes that it takes."""

    material_id: str
    topic_id: str
    kind: str
    minutes: float


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything there is to study, by topic."""

    topics: tuple[str, ...]
    questions: dict[str, tuple[SimQuestion, ...]]
    materials: dict[str, tuple[SimMaterial, ...]]
    cards: dict[str, tuple[str, ...]]


def make_bank(
    topics: Sequence[str], seed: int, *, questions_each: int = 12, materials_each: int = 2, cards_each: int = 4
) -> Bank:
    """A bank over these topics; one question in six also belongs to a second topic."""
    rng = np.random.default_rng([seed, 0xBA4C])
    questions = {t: _questions(t, topics, questions_each, rng) for t in topics}
    materials = {t: _materials(t, materials_each, rng) for t in topics}
    cards = {t: tuple(f"sim.{t}.c{n}" for n in range(cards_each)) for t in topics}
    return Bank(tuple(topics), questions, materials, cards)


def _questions(topic: str, topics: Sequence[str], count: int, rng: np.random.Generator) -> tuple[SimQuestion, ...]:
    made: list[SimQuestion] = []
    for n in range(count):
        second = topics[int(rng.integers(len(topics)))] if rng.random() < 1 / 6 else topic
        key = OPTIONS[int(rng.integers(len(OPTIONS)))]
        both = tuple(sorted({topic, second}))
        made.append(SimQuestion(f"sim.{topic}.q{n}", both, key, float(rng.normal(0.0, 0.9))))
    return tuple(made)


def _materials(topic: str, count: int, rng: np.random.Generator) -> tuple[SimMaterial, ...]:
    return tuple(
        SimMaterial(f"sim.{topic}.m{n}", topic, KINDS[int(rng.integers(len(KINDS)))], float(rng.uniform(15, 45)))
        for n in range(count)
    )
