"""How mastery follows the log: a fold for new events, settling for time that passes without any."""

from __future__ import annotations

from osler.analytics.contract import Batch, Moments
from osler.analytics.mastery import folding, settling
from osler.db.session import WriteSession
from osler.forecasts.parameters import Parameters


class MasteryFold:
    """Topic rows, their days, and reading progress."""

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Fold new events; evaluate the topics they touched."""
        await folding.fold(session, batch)

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Evaluate all topics of the learners as of an instant."""
        await settling.settle(session, moments, parameters)
