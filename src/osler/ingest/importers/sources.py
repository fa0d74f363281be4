"""The sources that can be imported, by the name that the command line gives them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from osler.errors import UnreadableSource
from osler.ingest.importers.anki import AnkiSource
from osler.ingest.importers.assistments import AssistmentsSource
from osler.ingest.importers.csv_file import CsvSource
from osler.ingest.importers.epm import EpmSource
from osler.ingest.importers.folders import Several, files_of
from osler.ingest.importers.jsonl import JsonlSource
from osler.ingest.importers.oulad import OuladSource
from osler.ingest.importers.record import ImportOptions, Source
from osler.ingest.importers.xapi import XapiSource


class SourceName(StrEnum):
    """What `osler import` can read."""

    ANKI = "anki"
    ASSISTMENTS = "assistments"
    OULAD = "oulad"
    EPM = "epm"
    XAPI = "xapi"
    CSV = "csv"
    JSONL = "jsonl"


_FILES = {
    SourceName.ASSISTMENTS: AssistmentsSource,
    SourceName.OULAD: OuladSource,
    SourceName.EPM: EpmSource,
    SourceName.XAPI: XapiSource,
    SourceName.CSV: CsvSource,
    SourceName.JSONL: JsonlSource,
}

# OULAD and EPM are folders of several tables, which find their own.
_ENDINGS = {
    SourceName.ANKI: (".colpkg", ".apkg", ".anki21b", ".anki21", ".anki2"),
    SourceName.ASSISTMENTS: (".csv",),
    SourceName.XAPI: (".jsonl", ".json"),
    SourceName.CSV: (".csv",),
    SourceName.JSONL: (".jsonl",),
}
# A collection is the whole of a history; an answer without a clock is known by its place in its file.
_ALONE = frozenset({SourceName.ANKI, SourceName.ASSISTMENTS})
# What it is in a folder that holds other things as well.
_NAMES = {
    SourceName.ANKI: ("collection.anki21b", "collection.anki21", "collection.anki2"),
    SourceName.ASSISTMENTS: ("assist09_interactions.csv", "assistments.csv"),
    SourceName.XAPI: ("xapi_statements.jsonl", "statements.jsonl", "statements.json"),
}


@contextmanager
def open_source(name: SourceName, path: Path, options: ImportOptions) -> Generator[Source]:
    """Open a file, or what a folder has of it, as a source.

    Errors: UnreadableSource, saying what was expected and what is there.
    """
    files = files_of(path, _ENDINGS[name], _NAMES.get(name, ())) if name in _ENDINGS else [path]
    if len(files) > 1 and name in _ALONE:
        named = ", ".join(file.name for file in files[:5])
        raise UnreadableSource(f"{path} has several such files ({named}); name one", code="source.several")
    if name is SourceName.ANKI:
        with AnkiSource(files[0], options) as source:
            yield source
    else:
        sources = [_FILES[name](file, options) for file in files]
        yield sources[0] if len(sources) == 1 else Several(sources)
