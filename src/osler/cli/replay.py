"""`osler replay`: makes every derived row anew from the log, or proves that the rows are what the log says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from osler.db.engine import Database


def command(
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing derived; rebuild beside the live tables and compare.")
    ] = False,
    user: Annotated[UUID | None, typer.Option("--user", metavar="ID", help="This learner alone.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rebuild what was derived from the event log.

    What is still waiting (events to fold, days to count, rows that rest on what has moved since) is worked off first,
    at any moment: between two jobs of a night, during an import, after a crash. With --verify the rebuilt rows go into
    temporary tables and are compared with the live ones to the last bit.
    Exit codes: 0 all is equal, 1 a row differs or a learner was never found at rest.
    """
    import asyncio

    report = asyncio.run(_replay(verify=verify, user=user))
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _tell(report)
    if not report.get("equal", True):
        raise typer.Exit(1)


async def _replay(*, verify: bool, user: UUID | None) -> dict[str, Any]:
    from osler.analytics.registry import analytics
    from osler.cli.progress import Bar
    from osler.db.engine import Database
    from osler.live.catch_up import Live
    from osler.live.replay import as_json
    from osler.settings import load_settings
    from osler.worker.verifying import verify_now

    only = None if user is None else [user]
    async with Database.open(load_settings()) as database:
        if not verify:
            return await _rebuild(database, Live(database, analytics()), only)
        async with database.read() as session:
            learners = await session.driver().fetchval("select count(*) from users") if only is None else 1
        with Bar("working off what is waiting", None) as bar:
            compared = bar.beside("comparing learners", learners)
            found = await verify_now(database, only, worked_off=bar.told, compared=compared)
    drained = {"events": found.folded, "learner_days": found.counted}
    return {**as_json(found.report), "drained": drained}


async def _rebuild(database: Database, live: Any, only: list[UUID] | None) -> dict[str, Any]:
    """Any: the class is imported inside commands alone, so that help is quick."""
    from osler.analytics.registry import analytics
    from osler.analytics.states import declare_stale
    from osler.live import draining
    from osler.rollups.draining import drain, owe_everything

    async with database.write() as session:
        await declare_stale(session, only)
        await owe_everything(session, analytics(), only)
    folded = await draining.drain(database, live)
    return {"rebuilt": {"events": folded, "learner_days": await drain(database, analytics())}}


def _tell(report: dict[str, Any]) -> None:
    if "rebuilt" in report:
        done = report["rebuilt"]
        typer.echo(f"Rebuilt from {done['events']} events; {done['learner_days']} learner-days counted.")
        return
    for name, found in report["tables"].items():
        unlike = found["missing"] + found["unexpected"] + found["different"]
        columns = ", ".join(f"{column} {count}" for column, count in found["columns"].items())
        typer.echo(f"{name:24} {found['rows']:>9} rows  {unlike or 'no'} differences  {columns}".rstrip())
    if report["waiting"]:
        typer.echo(f"{report['waiting']} learners had new events each time that they were looked at; try again later")
    typer.echo("equal" if report["equal"] else "NOT equal: see above; `osler replay` rebuilds from the log")
