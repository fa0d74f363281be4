"""`osler migrate`: brings the schema of the database to this version's revision."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def command(
    to: Annotated[
        str | None, typer.Option("--to", metavar="REV", help="Revision to stop at; without it the newest.")
    ] = None,
    down: Annotated[
        bool, typer.Option("--down", help="Go down to REV (`base` empties the schema and its data).")
    ] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Bring the schema up to date.

    Runs as OSLER_OWNER_DATABASE_URL (embedded: by itself), all revisions in one transaction, one migrator at a time.
    It waits at most two seconds for a lock, lets go and tries again: the application goes on meanwhile.
    """
    import asyncio

    from osler.db import history
    from osler.db.migrate import migrate
    from osler.db.migrate import sql as sql_of
    from osler.settings import load_settings

    if down and to is None:
        typer.echo("osler: --down needs --to REV, e.g. --to 0003 or --to base", err=True)
        raise typer.Exit(2)
    if to not in (None, "head", "base", *history.revisions()):
        typer.echo(f"osler: there is no revision {to}; known are {', '.join(history.revisions())}", err=True)
        raise typer.Exit(2)
    if sql:
        typer.echo(sql_of(to or "head"))
        return
    before, after = asyncio.run(migrate(load_settings(), to or "head", down=down))
    if as_json:
        typer.echo(json.dumps({"before": before, "after": after, "changed": before != after}))
    elif before == after:
        typer.echo(f"The schema is at revision {after} already.")
    else:
        typer.echo(f"The schema went from revision {before or 'none'} to {after or 'none'}.")
