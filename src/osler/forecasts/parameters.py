"""Under which numbers events are folded: a named, frozen set of parameters.

A refit makes a new version and a refold; it never edits a served forecast.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from osler.db.session import ReadSession, WriteSession
from osler.errors import IntegrityBroken
from osler.forecasts.tables import models
from osler.science.item_easiness import Encoding, ItemPrior
from osler.science.logits import logit

TASK = "parameters"
START_VERSION = "start-1"
START_QUESTION_MEAN = 0.65
START_CARD_MEAN = 0.85


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a fold needs beside the events.

    Without a fit every question has the easiness of the population mean: that is the model alone, and says so by its
    version. A learner's own cards have no population, so they share one easiness.
    """

    version: str
    encoding: Encoding = field(default_factory=lambda: Encoding(mean=START_QUESTION_MEAN))
    card_mean: float = START_CARD_MEAN

    def prior(self, kind: str, item_id: str, topic_ids: tuple[str, ...]) -> ItemPrior:
        """What is known of an item before the learner answers it, in logits."""
        if kind == "card":
            easiness = logit(self.card_mean)
            return ItemPrior(easiness, easiness)
        return self.encoding.prior(item_id, topic_ids)

    def of_topic(self, topic_id: str) -> float:
        """Easiness of a topic's middling question, in logits."""
        return self.encoding.topics.get(topic_id, logit(self.encoding.mean))


START = Parameters(version=START_VERSION)


class _Stored(msgspec.Struct):
    """The parameters as the row of `models` holds them."""

    mean: float
    topics: dict[str, float]
    items: dict[str, tuple[float, float, float]]
    card_mean: float = START_CARD_MEAN


class ParameterStore:
    """Parameter versions of one database. A version never changes, so what was read once is kept."""

    def __init__(self) -> None:
        self._known: dict[str, Parameters] = {START_VERSION: START}

    async def get(self, session: ReadSession, version: str) -> Parameters:
        """The parameters of a version. Errors: IntegrityBroken when no such version is stored."""
        if version not in self._known:
            self._known[version] = await _load(session, version)
        return self._known[version]

    async def current_version(self, session: ReadSession) -> str:
        """The version that learners are to be folded under: the one promoted last, else the start values."""
        found: str | None = await session.driver().fetchval(_CURRENT, TASK)
        return found or START_VERSION


# Asked with every forecast: straight to the driver.
_CURRENT = """
select version from models where task = $1 and promoted_at is not null order by promoted_at desc limit 1
"""


async def _load(session: ReadSession, version: str) -> Parameters:
    content: Any = await session.scalar(
        sa.select(models.c.content).where(models.c.version == version, models.c.task == TASK)
    )
    if content is None:
        msg = f"learners are folded under the parameters {version}, which the table models does not hold"
        raise IntegrityBroken(msg, code="parameters.missing")
    stored = msgspec.convert(content, _Stored)
    items = {name: ItemPrior(*values) for name, values in stored.items.items()}
    return Parameters(version, Encoding(stored.mean, stored.topics, items), stored.card_mean)


async def store(session: WriteSession, parameters: Parameters, *, promote: bool = False) -> None:
    """Keep a new version, and serve it from now on when `promote`. The same version twice is refused by its key."""
    encoding = parameters.encoding
    content = {
        "mean": encoding.mean,
        "card_mean": parameters.card_mean,
        "topics": dict(encoding.topics),
        "items": {name: [p.easiness, p.topic_easiness, p.log_answers] for name, p in encoding.items.items()},
    }
    await session.execute(
        sa.insert(models).values(
            version=parameters.version,
            task=TASK,
            content=content,
            digest=hashlib.sha256(msgspec.json.encode(content, order="deterministic")).digest(),
            promoted_at=sa.func.now() if promote else None,
        )
    )
