"""`osler learner`: two pseudonyms of one person become one."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from osler.worker.joining import Asked, Joined

app = typer.Typer(no_args_is_help=True, help="Learners by pseudonym.")


@app.callback()
def learners() -> None:
    """Learners by pseudonym; `osler erase` erases one, `osler export` writes what is stored of one."""


@app.command("join")
def join(  # noqa: PLR0917 - the options of a command line; Typer calls by name
    keep: Annotated[UUID, typer.Argument(metavar="KEEP", help="Pseudonym that stays; the one that a service names.")],
    other: Annotated[UUID, typer.Argument(metavar="OTHER", help="Pseudonym of the same person, erased at the end.")],
    nothing_comes: Annotated[
        bool, typer.Option("--nothing-comes-under-it", help="No service and no import names OTHER any more.")
    ] = False,
    without_rest: Annotated[
        bool, typer.Option("--without-the-rest", help="Lose what cannot be joined; without it that is an error.")
    ] = False,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="No service runs: do not wait until every process has forgotten OTHER.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Join two pseudonyms of one person: sign-ins, events, cards, exams, results and classes of OTHER become KEEP's.

    Events are stored again under KEEP and everything derived is made anew from them; then OTHER is erased, proved
    and closed; an installation whose own learner OTHER was has KEEP for it. It cannot be undone. Settings of KEEP
    stay, a consent that either refused stays refused. Not joined: forecasts and fitted parameters of OTHER,
    published figures of a class, in which they were two, and whose audit entries OTHER stands in. Needs the
    eraser's credential, like osler erase; takes two minutes, in which sign-ins are forgotten. Exit codes: 0 joined,
    2 refused, and then nothing was changed.
    """
    import asyncio

    from osler.worker.joining import FORGOTTEN_SECONDS, Asked

    wait = 0.0 if at_once else float(FORGOTTEN_SECONDS)
    done = asyncio.run(_join(Asked(keep, other, nothing_comes, without_rest, wait)))
    certificate = done.certificate
    if as_json:
        said = {**asdict(done), "certificate": None if certificate is None else certificate.erasure_id}
        typer.echo(json.dumps(said, default=str))
        return
    rows = ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in done.moved.items())
    if rows:
        typer.echo(f"{done.stored:,} events of {done.other} are {done.keep}'s now, {done.there:,} were already; {rows}")
    else:
        typer.echo(f"the erasure of {done.other} had begun: nothing was taken over, it was finished")
    for what, n in done.left.items():
        typer.echo(f"  {n:>9,}  lost: {what.replace('_', ' ')}")
    typer.echo(f"{done.other} is erased: certificate {certificate.erasure_id if certificate else '-'}")
    typer.echo("Nightly figures follow in the night, or by: osler jobs run all --again")


async def _join(asked: Asked) -> Joined:
    from dataclasses import replace

    from osler.cli.roster import by_operator
    from osler.db.engine import Database
    from osler.http.policy import Action
    from osler.settings import load_settings
    from osler.worker.joining import join

    by = replace(by_operator(Action.WRITE_SELF), subject_id=asked.keep, fields=("joined",))
    async with Database.open(load_settings()) as db:
        return await join(db, asked, by, _wait)


async def _wait(seconds: float) -> None:
    import asyncio

    if seconds:
        typer.echo(f"waiting {seconds:.0f} s until every process has forgotten their sign-ins (--at-once)", err=True)
    await asyncio.sleep(seconds)
