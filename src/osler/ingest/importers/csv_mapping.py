"""What the columns of somebody's CSV mean: a mapping file, and a first guess at one, shown and never used unseen."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec

from osler.errors import UnreadableSource
from osler.ingest.importers.files import open_bytes

GUESSES: dict[str, tuple[str, ...]] = {
    "id": ("id", "answer_id", "attempt_id", "row_id", "log_id", "order_id"),
    "learner": ("user_id", "learner", "student_id", "user", "student", "anon_student_id"),
    "at": ("timestamp", "time", "date", "datetime", "answered_at", "created_at", "submitted_at"),
    "item": ("question_id", "item_id", "problem_id", "question", "item", "card_id"),
    "correct": ("correct", "is_correct", "right", "score", "result", "outcome"),
    "seconds": ("seconds", "time_to_answer_seconds", "time_taken", "duration", "response_time"),
    "topics": ("topic", "topics", "subject", "skill", "skill_id", "category", "system"),
    "rating": ("rating", "ease", "grade", "button"),
}


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
    """A mapping file. Formats are those of Python's `strptime`; `zone` is for times without an offset."""

    type: str
    columns: Columns
    zone: str = "UTC"
    date_format: str | None = None
    date_only: bool = False
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    correct_values: list[str] = ["1", "true", "True", "correct", "Correct", "yes"]
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
    needed = {"question_submit": mapping.columns.correct, "flashcard_review": mapping.columns.rating}
    if mapping.type not in needed:
        raise UnreadableSource(f"{path.name}: type is {mapping.type!r}; it may be {' or '.join(needed)}")
    if needed[mapping.type] is None:
        column = "correct" if mapping.type == "question_submit" else "rating"
        raise UnreadableSource(f"{path.name}: columns.{column} is needed for {mapping.type}")
    return mapping


def suggest_mapping(path: Path) -> str:
    """A mapping file to begin with, guessed from the header; what could not be guessed is left open with a comment."""
    with open_bytes(path) as data:
        head = data.read(64 * 1024).decode("utf-8-sig", errors="replace")
    delimiter = _delimiter(head)
    columns: list[str] = next(csv.reader(io.StringIO(head), delimiter=delimiter), [])
    by_lower = {name.strip().lower(): name for name in columns}
    found = {
        field: next((by_lower[guess] for guess in guesses if guess in by_lower), None)
        for field, guesses in GUESSES.items()
    }
    kind = "flashcard_review" if found["rating"] and not found["correct"] else "question_submit"
    lines = [
        f'type = "{kind}"',
        'zone = "UTC"  # of times without an offset',
        '# date_format = "%d.%m.%Y %H:%M:%S"  # needed unless times are ISO 8601',
        f'delimiter = "{delimiter if delimiter != chr(9) else chr(92) + "t"}"',
        'correct_values = ["1", "true", "correct"]',
        "",
        f"# columns of {path.name}: {', '.join(columns)}",
        "[columns]",
    ]
    lines += [f'{field} = "{name}"' if name else f'# {field} = "…"' for field, name in found.items()]
    return "\n".join(lines) + "\n"


def _delimiter(head: str) -> str:
    try:
        return csv.Sniffer().sniff(head.splitlines()[0], delimiters=",;\t|").delimiter
    except (csv.Error, IndexError):
        return ","
