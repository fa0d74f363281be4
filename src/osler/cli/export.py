"""`osler export`: everything stored of a learner, in a file that another Osler reads, or that a person opens."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from typing import BinaryIO

    from osler.db.engine import Database
    from osler.privacy.export import Export
    from osler.settings import Settings


class Form(Enum):
    """What is written."""

    ALL = "everything, as lines"
    MOVE = "what another Osler needs, as lines"
    ZIP = "a zip for a person"


@dataclass(slots=True)
class Written:
    """What came of it: rows by table (events among them), bytes, seconds."""

    counts: dict[str, int]
    n_bytes: int
    seconds: float


def command(  # noqa: PLR0917 - the options of a command line; Typer calls by name
    user: Annotated[
        UUID | None, typer.Option("--user", metavar="ID", help="Pseudonym (UUID); without it the installation's own.")
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Every learner, each line with its own: to move an installation.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write, 0600; standard output without it.")
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="What `osler import jsonl` takes over: no derived rows.")
    ] = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="A zip with CSV, a page that explains every column, and the lines.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one JSON object on standard output; needs --out.")
    ] = False,
) -> None:
    """Write what is stored of a learner, one JSON object a line, or with --csv as a zip.

    With --jsonl: the catalogue that the events rest on, what the learner has entered, and the events in the wire's form
    with what the server concluded: the way from one Osler to another. Without: every derived row and forecast as well.
    Right answers of questions are in the lines, as it is the installation's owner who asks; zip and API leave them out.
    """
    import asyncio

    from osler.catalog.own_learner import own_learner
    from osler.errors import InvalidInput
    from osler.settings import load_settings

    if jsonl and csv:
        raise InvalidInput("--jsonl and --csv are two forms; choose one")
    if everybody and (csv or user is not None):
        raise InvalidInput("--everybody writes lines of every learner; it goes with neither --csv nor --user")
    if as_json and out is None:
        raise InvalidInput("--json needs --out FILE: standard output takes either the export or the summary")
    settings = load_settings()
    user_id = None if everybody else user or own_learner(settings.home)
    form = Form.MOVE if jsonl else Form.ZIP if csv else Form.ALL
    written = asyncio.run(_written(settings, user_id, form, out))
    events = written.counts.get("events", 0)
    if as_json:
        said = {"user_id": None if user_id is None else str(user_id), "events": events, "rows": written.counts}
        typer.echo(json.dumps({**said, "bytes": written.n_bytes, "seconds": round(written.seconds, 1)}))
    elif out is not None:
        typer.echo(f"{sum(written.counts.values()):,} rows ({events:,} events) in {out}", err=True)


async def _written(settings: Settings, user_id: UUID | None, form: Form, out: Path | None) -> Written:
    from osler.analytics.registry import analytics
    from osler.catalog import queries
    from osler.db.engine import Database
    from osler.errors import NotFound

    analytics()  # their tables are declared by importing them
    async with Database.open(settings) as db:
        if user_id is not None:
            async with db.read() as session:
                if await queries.user(session, user_id) is None:
                    raise NotFound(f"nothing is stored of a learner {user_id}")
        with _opened(out) as file:
            return await _export(db, user_id, form, file)


@contextmanager
def _opened(out: Path | None) -> Generator[BinaryIO]:
    import os
    import sys

    from osler.errors import InvalidInput

    if out is None:
        yield sys.stdout.buffer
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        yield file


async def _export(db: Database, user_id: UUID | None, form: Form, file: BinaryIO) -> Written:
    from osler import clock
    from osler.cli.progress import Bar
    from osler.privacy.export import Export

    began, n_bytes = clock.monotonic_seconds(), 0
    export = Export(db, user_id, await db.now(), with_keys=form is not Form.ZIP)
    with Bar("exporting", await export.total()) as bar:
        done = 0
        async for part in _parts(export, form):
            file.write(part)
            n_bytes += len(part)
            bar.advance(export.counts.get("events", 0) - done)
            done = export.counts.get("events", 0)
    file.flush()
    return Written(export.counts, n_bytes, clock.monotonic_seconds() - began)


def _parts(export: Export, form: Form) -> AsyncGenerator[bytes]:
    from osler.privacy.archive import archive

    if form is Form.ZIP and export.user_id is not None:
        return archive(export, export.user_id)
    return export.lines(with_derived=form is Form.ALL)
