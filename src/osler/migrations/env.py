"""How Alembic reaches the database: as the owner, one migration at a time, with a short wait for locks."""

from __future__ import annotations

from alembic import context

from osler.db import migrate

connection = context.config.attributes.get("connection")
if connection is None:
    migrate.run_offline(context)
else:
    migrate.run_on(context, connection)
