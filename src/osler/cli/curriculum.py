"""`osler curriculum`: load a taxonomy and its exams, or see what is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from osler.catalog.curriculum_store import Loaded

app = typer.Typer(no_args_is_help=True, help="Topics, prerequisites and exam blueprints.")


@app.command("load")
def load(
    source: Annotated[str, typer.Argument(help="A file of the form osler-curriculum/1, or 'usmle', which is shipped.")],
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file could be loaded.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Replace topics, edges, exams and the rules for tags by those of a file. The same file again changes nothing.

    Topics that questions, materials or cards still name stay in the tree.
    Exit codes: 0 loaded or could be, 2 the file is wrong (every fault is named) or missing.
    """
    import asyncio
    from dataclasses import asdict

    from osler.catalog.curriculum import parse_curriculum
    from osler.catalog.curriculum_store import read_shipped
    from osler.errors import NotFound

    path = Path(source)
    if not path.is_file() and path.name != source:
        raise NotFound(f"there is no file {source}", code="curriculum.missing")
    text = path.read_bytes() if path.is_file() else read_shipped(source)
    if check:
        parsed = parse_curriculum(text)
        typer.echo(
            f"{parsed.name} {parsed.version}: {len(parsed.topics)} topics, {len(parsed.edges)} edges, "
            f"{len(parsed.tag_rules)} rules for tags. It fits."
        )
        return
    loaded = asyncio.run(_load(text))
    if as_json:
        typer.echo(json.dumps(asdict(loaded)))
        return
    said = "loaded" if loaded.changed else "is loaded already; nothing changed"
    typer.echo(
        f"{source} {said}: {loaded.topics} topics, {loaded.edges} edges, {loaded.exams} exams, "
        f"{loaded.tag_rules} rules for tags, catalogue version {loaded.version}"
    )


async def _load(text: bytes) -> Loaded:
    from osler.catalog.curriculum_store import load_curriculum
    from osler.db.engine import Database
    from osler.eventlog import marks
    from osler.http.cache.news import announce
    from osler.settings import load_settings

    async with Database.open(load_settings()) as db, db.write() as session:
        loaded = await load_curriculum(session, text)
        if loaded.changed:
            # What was derived under the old tree is derived again: every learner is marked.
            await marks.mark_everybody(session)
            await announce(session, None)  # an answer that was kept has the names of before
        return loaded


@app.command("list")
def list_() -> None:
    """The curricula that come with Osler."""
    from osler.catalog.curriculum import parse_curriculum
    from osler.catalog.curriculum_store import read_shipped, shipped_names

    for name in shipped_names():
        parsed = parse_curriculum(read_shipped(name))
        exams = ", ".join(exam.name for exam in parsed.exams)
        typer.echo(f"{name}  {parsed.name} {parsed.version}: {len(parsed.topics)} topics; exams: {exams}")
