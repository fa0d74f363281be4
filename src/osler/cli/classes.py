"""`osler class`: which classes there are, who is in them, who comes and goes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from osler.catalog.classes import MemberRole

if TYPE_CHECKING:
    from osler.catalog.classes import Moved
    from osler.cli.roster import Named
    from osler.db.engine import Database
    from osler.http.classes import Change

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="Classes: whom an educator reaches, and whose figures are published.")
ClassId = Annotated[str, typer.Argument(metavar="CLASS", help="Id of the class, e.g. 2026-spring.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Users = Annotated[list[UUID] | None, typer.Argument(metavar="[ID]...", help="Pseudonyms (UUID).")]
Subjects = Annotated[
    list[str] | None,
    typer.Option("--subject", metavar="SUB", help="Who signs in with this `sub`; met now if never before. May repeat."),
]
Issuer = Annotated[str | None, typer.Option("--issuer", metavar="ISS", help="Of the subjects. [OSLER_ISSUER]")]
FromFile = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="CSV with a column user_id or subject, and role where it has one."),
]


@app.command("create")
def create(
    cohort_id: ClassId,
    name: Annotated[str | None, typer.Option("--name", help="What a person reads. [the id]")] = None,
    exam: Annotated[str | None, typer.Option("--exam", metavar="ID", help="Exam that they prepare for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a class, or give it another name or exam. The same again changes nothing."""

    async def put(db: Database) -> bool:
        from osler.catalog.classes import put_class

        async with db.write() as session:
            return await put_class(session, cohort_id, name, exam)

    changed = _run(put)
    said = "is as asked" if changed else "was so already"
    typer.echo(json.dumps({"class": cohort_id, "changed": changed}) if as_json else f"class {cohort_id} {said}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every class, its exam, and how many learners and educators it has today."""

    async def rows(db: Database) -> list[dict[str, Any]]:
        from osler.catalog.classes import class_list

        async with db.read(primary=True) as session:
            return [dict(row) for row in await class_list(session)]

    found = _run(rows)
    if as_json:
        typer.echo(json.dumps({"classes": found}))
        return
    for row in found:
        exam = f", for {row['exam_id']}" if row["exam_id"] else ""
        typer.echo(
            f"{row['cohort_id']:<20} {row['learners']:>5} learners {row['educators']:>3} educators  {row['name']}{exam}"
        )
    if not found:
        typer.echo("no class yet: osler class create CLASS --name NAME", err=True)


@app.command("members")
def members(
    cohort_id: ClassId,
    former: Annotated[bool, typer.Option("--all", help="Also who left, and who is to come.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, which `add --from` reads.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who is in a class today, educators first. Pseudonyms alone: Osler stores no names."""

    async def rows(db: Database) -> list[dict[str, Any]]:
        from osler.catalog.classes import member_list

        async with db.read(primary=True) as session:
            found = await member_list(session, cohort_id, former=former)
        return [{name: None if value is None else str(value) for name, value in row.items()} for row in found]

    found = _run(rows)
    if as_json:
        typer.echo(json.dumps({"class": cohort_id, "members": found}))
        return
    if csv:
        typer.echo("user_id,role,since_on,until_on")
    for row in found:
        cells = [row["user_id"], row["role"], row["since_on"], row["until_on"] or ""]
        typer.echo(
            ",".join(cells)
            if csv
            else f"{cells[0]}  {cells[1]:<8}  since {cells[2]}" + (f" until {cells[3]}" if cells[3] else "")
        )


@app.command("add")
def add(  # noqa: PLR0917 - the options of a command line; Typer calls by name
    cohort_id: ClassId,
    users: Users = None,
    subjects: Subjects = None,
    issuer: Issuer = None,
    role: Annotated[MemberRole, typer.Option("--role", help="As what they come.")] = MemberRole.LEARNER,
    since: Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="First day. [today]")] = None,
    file: FromFile = None,
    as_json: AsJson = False,
) -> None:
    """Put people into a class. Who is in it already stays; somebody unknown, and nobody is put in.

    An educator reaches the learners of their class from the next request on. Whoever is moved finds it in their list of
    accesses. A class's figures are of learners who agreed to `cohort`.
    """
    from osler.cli.roster import gather
    from osler.http.classes import Change

    named = gather(users, subjects, file, role)
    first = None if since is None else since.date()
    by_role = _by_role(named)
    _move(
        cohort_id, named, issuer,
        lambda ids: Change(
            [ids[each] for each in by_role[MemberRole.LEARNER]], [ids[each] for each in by_role[MemberRole.EDUCATOR]],
            since_on=first,
        ),
        meets=True, as_json=as_json,
    )  # fmt: skip


@app.command("remove")
def remove(  # noqa: PLR0917 - as above
    cohort_id: ClassId,
    users: Users = None,
    subjects: Subjects = None,
    issuer: Issuer = None,
    file: FromFile = None,
    as_json: AsJson = False,
) -> None:
    """Take people out of a class, from today on; that they were in it stays told. Works at once.

    Published figures of closed weeks are not recut.
    """
    from osler.cli.roster import gather
    from osler.http.classes import Change

    named = gather(users, subjects, file, MemberRole.LEARNER)
    _move(cohort_id, named, issuer, lambda ids: Change(leave=list(ids.values())), meets=False, as_json=as_json)


def _by_role(named: dict[Named, MemberRole]) -> dict[MemberRole, list[Named]]:
    return {role: [each for each, said in named.items() if said is role] for role in MemberRole}


def _move(
    cohort_id: str,
    named: dict[Named, MemberRole],
    issuer: str | None,
    change: Callable[[dict[Named, UUID]], Change],
    *,
    meets: bool,
    as_json: bool,
) -> None:
    async def move(db: Database) -> Moved:
        from osler.cli.roster import by_operator, pseudonyms
        from osler.http.classes import change_members
        from osler.http.policy import Action

        async with db.write() as session:
            ids = await pseudonyms(session, db.settings, issuer, named, meets=meets)
            return await change_members(session, cohort_id, change(ids), by_operator(Action.MANAGE_CLASSES))

    moved = _run(move)
    counts = {name: len(getattr(moved, name)) for name in ("added", "changed", "removed", "same")}
    if as_json:
        typer.echo(json.dumps({"class": cohort_id, **counts, "moved": [str(user_id) for user_id in moved.moved]}))
    else:
        typer.echo(f"class {cohort_id}: " + ", ".join(f"{n} {name}" for name, n in counts.items()))


def _run(work: Callable[[Database], Awaitable[T]]) -> T:
    import asyncio

    from osler.db.engine import Database
    from osler.settings import load_settings

    async def opened() -> T:
        async with Database.open(load_settings()) as db:
            return await work(db)

    return asyncio.run(opened())
