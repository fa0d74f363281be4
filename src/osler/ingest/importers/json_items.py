"""The objects of a JSON file one by one: a line each, or the elements of one array, however long its lines are."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from osler.errors import UnreadableSource
from osler.ingest.importers.files import MOST_LINE_BYTES, open_bytes, require_json_lines

CHUNK_BYTES = 1 << 18
_BETWEEN = " \t\r\n,"
_DECODER = json.JSONDecoder()


class JsonItems:
    """A file of JSON objects. `is_array` tells which of the two shapes it has.

    Errors: UnreadableSource when it is neither, when it is torn, or when one element takes more than 1 MiB.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        with open_bytes(path, any_line=True) as data:
            self.is_array = data.read(4096).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")
        if not self.is_array:
            require_json_lines(path, what)

    def __iter__(self) -> Iterator[bytes]:
        """Each object as it was written, empty lines left out."""
        with open_bytes(self._path, any_line=self.is_array) as data:
            if self.is_array:
                yield from self._elements(data)
            else:
                yield from (line for line in data if line.strip())

    def _elements(self, data: IO[bytes]) -> Iterator[bytes]:
        # What is no UTF-8 goes through as it is: the element that holds it is refused by whoever reads it.
        decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        text, place, is_open = "", 0, False
        while chunk := data.read(CHUNK_BYTES):
            text, place = text[place:] + decode(chunk), 0
            while (place := _after(text, place)) < len(text):
                if not is_open:
                    is_open, place = True, place + 1
                    continue
                if text[place] == "]":
                    return
                end = self._end_of(text, place)
                if end is None:
                    break
                yield text[place:end].encode("utf-8", "surrogateescape")
                place = end
        raise UnreadableSource(f"{self._path.name} ends inside its array", code="source.torn")

    def _end_of(self, text: str, place: int) -> int | None:
        """Where the element ends that begins here; None where more of the file is needed to tell."""
        try:
            _, end = _DECODER.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            if len(text) - place > MOST_LINE_BYTES:
                raise UnreadableSource(
                    f"{self._path.name} has an element that is no JSON, or of more than 1 MiB", code="source.element"
                ) from error
            return None
        # A number at the end of what was read may go on.
        return end if end < len(text) else None


def _after(text: str, place: int) -> int:
    """The first place from here on that is neither white nor a comma."""
    while place < len(text) and text[place] in _BETWEEN:
        place += 1
    return place
