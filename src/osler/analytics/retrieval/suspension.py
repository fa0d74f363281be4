"""Cards that were suspended, or taken up again, since a checkpoint was kept: what was folded before it cannot know."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from msgspec.structs import replace

from osler.analytics.retrieval.items import with_due_days
from osler.analytics.retrieval.model import LearnerMemory, sm2_next
from osler.analytics.retrieval.queries import COLUMNS, memory_of
from osler.db.session import WriteSession

_CHANGED = f"""
select {", ".join("m." + name.strip() for name in COLUMNS.split(","))}
  from item_memory m join cards c on c.user_id = m.user_id and c.card_id = m.item_id
 where m.user_id = $1 and m.item_kind = 'card' and m.fsrs_stability is not null
   and c.is_suspended = (m.due_on is not null)
 order by m.item_id
"""
_WRITE = """
update item_memory m set due_on = t.due_on, sm2_next_review_at = t.sm2_at
  from unnest($2::text[], $3::date[], $4::timestamptz[]) as t(item_id, due_on, sm2_at)
 where m.user_id = $1 and m.item_kind = 'card' and m.item_id = t.item_id
"""


async def follow_cards(session: WriteSession, user_id: UUID, learner: LearnerMemory, desired_retention: float) -> None:
    """Take the due days of suspended cards away, and give those that are in review again theirs.

    For rows of a checkpoint, under the learner's memory as it was kept with them: the correction of the day of a card's
    last review is not known any more.
    """
    rows = await session.driver().fetch(_CHANGED, user_id)
    found = [memory_of(row, learner.parameters) for row in rows]
    suspended = [(key, replace(memory, due_on=None)) for key, memory in found if memory.due_on is not None]
    back = [(key, memory) for key, memory in found if memory.due_on is None]
    if back:
        memories = with_due_days(
            [(key.kind, memory) for key, memory in back], np.full(len(back), learner.bias), desired_retention
        )
        back = [(key, memory) for (key, _), memory in zip(back, memories, strict=True)]
    changed = suspended + back
    await session.driver().execute(
        _WRITE,
        user_id,
        [key.item_id for key, _ in changed],
        [memory.due_on for _, memory in changed],
        [sm2_next(key.kind, memory) for key, memory in changed],
    )
