"""Which files of a folder an import reads, and several of them as one source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from osler.errors import UnreadableSource
from osler.ingest.importers.files import find
from osler.ingest.importers.record import Entries, Source, SourceRecord

PACKED = (".gz", ".zst")


def files_of(path: Path, endings: Sequence[str], names: Sequence[str]) -> list[Path]:
    """The file itself; of a folder the one with the first of these names, else all that end so, packed or not, by name.

    Errors: UnreadableSource when a folder has none.
    """
    if not path.is_dir():
        return [path]
    known = find(path, *names)
    found = [known] if known else sorted(file for file in path.iterdir() if _plain(file).endswith(tuple(endings)))
    if not found:
        raise UnreadableSource(
            f"{path} is a folder without a file that ends in {' or '.join(endings)}", code="source.missing"
        )
    return found


def _plain(file: Path) -> str:
    name = file.name if file.is_file() else ""
    return name.removesuffix(file.suffix) if file.suffix in PACKED else name


class Several:
    """The files of a folder, read one after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self.name = sources[0].name
        totals = [source.total for source in sources]
        self.total: int | None = sum(n for n in totals if n is not None) if None not in totals else None
        self.notes = list(dict.fromkeys(chain.from_iterable(source.notes for source in sources)))

    def entries(self) -> Entries:
        """What any of them needs; an item has the topics that any of them gives it."""
        of_each = [source.entries() for source in self._sources]
        materials: dict[str, tuple[str, tuple[str, ...]]] = {}
        for entries in reversed(of_each):
            materials |= entries.materials
        return Entries(
            topics=dict(chain.from_iterable(entries.topics.items() for entries in of_each)),
            questions=_united(entries.questions for entries in of_each),
            materials=materials,
            cards=_united(entries.cards for entries in of_each),
            cards_mapped_by=of_each[0].cards_mapped_by,
        )

    def records(self) -> Iterator[SourceRecord]:
        """The records of each file in turn."""
        return chain.from_iterable(source.records() for source in self._sources)


def _united(maps: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for item, topics in chain.from_iterable(each.items() for each in maps):
        found.setdefault(item, set()).update(topics)
    return {item: tuple(sorted(topics)) for item, topics in found.items()}
