"""A link that gives a learner's export once, within a day. What is stored is a keyed hash: a dump opens nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from osler.db.engine import WriteSession
from osler.observe.keys import mac, secret_key
from osler.privacy.tables import export_links
from osler.settings import Settings

KEY_NAME = "export-links"
LIFETIME = timedelta(hours=24)
BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose link was shown, and whether it still gives anything."""

    user_id: UUID
    is_good: bool


async def make_link(s: WriteSession, settings: Settings, user_id: UUID) -> tuple[str, datetime]:
    """A new link's secret and when it ends. What is over of the learner's earlier links is forgotten."""
    secret = secrets.token_urlsafe(BYTES)
    await s.execute(
        sa.delete(export_links).where(export_links.c.user_id == user_id, export_links.c.expires_at < sa.func.now())
    )
    made = (
        sa.insert(export_links)
        .values(link_mac=_mac(settings, secret), user_id=user_id, expires_at=sa.func.now() + LIFETIME)
        .returning(export_links.c.expires_at)
    )
    return secret, await s.scalar(made)


async def open_link(s: WriteSession, settings: Settings, secret: str) -> Opened | None:
    """Use a link up. None for one that was never made, or whose learner was erased."""
    mine = export_links.c.link_mac == _mac(settings, secret)
    used = (
        sa.update(export_links)
        .where(mine, export_links.c.used_at.is_(None), export_links.c.expires_at > sa.func.now())
        .values(used_at=sa.func.now())
        .returning(export_links.c.user_id)
    )
    user_id = await s.scalar(used)
    if user_id is not None:
        return Opened(user_id, is_good=True)
    known = await s.scalar(sa.select(export_links.c.user_id).where(mine))
    return None if known is None else Opened(known, is_good=False)


def _mac(settings: Settings, secret: str) -> bytes:
    return mac(secret_key(settings.home, KEY_NAME), "link", secret)
