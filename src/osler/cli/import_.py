"""`osler import`: somebody's own records, or a public data set, as native events."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from osler.cli.shown import shown

if TYPE_CHECKING:
    from osler.db.engine import Database
    from osler.ingest.importers.record import ImportOptions, Source
    from osler.ingest.importers.report import ImportReport
    from osler.settings import Settings


class Kind(StrEnum):
    """What can be imported."""

    ANKI = "anki"
    ASSISTMENTS = "assistments"
    OULAD = "oulad"
    EPM = "epm"
    XAPI = "xapi"
    CSV = "csv"
    JSONL = "jsonl"


def command(  # noqa: PLR0917 - the options of a command line; Typer calls by name
    kind: Annotated[Kind, typer.Argument(help="What the file is.")],
    path: Annotated[Path, typer.Argument(help="A file or a folder; .gz and .zst too.")],
    user: Annotated[
        UUID | None, typer.Option("--user", metavar="ID", help="Whose records; the installation's own learner without.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="Zone of times that have none, e.g. Europe/London; or a file of moves (from,zone)"),
    ] = None,
    shift_to: Annotated[
        datetime | None,
        typer.Option("--shift-to", formats=["%Y-%m-%d"], help="Move everything by whole weeks to end by this day."),
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="csv: what the columns mean (TOML).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; store nothing.")] = False,
    fold: Annotated[bool, typer.Option(help="Bring the analytics up to date afterwards.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")] = False,
) -> None:
    """Import records. Running it again stores nothing twice. Where no curriculum is loaded, the shipped one is, first.

    Anki: a .colpkg, .apkg or collection.anki2; nothing that a card says is read. ASSISTments, OULAD, EPM: the public
    files. xAPI: statements, one a line or in one array. CSV: with a mapping file; without one a first guess is printed.

    Exit codes: 0 done, 2 the source or the database cannot be used; what was stored until then stays, and the same
    command goes on from there.
    """
    from osler import clock
    from osler.settings import load_settings

    settings = load_settings()
    chosen = Chosen(kind, path, user, zone, shift_to.date() if shift_to else None, mapping, fold)
    if kind is Kind.CSV and mapping is None and not as_json:
        from osler.ingest.importers.csv_mapping import suggest_mapping

        typer.echo(suggest_mapping(path), nl=False)  # alone on standard output, so that it can be sent into a file
    if dry_run:
        asyncio.run(_dry_run(settings, chosen, as_json=as_json))
        return
    started = clock.monotonic_seconds()
    report, user_id = asyncio.run(_import(settings, chosen))
    seconds = clock.monotonic_seconds() - started
    if as_json:
        typer.echo(json.dumps({**report.as_json(), "user_id": str(user_id), "seconds": round(seconds, 1)}))
    else:
        _print(report, user_id, seconds)
    if report.retry:
        raise typer.Exit(2)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was asked for on the command line."""

    kind: Kind
    path: Path
    user: UUID | None
    zone: str | None
    shift_to: date | None
    mapping: Path | None
    fold: bool


async def _dry_run(settings: Settings, chosen: Chosen, *, as_json: bool) -> None:
    """Without the database: where no zone was given, the installation's is shown."""
    from osler.cli.dry_run import show
    from osler.ingest.importers.sources import SourceName, open_source

    options = _options(chosen, settings.timezone)
    with open_source(SourceName(chosen.kind.value), chosen.path, options) as source:
        show(source, as_json=as_json, shift_to=chosen.shift_to)


async def _import(settings: Settings, chosen: Chosen) -> tuple[ImportReport, UUID]:
    from osler.catalog.own_learner import own_learner
    from osler.db.engine import Database
    from osler.db.migrate import migrate
    from osler.ingest.importers.sources import SourceName, open_source

    # Opened once before the database is started: a wrong file is said at once.
    with open_source(SourceName(chosen.kind.value), chosen.path, _options(chosen, settings.timezone)):
        pass
    if settings.is_embedded:
        await migrate(settings)
    user_id = chosen.user or own_learner(settings.home)
    async with Database.open(settings) as db:
        if chosen.kind is not Kind.JSONL:  # native events name their topics, and an export brings its own catalogue
            await _ensure_curriculum(db)
        options = _options(chosen, await _zone_of(db, user_id, chosen.zone))
        with open_source(SourceName(chosen.kind.value), chosen.path, options) as source:
            return await _run(db, source, user_id, chosen), user_id


async def _ensure_curriculum(db: Database) -> None:
    """The shipped curriculum where none is loaded yet: tags and names of records are mapped to its topics."""
    from osler.catalog.curriculum_store import SHIPPED
    from osler.ingest.importers.writing import bring_curriculum

    async with db.write() as session:
        loaded = await bring_curriculum(session)
    if loaded is not None:
        typer.echo(f"curriculum: {SHIPPED} is loaded now, {loaded.topics} topics to map to", err=True)


async def _run(db: Database, source: Source, user_id: UUID, chosen: Chosen) -> ImportReport:
    from osler.cli.progress import Bar
    from osler.ingest.importers.run import Importing, run_import

    with Bar(f"importing {source.name}", source.total) as bar:
        importing = Importing(db, user_id, shift_to=chosen.shift_to, progress=bar.advance)
        report = await run_import(importing, source)
    if chosen.fold:
        from osler.worker.up_to_date import bring_up_to_date, is_owed

        if not report.accepted and not await is_owed(db, importing.learners or [user_id]):
            report.notes.append("nothing new was stored; the analytics are as they were")
            return report
        with Bar("bringing the analytics up to date", None) as bar:
            await bring_up_to_date(db, progress=bar.advance)
    return report


async def _zone_of(db: Database, user_id: UUID, given: str | None) -> str:
    """The learner's zone, who is made where there is none, in the zone that was given or the installation's."""
    from osler.catalog import queries, writes
    from osler.errors import NotFound
    from osler.eventlog.erased import erased
    from osler.eventlog.tombstones import KEY_NAME
    from osler.ingest.importers.zones import zones_of
    from osler.observe.keys import secret_key

    home = zones_of(given).zones[-1].key if given else db.settings.timezone
    key = secret_key(db.settings.home, KEY_NAME)
    async with db.write() as session:
        if await erased(session, [user_id], key):
            raise NotFound(
                f"learner {user_id} was erased; nothing more is taken for that pseudonym: name another with --user"
            )
        await writes.ensure_user(session, user_id, time_zone=home)
        row = await queries.user(session, user_id)
    return home if row is None else str(row["time_zone"])


def _options(chosen: Chosen, zone: str) -> ImportOptions:
    from osler.ingest.importers.record import ImportOptions

    return ImportOptions(zone=chosen.zone or zone, zone_is_given=chosen.zone is not None, mapping_file=chosen.mapping)


def _print(report: ImportReport, user_id: UUID, seconds: float) -> None:
    typer.echo(f"{report.read:,} records of {report.source} in {seconds:.1f} s, for {_whom(report, user_id)}")
    typer.echo(f"  {report.accepted:>9,}  stored ({report.events:,} events)")
    for label, n in (("stored already", report.duplicate), ("in conflict with what is stored", report.conflict)):
        if n:
            typer.echo(f"  {n:>9,}  {label}")
    groups = {
        "rejected": report.rejected, "refused": report.refused, "skipped": report.skipped, "merged": report.merged,
    }  # fmt: skip
    for label, counts in groups.items():
        for reason, n in counts.most_common():
            typer.echo(f"  {n:>9,}  {label}: {reason}")
    for note in report.notes:
        typer.echo(f"  note: {shown(note)}")
    typer.echo("See it: osler serve, and sign in with the token of osler token" + f" --user {user_id}")


def _whom(report: ImportReport, user_id: UUID) -> str:
    return f"learner {user_id}" if report.learners <= 1 else f"{report.learners:,} learners"
