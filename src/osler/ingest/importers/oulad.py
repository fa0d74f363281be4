"""Open University Learning Analytics: submissions as attempts, final results as outcomes.

Source: Kuzilek, Hlosta, Zdrahal 2017 (CC BY 4.0). Days count from the start of a presentation: B is February, J is
October. Banked scores were carried over from an earlier presentation and are no new work. `date_unregistration` tells
the outcome and is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from osler.errors import UnreadableSource
from osler.ingest.importers.files import count_lines, find, number, open_csv
from osler.ingest.importers.record import Entries, ImportOptions, Outcome, SourceRecord, event

START_MONTHS = {"B": 2, "J": 10}
ZONE = ZoneInfo("Europe/London")
PASSED = {"Pass": True, "Distinction": True, "Fail": False, "Withdrawn": None}
KINDS = {
    "oucontent": "text",
    "resource": "text",
    "url": "text",
    "page": "text",
    "quiz": "case",
    "oucollaborate": "video",
}
MOST_DAYS = 1_000
PUBLISHED = {
    "course": "courses", "assessment": "assessments", "student_assessment": "studentAssessment",
    "student": "studentInfo",
}  # fmt: skip
"""The tables that are read, with their names where they were published."""

Presentation = tuple[str, str]
_NAMED = re.compile(r"20[0-9]{2}[A-Z]")


class OuladSource:
    """The folder of the data set."""

    name = "oulad"

    def __init__(self, path: Path, options: ImportOptions) -> None:  # noqa: ARG002 (every source is made alike)
        folder = path if path.is_dir() else path.parent
        self._files = {name: _needed(folder, name) for name in PUBLISHED}
        if path.is_file() and path not in self._files.values():
            raise UnreadableSource(
                f"{path.name} is no table of the data set; name the folder that holds it", code="source.missing"
            )
        self._vle = find(folder, "oulad_vle.csv", "vle.csv")
        self._lengths = self._read_lengths()
        self._assessments = self._read_assessments()
        counted = (self._files["student_assessment"], self._files["student"])
        self.total: int | None = sum(max(0, count_lines(file) - 1) for file in counted)
        self.notes = ["OULAD counts days from the start of a presentation: times are noon of that day in London"]

    def entries(self) -> Entries:
        """Modules as topics, assessments as questions graded elsewhere, sites as materials, presentations as exams."""
        topics = {"oulad": "Open University modules"}
        topics |= {_topic(module): f"Module {module}" for module, _ in self._lengths}
        questions = {f"oulad.{a}": (_topic(p[0]),) for a, p in self._assessments.items()}
        exams = {_exam(p): f"Module {p[0]}, presentation {p[1]}" for p in self._lengths}
        return Entries(topics=topics, questions=questions, materials=self._materials(), exams=exams)

    def records(self) -> Iterator[SourceRecord]:
        """Submissions, then final results."""
        yield from self._submissions()
        yield from self._results()

    def _submissions(self) -> Iterator[SourceRecord]:
        needed = ("id_assessment", "id_student", "date_submitted", "is_banked", "score")
        with open_csv(self._files["student_assessment"], needed) as rows:
            for row in rows:
                yield self._submission(row)

    def _submission(self, row: dict[str, str]) -> SourceRecord:
        presentation = self._assessments.get(row["id_assessment"])
        if presentation is None:
            return SourceRecord(skipped="assessment_unknown")
        if row["is_banked"] in ("True", "1"):
            return SourceRecord(skipped="banked")
        score, day = number(row["score"]), number(row["date_submitted"])
        if score is None:
            return SourceRecord(skipped="no_score")
        if day is None or abs(day) > MOST_DAYS:
            return SourceRecord(skipped="date_unreadable")
        on = _start(presentation) + timedelta(days=int(day))
        data: dict[str, object] = {
            "question_id": f"oulad.{row['id_assessment']}",
            "answer": [],
            "time_to_answer_seconds": 0.0,
            "mode": "untimed",
            "score": min(1.0, max(0.0, score / 100)),
        }
        source_id = f"{row['id_assessment']}:{row['id_student']}"
        topics = [_topic(presentation[0])]
        made = event("oulad", source_id, "question_submit", _noon(on), data, precision="day", topic_ids=topics)
        return SourceRecord((made,), learner=row["id_student"])

    def _results(self) -> Iterator[SourceRecord]:
        needed = ("code_module", "code_presentation", "id_student", "final_result")
        with open_csv(self._files["student"], needed) as rows:
            for row in rows:
                presentation = _presentation(row)
                length = self._lengths.get(presentation) if presentation else None
                if presentation is None or length is None or row["final_result"] not in PASSED:
                    yield SourceRecord(skipped="presentation_unknown" if length is None else "result_unknown")
                    continue
                result = row["final_result"]
                if PASSED[result] is None:
                    yield SourceRecord(skipped="withdrew")  # a drop-out is a missing outcome, not a fail
                    continue
                on = _start(presentation) + timedelta(days=length)
                outcome = Outcome(_exam(presentation), on, None, PASSED[result], result.lower())
                yield SourceRecord(learner=row["id_student"], stored=outcome)

    def _materials(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        if self._vle is None:
            return {}
        with open_csv(self._vle, ("id_site", "code_module", "activity_type")) as rows:
            return {
                f"oulad.{row['id_site']}": (KINDS.get(row["activity_type"], "text"), (_topic(row["code_module"]),))
                for row in rows
            }

    def _read_lengths(self) -> dict[Presentation, int]:
        needed = ("code_module", "code_presentation", "module_presentation_length")
        with open_csv(self._files["course"], needed) as rows:
            found = [(_presentation(row), number(row["module_presentation_length"])) for row in rows]
        return {presentation: int(days) for presentation, days in found if presentation and days is not None}

    def _read_assessments(self) -> dict[str, Presentation]:
        with open_csv(self._files["assessment"], ("id_assessment", "code_module", "code_presentation")) as rows:
            found = [(row["id_assessment"], _presentation(row)) for row in rows]
        return {assessment: presentation for assessment, presentation in found if presentation is not None}


def _needed(folder: Path, name: str) -> Path:
    found = find(folder, f"oulad_{name}.csv", f"{PUBLISHED[name]}.csv")
    if found is None:
        raise UnreadableSource(
            f"{folder} has no oulad_{name}.csv (or {PUBLISHED[name]}.csv); name the folder that holds the data set",
            code="source.missing",
        )
    return found


def _presentation(row: dict[str, str]) -> Presentation | None:
    """A module's presentation such as 2013B, None for what cannot be one."""
    named = row["code_presentation"]
    return (row["code_module"], named) if _NAMED.fullmatch(named) else None


def _start(presentation: Presentation) -> date:
    year, term = int(presentation[1][:4]), presentation[1][4:]
    return date(year, START_MONTHS.get(term, 1), 1)


def _noon(on: date) -> datetime:
    return datetime.combine(on, time(12), tzinfo=ZONE)


def _topic(module: str) -> str:
    return f"oulad.{module}"


def _exam(presentation: Presentation) -> str:
    return f"oulad.{presentation[0]}.{presentation[1]}"
