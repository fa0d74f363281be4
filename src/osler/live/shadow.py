"""Temporary tables under the names of derived ones: a fold inside the transaction goes there, and is gone with it.

PostgreSQL finds a temporary table before the live one of the same name, which stays within reach as `public.<name>`.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from osler.db.session import WriteSession
from osler.forecasts.tables import predictions


async def cast_shadow(session: WriteSession, tables: Sequence[sa.Table]) -> None:
    """Make empty copies of these tables, and of the forecasts, for the rest of the transaction.

    Statements that were prepared before would still go to the live tables: their plans are discarded.
    """
    driver = session.driver()
    for table in [*tables, predictions]:
        await driver.execute(
            f"create temporary table {table.name} (like public.{table.name} including all) on commit drop"
        )
    await driver.execute("discard plans")
