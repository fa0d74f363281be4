"""Puts the rows of a checkpoint back, so that a refold goes on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from osler.analytics.contract import DerivedTable, LearnerSettings
from osler.analytics.retrieval.folding import NAME, resumed
from osler.analytics.retrieval.model import LearnerMemory
from osler.analytics.retrieval.suspension import follow_cards
from osler.db.session import WriteSession
from osler.eventlog.checkpoints import Checkpoint

CHECKPOINT = "live"
"""The name that a checkpoint of all folds goes by: they are restored together or not at all."""


async def restore(
    session: WriteSession,
    tables: Sequence[DerivedTable],
    kept: Checkpoint,
    fresh: Mapping[str, object],
    settings: LearnerSettings,
) -> dict[str, object]:
    """Put the rows of a checkpoint back where the folds have deleted theirs; gives the small states.

    `fresh` are the states of a fold from nothing: what was fitted to the learner since goes on with the old memories.
    Cards that were suspended since, or are in review again, are so as well.
    """
    for found in tables:
        rows = kept.state.get(found.table.name, [])
        if rows:
            await session.driver().execute(_restoring(found, rows[0]), msgspec.json.encode(rows).decode())
    [row] = kept.state["learner_states"]
    states: dict[str, object] = row["states"]
    if NAME in states and NAME in fresh:
        states[NAME] = resumed(fresh[NAME], states[NAME])
    learner = msgspec.convert(states.get(NAME, {}), LearnerMemory)
    await follow_cards(session, kept.user_id, learner, settings.desired_retention)
    return states


def _restoring(found: DerivedTable, kept: Mapping[str, object]) -> str:
    """Only columns that were there when the checkpoint was written: later ones begin as their migration has them.

    What counts runs (the generation) goes on: by one that came again nobody would see that rows have changed.
    """
    table = found.table
    keys = [column.name for column in table.primary_key.columns]
    names = [column.name for column in table.columns if column.name in kept]
    written = [name for name in names if name not in keys and name not in found.counted | found.ignore]
    action = ", ".join(f"{name} = excluded.{name}" for name in written)
    return (
        f"insert into {table.name} ({', '.join(names)}) select {', '.join(names)} "
        f"from jsonb_populate_recordset(null::{table.name}, $1::text::jsonb) "
        f"on conflict ({', '.join(keys)}) do {f'update set {action}' if action else 'nothing'}"
    )
