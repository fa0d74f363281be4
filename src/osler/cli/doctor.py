"""`osler doctor`: what is there, what is wrong, what to do about it. It changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from osler.cli.doctor_checks import Finding
    from osler.settings import Settings


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what Osler finds on this machine and what to do where something is wrong.

    Nothing is changed; an embedded server that was made before is started to be asked. Exit codes: 0 all well or
    only warnings, 1 something has to be done.
    """
    import asyncio

    from osler.cli.doctor_checks import State
    from osler.settings import load_settings

    settings = load_settings()
    findings = asyncio.run(examine(settings))
    bad = any(finding.state is State.BAD for finding in findings)
    if as_json:
        _print_json(settings, findings, healthy=not bad)
    else:
        _print_table(findings)
    raise typer.Exit(1 if bad else 0)


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, the machine first."""
    from osler.cli import doctor_checks as checks

    found = [*checks.machine(settings)]
    if settings.is_embedded:
        found += checks.programs(settings)
    found += await _database(settings)
    if settings.redis_url:
        found.append(await checks.redis(settings.redis_url.get_secret_value(), "Redis"))
    if settings.broker_url:
        found.append(await _broker(settings.broker_url.get_secret_value()))
    return found


async def _database(settings: Settings) -> list[Finding]:
    from osler.cli.doctor_checks import Finding, State, server
    from osler.db.connect import connect
    from osler.db.embedded.place import Place
    from osler.db.faults import as_unavailable
    from osler.db.pools import app_url
    from osler.errors import OslerError

    found = [
        Finding("setting", State.WARN, f"{name} is not set", f"`{use}` needs it")
        for name, value, use in (
            ("OSLER_OWNER_DATABASE_URL", settings.owner_database_url, "osler migrate"),
            ("OSLER_ERASER_DATABASE_URL", settings.eraser_database_url, "osler erase"),
        )
        if not settings.is_embedded and value is None
    ]
    if settings.is_embedded and not Place(settings.home / "postgresql").data.exists():
        return [Finding("database", State.OK, "not made yet; `osler demo` or `osler migrate` makes it")]
    try:
        connection = await connect(await app_url(settings), settings)
    except OslerError as wrong:
        return [*found, Finding("database", State.BAD, wrong.text, "see the sentence before")]
    except Exception as failed:  # noqa: BLE001 (a doctor says what it found, whatever that is)
        away = as_unavailable(failed)
        told = away.text if away else f"refused: {type(failed).__name__}"
        todo = "check that the server runs and that OSLER_DATABASE_URL names its address, role and password"
        return [*found, Finding("database", State.BAD, told, todo)]
    try:
        return [*found, *await server(connection, settings)]
    finally:
        await connection.close()


async def _broker(url: str) -> Finding:
    from osler.cli.doctor_checks import Finding, State, redis

    if url.startswith(("redis://", "rediss://", "unix://")):
        return await redis(url, "broker")
    return Finding("broker", State.UNKNOWN, "not a Redis; only Celery can tell", "run `osler worker` and look")


def _print_json(settings: Settings, findings: list[Finding], *, healthy: bool) -> None:
    from dataclasses import asdict

    mode = "embedded" if settings.is_embedded else "external"
    told = [asdict(finding) for finding in findings]
    typer.echo(json.dumps({"healthy": healthy, "profile": settings.profile, "database": mode, "findings": told}))


def _print_table(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table

    colours = {"ok": "green", "warn": "yellow", "bad": "red", "unknown": "cyan"}
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", "what", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        colour = colours[finding.state]
        table.add_row(f"[{colour}]{finding.state.value}[/]", finding.what, finding.found, finding.todo)
    Console().print(table)
