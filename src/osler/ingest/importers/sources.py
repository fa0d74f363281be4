"""The sources that can be imported, by the name that the command line gives them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from osler.ingest.importers.anki import AnkiSource
from osler.ingest.importers.assistments import AssistmentsSource
from osler.ingest.importers.csv_file import CsvSource
from osler.ingest.importers.epm import EpmSource
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


@contextmanager
def open_source(name: SourceName, path: Path, options: ImportOptions) -> Generator[Source]:
    """Open a file or a folder as a source.

    Errors: UnreadableSource, saying what was expected and what is there.
    """
    if name is SourceName.ANKI:
        with AnkiSource(path, options) as source:
            yield source
    else:
        yield _FILES[name](path, options)
