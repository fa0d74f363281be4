"""Under which numbers events are folded: a named, frozen set of parameters.

A set names the fits that it is made of: the easiness of items, the model of the next answer that was trained with it,
the learning rates. A refit makes a new version and a refold; it never edits a served forecast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from osler.db.session import ReadSession, WriteSession
from osler.errors import IntegrityBroken
from osler.forecasts.easiness import Counts, Easiness
from osler.forecasts.shelf import Served, Shelf
from osler.forecasts.tables import models
from osler.science import irt
from osler.science.item_easiness import START_MEAN, Encoding, ItemPrior
from osler.science.learning_rate import DEFAULT_GAMMA, DEFAULT_GAMMA_SD
from osler.science.logits import logit

Floats = npt.NDArray[np.float64]

TASK, EASINESS, NEXT_ANSWER, LEARNING_RATE = "parameters", "item-easiness", "next-answer", "learning-rate"
PRIOR_VARIANCES = "prior-variances"
START_VERSION = "start-1"


class Rate(msgspec.Struct, frozen=True):
    """How fast a topic is learnt: γ with its sd, in logits per ln(1 + answers), and whether it was fitted here."""

    gamma: float = DEFAULT_GAMMA
    sd: float = DEFAULT_GAMMA_SD
    is_fitted: bool = False


class LearningRates(msgspec.Struct, frozen=True):
    """γ as fitted: of all topics, of each, and whether it won forward in time; where it did not, the start serves."""

    gamma: float = DEFAULT_GAMMA
    sd: float = DEFAULT_GAMMA_SD
    wins: bool = False
    topics: dict[str, float] = {}

    def of(self, topic_id: str) -> Rate:
        """The rate to serve for a topic."""
        return Rate(self.topics.get(topic_id, self.gamma), self.sd, is_fitted=True) if self.wins else Rate()

    def columns(self, topic_ids: Sequence[str]) -> tuple[Floats, Floats]:
        """γ and sd to serve for each of these topics. Shapes: (k,), (k,)."""
        if not self.wins:
            return np.full(len(topic_ids), DEFAULT_GAMMA), np.full(len(topic_ids), DEFAULT_GAMMA_SD)
        return np.array([self.of(topic).gamma for topic in topic_ids]), np.full(len(topic_ids), self.sd)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a fold needs beside the events.

    Without a fit every question has the easiness of the population mean: that is the model alone, and says so by its
    version. `irt` are the numbers of the online model, cards included. `next_answer` is None where it serves alone, and
    wherever nothing is forecast.
    """

    version: str
    easiness: Easiness | None = None
    rates: LearningRates = field(default_factory=LearningRates)
    irt: irt.Parameters = irt.DEFAULTS
    next_answer: Served | None = None

    def encoding(self, user_id: UUID) -> Encoding:
        """The easiness that a learner is folded under: without what their own fold said."""
        return _START if self.easiness is None else self.easiness.of(user_id)

    def prior(self, kind: str, item_id: str, topic_ids: tuple[str, ...], encoding: Encoding) -> ItemPrior:
        """What is known of an item before anybody's first attempt, in logits; `encoding` is the learner's."""
        if kind == "card":
            easiness = logit(self.irt.card_mean)
            return ItemPrior(easiness, easiness)
        return encoding.prior(item_id, topic_ids)

    @property
    def mean(self) -> float:
        """The share right of first attempts at questions, over everybody."""
        return START_MEAN if self.easiness is None else self.easiness.everybody.mean

    @property
    def item_spread(self) -> float:
        """How far questions of a topic lie apart in logits, as far as folds take it out of the answers.

        Without a fit every question is as easy as the mean: what is learnt of a learner is then how they do on a
        question drawn from their topics, and the spread is in it already.
        """
        return 0.0 if self.easiness is None else self.easiness.spread

    def of_topic(self, topic_id: str) -> float:
        """d_50: the easiness of a topic's middling question, in logits; the same for everybody."""
        if self.easiness is None:
            return logit(START_MEAN)
        known = self.easiness.everybody.topics.get(topic_id, logit(self.mean))
        return self.easiness.middling.get(topic_id, known)


_START = Encoding(mean=START_MEAN)
START = Parameters(version=START_VERSION)


class Parts(msgspec.Struct, frozen=True):
    """Which fits a version is made of, by their versions in the table models; None: the start values."""

    item_easiness: str | None = None
    next_answer: str | None = None
    learning_rate: str | None = None
    prior_variances: str | None = None


class _Variances(msgspec.Struct, frozen=True):
    ability_variance: float
    skill_variance: float


class ParameterStore:
    """Parameter versions of one database. A version never changes, so what was read once is kept.

    With a shelf, the model of the next answer comes with them: only who writes forecasts needs it.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._known: dict[str, Parameters] = {START_VERSION: START}

    async def get(self, session: ReadSession, version: str) -> Parameters:
        """The parameters of a version. Errors: IntegrityBroken when no such version is stored."""
        if version not in self._known:
            parts = await parts_of(session, version)
            made = await self.of_parts(session, parts, version)
            while len(self._known) > MOST_KEPT:
                del self._known[next(known for known in self._known if known != START_VERSION)]
            self._known[version] = made
        return self._known[version]

    async def of_parts(self, session: ReadSession, parts: Parts, version: str) -> Parameters:
        """The parameters that these fits make, under a version that need not be stored yet."""
        made = await _made_of(session, parts, version)
        if self._shelf is None or parts.next_answer is None:
            return made
        rows: Any = await session.driver().fetch(_SERVABLE, NEXT_ANSWER, parts.next_answer)
        return replace(made, next_answer=self._shelf.load([row["version"] for row in rows]))

    async def current_version(self, session: ReadSession) -> str:
        """The version that learners are to be folded under: the one promoted last, else the start values."""
        return await session.driver().fetchval(f"select {CURRENT}")


# Asked with every forecast: a part of the statements that gather what one rests on.
CURRENT = f"""
coalesce((select p.version from models p where p.task = '{TASK}' and p.promoted_at is not null
           order by p.promoted_at desc limit 1), '{START_VERSION}')
"""

# The version itself, then those that were served before it.
_SERVABLE = """
select m.version from models m, (select promoted_at from models where version = $2) as asked
 where m.task = $1 and m.promoted_at <= asked.promoted_at and m.content <> '{}'
 order by m.promoted_at desc limit 6
"""

# Counts of ten thousand questions take a second to make sense of. Fits are named by what is in them, so the same name
# is the same fit in every database that a process sees.
_fitted: dict[str, Easiness] = {}
MOST_KEPT = 4


async def _made_of(session: ReadSession, parts: Parts, version: str) -> Parameters:
    easiness, rates, online = None, LearningRates(), irt.DEFAULTS
    if parts.item_easiness is not None:
        easiness = _fitted.get(parts.item_easiness)
        if easiness is None:
            easiness = Easiness(msgspec.convert(await _content(session, parts.item_easiness, EASINESS), Counts))
            while len(_fitted) >= MOST_KEPT:
                del _fitted[next(iter(_fitted))]
            _fitted[parts.item_easiness] = easiness
    if parts.learning_rate is not None:
        rates = msgspec.convert(await _content(session, parts.learning_rate, LEARNING_RATE), LearningRates)
    if parts.prior_variances is not None:
        found = msgspec.convert(await _content(session, parts.prior_variances, PRIOR_VARIANCES), _Variances)
        online = replace(online, ability_variance=found.ability_variance, skill_variance=found.skill_variance)
    return Parameters(version, easiness, rates=rates, irt=online)


async def parts_of(session: ReadSession, version: str) -> Parts:
    """The fits that a version is made of. Errors: IntegrityBroken when no such version is stored."""
    return Parts() if version == START_VERSION else msgspec.convert(await _content(session, version, TASK), Parts)


async def _content(session: ReadSession, version: str, task: str) -> Any:
    found: Any = await session.scalar(
        sa.select(models.c.content).where(models.c.version == version, models.c.task == task)
    )
    if not found and not (found == {} and task == TASK):
        msg = f"learners are folded under {task} {version}, which the table models does not hold"
        raise IntegrityBroken(msg, code="parameters.missing")
    return found


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit as the table models keeps it. `version` is made from the training cut and the content."""

    task: str
    content: dict[str, Any]
    trained_until: datetime
    learners: int
    rows: int
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical content."""
        return hashlib.sha256(msgspec.json.encode(self.content, order="deterministic")).digest()

    @property
    def version(self) -> str:
        """The name of the fit: the same content at the same cut is the same fit."""
        return f"{self.task}-{self.trained_until:%Y%m%d}-{self.digest.hex()[:10]}"


async def store(session: WriteSession, fit: Fitted, *, promote: bool, version: str | None = None) -> str:
    """Keep a fit, served from now on when `promote`; the same one twice is dull. Gives its version."""
    name = version or fit.version
    await session.driver().execute(
        _STORE, name, fit.task, msgspec.json.encode(fit.content).decode(), fit.digest, fit.trained_until,
        fit.learners, fit.rows, msgspec.json.encode(fit.metrics).decode(), promote,
    )  # fmt: skip
    return name


_STORE = """
insert into models (version, task, content, digest, trained_until, learners, rows, metrics, promoted_at)
values ($1, $2, $3::text::jsonb, $4, $5, $6, $7, $8::text::jsonb, case when $9 then clock_timestamp() end)
on conflict (version) do nothing
"""


async def newest(session: ReadSession, task: str) -> tuple[str, dict[str, Any]] | None:
    """(version, content) of the fit that was made last for a task; None before the first.

    Fits with a learner who has been erased since are passed over: they are to be made again, not to be promoted.
    """
    row: Any = await session.driver().fetchrow(_NEWEST, task)
    return None if row is None else (row["version"], msgspec.json.decode(row["content"]))


async def accepted(session: ReadSession, task: str) -> str | None:
    """The version of the fit that was made last for a task, if it was accepted; None where the start values serve."""
    found = await newest(session, task)
    return found[0] if found is not None and found[1].get("accepted", False) else None


_NEWEST = """
select version, content::text as content from models where task = $1 and content <> '{}' and flagged_at is null
 order by created_at desc, version desc limit 1
"""
