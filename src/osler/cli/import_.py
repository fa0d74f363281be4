"""`osler import`: somebody's own records, or a public data set, as native events."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from osler.ingest.importers.record import ImportOptions, Source
    from osler.ingest.importers.report import ImportReport


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
        str | None, typer.Option("--zone", help="Time zone of records that do not know theirs, e.g. Europe/London.")
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
    """Import records. Running it again stores nothing twice.

    Anki: a .colpkg, .apkg or collection.anki2; nothing that a card says is read. ASSISTments, OULAD, EPM: the public
    files. xAPI: statements, one a line. CSV: with a mapping file; without one a first guess is printed.

    Exit codes: 0 done, 2 the source cannot be read, or some records were told to come back later.
    """
    from osler import clock
    from osler.ingest.importers.record import ImportOptions
    from osler.ingest.importers.sources import SourceName, open_source

    _check_zone(zone)
    options = ImportOptions(zone=zone or "UTC", zone_is_given=zone is not None, mapping_file=mapping)
    started = clock.monotonic_seconds()
    with open_source(SourceName(kind.value), path, options) as source:
        if dry_run:
            _print_dry_run(source, as_json=as_json)
            return
        day = shift_to.date() if shift_to else None
        report, user_id = asyncio.run(_run(source, user, options, day, fold=fold))
    seconds = clock.monotonic_seconds() - started
    if as_json:
        typer.echo(json.dumps({**report.as_json(), "user_id": str(user_id), "seconds": round(seconds, 1)}))
    else:
        _print(report, user_id, seconds)
    if report.retry:
        raise typer.Exit(2)


async def _run(
    source: Source, user: UUID | None, options: ImportOptions, shift_to: date | None, *, fold: bool
) -> tuple[ImportReport, UUID]:
    from osler.catalog import writes
    from osler.catalog.own_learner import own_learner
    from osler.cli.progress import Bar
    from osler.db.engine import Database
    from osler.ingest.importers.run import Importing, run_import
    from osler.settings import load_settings
    from osler.worker.up_to_date import bring_up_to_date

    settings = load_settings()
    user_id = user or own_learner(settings.home)
    async with Database.open(settings) as db:
        async with db.write() as session:
            await writes.ensure_user(session, user_id, time_zone=options.zone)
        with Bar(f"importing {source.name}", source.total) as bar:
            report = await run_import(Importing(db, user_id, shift_to=shift_to, progress=bar.advance), source)
        if fold:
            with Bar("bringing the analytics up to date", None) as bar:
                await bring_up_to_date(db, progress=bar.advance)
    return report, user_id


def _check_zone(zone: str | None) -> None:
    from zoneinfo import available_timezones

    if zone is not None and zone not in available_timezones():
        typer.echo(f"osler import: there is no time zone '{zone}'; names look like Europe/London", err=True)
        raise typer.Exit(2)


def _print_dry_run(source: Source, *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    first, last = "9", ""
    read = 0
    for record in source.records():
        read += record.n
        if record.skipped or record.merged:
            counts[f"skipped: {record.skipped}" if record.skipped else f"merged: {record.merged}"] += record.n
        for event in record.events:
            counts[event["type"]] += 1
            hours[datetime.fromisoformat(event["occurred_at"]).hour] += 1
            first, last = min(first, event["occurred_at"]), max(last, event["occurred_at"])
    if as_json:
        said = {
            "read": read,
            "counts": dict(counts),
            "first": first,
            "last": last,
            "hours": dict(sorted(hours.items())),
        }
        typer.echo(json.dumps({**said, "notes": source.notes}))
        return
    typer.echo(f"{read} records read, nothing stored.")
    for name, n in counts.most_common():
        typer.echo(f"  {n:>9,}  {name}")
    typer.echo(f"  from {first[:10]} to {last[:10]}; by hour of the day, as the records will be stored:")
    most = max(hours.values(), default=1)
    for hour in range(24):
        typer.echo(f"  {hour:02d} h {'█' * round(40 * hours[hour] / most)} {hours[hour] or ''}")
    for note in source.notes:
        typer.echo(f"  note: {note}")


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
        typer.echo(f"  note: {note}")
    typer.echo("See it: osler serve, and sign in with the token of osler token" + f" --user {user_id}")


def _whom(report: ImportReport, user_id: UUID) -> str:
    return f"learner {user_id}" if report.learners <= 1 else f"{report.learners:,} learners"
