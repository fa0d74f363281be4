"""`osler export`: everything stored of a learner, in a file that another Osler reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from typing import BinaryIO

    from osler.settings import Settings


def command(
    user: Annotated[
        UUID | None, typer.Option("--user", metavar="ID", help="Pseudonym (UUID); without it the installation's own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write, 0600; standard output without it.")
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Events alone, as `osler import jsonl` takes them; else everything.")
    ] = False,
) -> None:
    """Write what is stored of a learner, one JSON object a line.

    With --jsonl: the events in the wire's form with what the server concluded, which is the way from one Osler to
    another. Without: settings, consent and every derived row as well.
    """
    import asyncio
    import os
    import sys

    from osler.catalog.own_learner import own_learner
    from osler.settings import load_settings

    settings = load_settings()
    user_id = user or own_learner(settings.home)
    if out is None:
        asyncio.run(_export(settings, user_id, sys.stdout.buffer, events_only=jsonl))
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        lines = asyncio.run(_export(settings, user_id, file, events_only=jsonl))
    typer.echo(f"{lines:,} lines in {out}", err=True)


async def _export(settings: Settings, user_id: UUID, file: BinaryIO, *, events_only: bool) -> int:
    from osler.analytics.registry import analytics
    from osler.db.engine import Database
    from osler.privacy.export import exported, exported_events

    analytics()  # their tables are declared by importing them
    lines = 0
    async with Database.open(settings) as db:
        source = exported_events(db, user_id) if events_only else exported(db, user_id, await db.now())
        async for line in source:
            file.write(line)
            lines += 1
    file.flush()
    return lines
