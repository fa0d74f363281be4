"""What the columns of somebody's CSV mean: a mapping file, and a first guess at one, shown and never used unseen."""

from __future__ import annotations

import codecs
import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from osler.errors import UnreadableSource
from osler.ingest.importers.files import number, open_bytes
from osler.science.ratings import Scale

GUESSES: dict[str, tuple[str, ...]] = {
    "id": ("id", "answer_id", "attempt_id", "row_id", "log_id", "order_id"),
    "learner": ("user_id", "learner", "student_id", "user", "student", "anon_student_id"),
    "at": ("timestamp", "time", "date", "datetime", "answered_at", "created_at", "submitted_at", "ts"),
    "item": ("question_id", "item_id", "problem_id", "question", "item", "card_id", "card"),
    "correct": ("correct", "is_correct", "right", "score", "result", "outcome"),
    "seconds": ("seconds", "time_to_answer_seconds", "time_taken", "duration", "response_time"),
    "topics": ("topic", "topics", "subject", "skill", "skill_id", "category", "system"),
    "rating": ("rating", "ease", "grade", "button"),
}


SAMPLE = 200
UNIX = {"unix": 1, "unix_ms": 1000}
FORMATS = (
    "unix_ms", "unix", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
    "%d/%m/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d",
)  # fmt: skip


class Columns(msgspec.Struct, forbid_unknown_fields=True):
    """Which column holds what; `id`, `at` and `item` are needed, and `correct` or `rating`."""

    at: str
    item: str
    id: str | None = None
    learner: str | None = None
    correct: str | None = None
    seconds: str | None = None
    topics: str | None = None
    rating: str | None = None
    answer: str | None = None


class Mapping(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping file. Formats are those of Python's `strptime`, `unix` or `unix_ms`.

    `zone` is for times without an offset, or with a plain `Z`, which says the instant and not the place. `scale` is
    what the numbers of `columns.rating` mean.
    """

    type: str
    columns: Columns
    zone: str = "UTC"
    date_format: str | None = None
    date_only: bool = False
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    correct_values: tuple[str, ...] = ("1", "true", "True", "correct", "Correct", "yes")
    scale: Scale = Scale.RATING
    topic_separator: str = ";"
    topic_prefix: str = "own"
    seconds_per_unit: float = 1.0


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file.

    Errors: UnreadableSource, saying what is wrong with it and where.
    """
    try:
        mapping = msgspec.toml.decode(path.read_bytes(), type=Mapping)
    except OSError as error:
        raise UnreadableSource(f"there is no mapping file {path}", code="mapping.missing") from error
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableSource(f"{path.name} is no mapping: {error}", code="mapping.invalid") from error
    wrong = _fault(mapping)
    if wrong is not None:
        raise UnreadableSource(f"{path.name}: {wrong}", code="mapping.invalid")
    return mapping


def _fault(mapping: Mapping) -> str | None:
    needed = {"question_submit": mapping.columns.correct, "flashcard_review": mapping.columns.rating}
    if mapping.type not in needed:
        return f"type is {mapping.type!r}; it may be {' or '.join(needed)}"
    if needed[mapping.type] is None:
        column = "correct" if mapping.type == "question_submit" else "rating"
        return f"columns.{column} is needed for {mapping.type}"
    if len(mapping.delimiter) != 1:
        return f"delimiter is {mapping.delimiter!r}; it is one character"
    try:
        codecs.lookup(mapping.encoding)
    except LookupError:
        return f"there is no encoding {mapping.encoding!r}"
    return None


def _scale_line(rows: list[list[str]], column: str | None) -> str:
    """The scale that the first grades fit: a 5 is no button, four numbers from 1 are."""
    at = rows[0].index(column) if column else 0
    grades = {number(row[at]) for row in rows[1:] if len(row) > at}
    scale = Scale.SUPERMEMO if 5 in grades else Scale.ANKI if 0 in grades else Scale.RATING
    return f'scale = "{scale}"  # what a grade means: {", ".join(Scale)}'


def suggest_mapping(path: Path) -> str:
    """A mapping file to begin with, guessed from the header; what could not be guessed is left open with a comment."""
    with open_bytes(path) as data:
        head = data.read(64 * 1024).decode("utf-8-sig", errors="replace")
    delimiter = _delimiter(head)
    try:
        rows = list(csv.reader(io.StringIO(head), delimiter=delimiter))[:SAMPLE]
    except csv.Error as error:
        raise UnreadableSource(f"{path.name} is no table: {error}", code="source.text") from error
    columns: list[str] = rows[0] if rows else []
    by_lower = {name.strip().lower(): name for name in columns}
    found = {
        field: next((by_lower[guess] for guess in guesses if guess in by_lower), None)
        for field, guesses in GUESSES.items()
    }
    kind = "flashcard_review" if found["rating"] and not found["correct"] else "question_submit"
    lines = [
        f'type = "{kind}"',
        'zone = "UTC"  # of times without an offset',
        _date_line(rows, found["at"]),
        f'delimiter = "{delimiter if delimiter != chr(9) else chr(92) + "t"}"',
        'correct_values = ["1", "true", "correct"]'
        if kind == "question_submit"
        else _scale_line(rows, found["rating"]),
        "",
        f"# columns of {path.name}: {', '.join(columns)}",
        "[columns]",
    ]
    lines += [f'{field} = "{name}"' if name else f'# {field} = "…"' for field, name in found.items()]
    return "\n".join(lines) + "\n"


def _date_line(rows: list[list[str]], column: str | None) -> str:
    """The format that every sampled time fits; where two do (day or month first), that is said."""
    places = [place for place, name in enumerate(rows[0]) if name == column] if rows else []
    times = [row[places[0]].strip() for row in rows[1:-1] if places and len(row) > places[0] and row[places[0]].strip()]
    if not times or all(_fits(time, None) for time in times):
        return '# date_format = "%d.%m.%Y %H:%M:%S"  # needed unless times are ISO 8601'
    fitting = [form for form in FORMATS if all(_fits(time, form) for time in times)]
    if not fitting:
        return '# date_format = "…"  # the times are not ISO 8601; a format of strptime, unix or unix_ms'
    doubt = f"  # or {' or '.join(fitting[1:])}: look" if len(fitting) > 1 else ""
    return f'date_format = "{fitting[0]}"{doubt}'


def _fits(text: str, form: str | None) -> bool:
    try:
        read_time(text, form)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def read_time(text: str, form: str | None) -> datetime:
    """A time in a cell: by a `strptime` format, `unix` (seconds), `unix_ms`, or ISO 8601 where there is none.

    Errors: ValueError, OverflowError or OSError when it is none.
    """
    if form in UNIX:
        return datetime.fromtimestamp(float(text) / UNIX[form], UTC)
    return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 (zone at the caller)


def _delimiter(head: str) -> str:
    try:
        return csv.Sniffer().sniff(head.splitlines()[0], delimiters=",;\t|").delimiter
    except (csv.Error, IndexError):
        return ","
