"""How mastery follows the log: a fold for new events, settling for time that passes without any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osler.analytics.contract import Batch, Moments, Reading
from osler.analytics.mastery import folding, settling, states
from osler.analytics.retrieval.queries import OF_ASKED_TOPICS
from osler.db.session import WriteSession
from osler.domain.events import ATTEMPT_TYPES, MATERIAL_TYPES
from osler.forecasts.parameters import Parameters


class MasteryFold:
    """Topic rows, their days, and reading progress."""

    event_types = ATTEMPT_TYPES | MATERIAL_TYPES
    with_events: Sequence[Reading[Any]] = ()
    of_items: Sequence[Reading[Any]] = (states.ASKED_TOPICS, states.ASKED_MATERIALS, OF_ASKED_TOPICS)

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Fold new events; evaluate the topics they touched."""
        await folding.fold(session, batch)

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Evaluate all topics of the learners as of an instant."""
        await settling.settle(session, moments, parameters)
