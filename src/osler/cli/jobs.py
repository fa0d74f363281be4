"""`osler jobs`: which jobs there are, how they went, and running one by hand."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="The nightly jobs: list them, see how they went, run one.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("list")
def list_jobs(as_json: AsJson = False) -> None:
    """Every job in its order, what it does, and when it last succeeded."""
    found = _run(_listed)
    if as_json:
        typer.echo(json.dumps({"jobs": found}))
        return
    for job in found:
        last = job["last_success_at"] or "never"
        parked = f", {job['parked']} learner-days set aside" if job["parked"] else ""
        typer.echo(f"{job['job']:<14} {job['what']} (last success: {last}{parked})")


@app.command("status")
def status(
    job: Annotated[str | None, typer.Argument(help="Only this job.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Runs to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest runs with their progress. Exit code 1 when the newest run of a job failed or was parked."""
    found = _run(lambda night: _runs(night, job, limit))
    if as_json:
        typer.echo(json.dumps({"runs": found}))
    for run in () if as_json else found:
        of = "" if run["total"] is None else f"/{run['total']}"
        why = f" - {run['reason']}" if run["reason"] else ""
        stage = run["stage"] or ""
        typer.echo(f"{run['job']:<14} {run['period']}  {run['status']:<10} {stage} {run['done']}{of}{why}")
    newest: dict[str, str] = {}
    for run in found:
        newest.setdefault(run["job"], run["status"])
    if {"failed", "parked", "lost"} & set(newest.values()):
        raise typer.Exit(1)


@app.command("run")
def run(
    job: Annotated[str, typer.Argument(help="Name of the job, or `all` for everything that is due.")],
    period: Annotated[str | None, typer.Option("--period", metavar="DAY", help="Night, e.g. 2026-11-22.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also if it succeeded or was parked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a job now. Running one twice is dull. Exit code 1 when it failed or is held by another process."""
    ended = _run(lambda night: _run_job(night, job, period, again=again))
    if as_json:
        typer.echo(json.dumps({"ended": ended}))
    else:
        for name, statuses in ended.items():
            typer.echo(f"{name}: {', '.join(statuses) or 'nothing to do'}")
    if any(status in {"failed", "held", "parked"} for statuses in ended.values() for status in statuses):
        raise typer.Exit(1)


def _run(ask: Callable[[Any], Awaitable[Any]]) -> Any:
    """Ask something of the night of the database that is set."""
    import asyncio

    from osler.settings import load_settings
    from osler.worker.night import opened

    async def asking() -> Any:
        async with opened(load_settings()) as night:
            return await ask(night)

    return asyncio.run(asking())


async def _listed(night: Any) -> list[dict[str, Any]]:
    from osler.jobs.queries import last_success_at, parked_counts

    async with night.database.read(primary=True) as s:
        last, parked = await last_success_at(s), await parked_counts(s)
    return [
        {
            "job": job.name,
            "what": job.what,
            "cadence": job.cadence.value,
            "last_success_at": _plain(last.get(job.name)),
            "parked": parked.get(job.name, 0),
        }
        for job in night.jobs
    ]


async def _runs(night: Any, job: str | None, limit: int) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from osler.jobs.queries import recent_runs

    if job is not None:
        night.named(job)
    async with night.database.read(primary=True) as s:
        runs = await recent_runs(s, job, limit)
    return [{name: _plain(value) for name, value in asdict(run).items()} for run in runs]


async def _run_job(night: Any, job: str, period: str | None, *, again: bool) -> dict[str, list[str]]:
    from osler.jobs.periods import parse_period

    day = None if period is None else parse_period(period)
    if job != "all":
        return {job: [_ended(await night.run(job, day, again=again), again=again)]}
    if not again and day is None:
        return await night.ring()
    return {one.name: [_ended(await night.run(one.name, day, again=again), again=again)] for one in night.jobs}


def _ended(status: Any, *, again: bool) -> str:
    """How a run ended, in a word: nothing was run where it is held, or done already."""
    if status is not None:
        return str(status.value)
    return "held" if again else "done already or held"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
