"""`osler demo`: the real service with a class of simulated learners, from nothing to a page."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import webbrowser
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osler.cli.called import called
from osler.cli.demo_class import Wanted, prepare, step

if TYPE_CHECKING:
    import httpx

    from osler.settings import Settings
    from osler.simulate.sample_class import SampleClass

PAGES = ("mastery", "retrieval", "knowledge-gaps", "exam-readiness", "dashboard")
SIGNED_IN_FOR = timedelta(days=30)


def command(  # noqa: PLR0917 - the options of a command line; Typer calls by name
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port; a taken one is an error. 0 takes a free one.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser when this is a terminal.")] = True,
    learners: Annotated[int, typer.Option(min=1, max=5000, help="Learners of the class.")] = 22,
    days: Annotated[int, typer.Option(min=1, max=700, help="Days that they have studied.")] = 45,
    density: Annotated[float, typer.Option(min=0.01, max=20, help="1 = 50,000 events a learner and year.")] = 1.5,
    seed: Annotated[int, typer.Option(help="Another seed, another class.")] = 7,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of all state. [OSLER_HOME]")] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Erase the sample class that is here and make another.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Start, ask health and five pages, stop.")] = False,
) -> None:
    """Run Osler with a sample class. The second time it starts in a moment and keeps what is there, whatever its size.

    Everything is real: the embedded PostgreSQL, the way in, the nightly jobs, the API and the page. Only the learners
    are simulated, and the page says so. Ctrl-C stops all of it.
    """
    from osler.settings import load_settings

    settings = load_settings(**({"home": data} if data is not None else {}))
    wanted = Wanted(learners, days, density, seed, reset)
    after = After.CHECK if check else After.BROWSE if browser and sys.stdout.isatty() else After.NOTHING
    asyncio.run(_demo(settings, wanted, after, port))


class After(StrEnum):
    """What happens once the service answers."""

    NOTHING = "nothing"
    BROWSE = "browse"
    CHECK = "check"


async def _demo(settings: Settings, wanted: Wanted, after: After, port: int | None) -> None:
    from osler.cli.serve import serve
    from osler.db.engine import Database
    from osler.db.migrate import migrate

    settings = settings.model_copy(update={"port": _port(settings, port)})
    if settings.is_embedded:
        await step("database ready", migrate(settings))
    async with Database.open(settings) as db:
        people = await prepare(db, wanted)
    signed_in = _sign_ins(settings, people)
    _print_sign_ins(settings, signed_in)
    _print_next_steps(settings)
    beside = asyncio.create_task(_afterwards(settings, signed_in, after))
    await serve(settings)
    if after is After.CHECK and not await beside:
        raise typer.Exit(1)
    beside.cancel()


def _port(settings: Settings, chosen: int | None) -> int:
    """The port that was asked for, which must be free; else the usual one, or any free one when that is taken."""
    from osler.api.server import free_port
    from osler.errors import Misconfigured

    if chosen is not None:
        return free_port(settings.host, chosen)
    try:
        return free_port(settings.host, settings.port)
    except Misconfigured:
        return free_port(settings.host, 0)


def _sign_ins(settings: Settings, people: SampleClass) -> dict[str, str]:
    """A token for each of three people, but for those who were erased: role → token."""
    from osler import clock
    from osler.http.auth import open_local_issuer
    from osler.http.local_issuer import default_scopes
    from osler.http.policy import Role

    issuer = open_local_issuer(settings)
    who = {Role.LEARNER: people.learners[0], Role.EDUCATOR: people.educator, Role.PROGRAM_ADMIN: people.admin}
    return {
        role.value: issuer.sign(
            user_id,
            roles=[role],
            scopes=default_scopes([role]),
            issued_at=clock.now(),
            lifetime=SIGNED_IN_FOR,
        )
        for role, user_id in who.items()
        if user_id not in people.erased
    }


def _print_sign_ins(settings: Settings, signed_in: dict[str, str]) -> None:
    at = f"{settings.scheme}://{settings.host}:{settings.port}"
    typer.echo("Sign in (each link is good for 30 days, on this machine):")
    for role, token in signed_in.items():
        typer.echo(f"  {role.replace('_', ' '):<14} {at}/#token={token}")


def _print_next_steps(settings: Settings) -> None:
    from osler.settings import load_settings

    # The folder of --data has to be named again, or the import would go beside it.
    place = "" if load_settings().home == settings.home else f"OSLER_HOME={shlex.quote(str(settings.home.resolve()))} "
    typer.echo(f"Your own data: {place}{called()} import anki collection.anki2   (see also: {called()} import --help)")
    typer.echo("Stop with Ctrl-C.")


async def _afterwards(settings: Settings, signed_in: dict[str, str], after: After) -> bool:
    """Wait until the service answers; then open a browser, or ask it and stop it. True when every page was good."""
    import httpx

    at = f"{settings.scheme}://{settings.host}:{settings.port}"
    async with httpx.AsyncClient(base_url=at, timeout=30, trust_env=False) as client:
        while not await _answers(client, "/api/health/ready"):  # noqa: ASYNC110 (another process' state: nothing to wait on)
            await asyncio.sleep(0.1)
        if after is After.BROWSE:
            webbrowser.open(f"{at}/#token={signed_in['learner']}")
        if after is not After.CHECK:
            return True
        client.headers["Authorization"] = f"Bearer {signed_in['learner']}"
        found = {page: await _answers(client, page) for page in ("/", *(f"/api/analytics/{p}" for p in PAGES))}
    for page, is_good in found.items():
        typer.echo(f"  {'ok    ' if is_good else 'FAILED'} {page}")
    os.kill(os.getpid(), signal.SIGTERM)  # our own process: serve finishes what is under way and returns
    return all(found.values())


async def _answers(client: httpx.AsyncClient, page: str) -> bool:
    import httpx

    try:
        response = await client.get(page)
    except httpx.HTTPError:
        return False
    return response.is_success and len(response.content) > 0
