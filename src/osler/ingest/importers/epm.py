"""Educational Process Mining: six lab sessions, activity by activity, with grades.

Source: Vahdat et al. 2015. Times are `2.10.2014 9:24:19`, day first and local; Europe/Rome by our reading, as the file
does not say. Each activity opens a material and, when it took time, closes it; a learner's session is one session.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from osler.errors import UnreadableSource
from osler.ingest.importers.files import count_lines, find, number, open_csv
from osler.ingest.importers.record import Entries, ImportOptions, Outcome, SourceRecord, WireEvent, event

NEEDED = ("session", "student_id", "exercise", "activity", "start_time", "end_time")
OFF_TASK = {"Other": "off_task", "Blank": "blank_page"}
FINAL_ON = date(2014, 12, 18)
"""The data set dates its sessions, not its exam; the last session ended on 17 December 2014."""
FINAL, RESIT = "epm.final", "epm.final.2"
EXAMS = {FINAL: "EPM final exam", RESIT: "EPM final exam, second sitting"}
PASS_SHARE = 0.6
_TIME = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}) (\d{1,2}):(\d{1,2}):(\d{1,2})")
_NOT_ID = re.compile(r"[^A-Za-z0-9_.-]+")


class EpmSource:
    """The file of activities, or the folder of the data set (then with final grades)."""

    name = "epm"

    def __init__(self, path: Path, options: ImportOptions) -> None:
        events = find(path, "epm_events.csv", "events.csv") if path.is_dir() else path
        if events is None:
            raise UnreadableSource(f"{path} has no epm_events.csv; name the file or its folder", code="source.missing")
        self._events = events
        self._grades = find(path, "epm_final_grades.csv") if path.is_dir() else None
        self._zones = options.zones("Europe/Rome")
        with open_csv(self._events, NEEDED):
            pass  # a wrong file is said at once
        files = [file for file in (self._events, self._grades) if file is not None]
        self.total: int | None = sum(max(0, count_lines(file) - 1) for file in files[:1])
        self.notes = [f"EPM names no time zone; {self._zones.said} was taken"]

    def entries(self) -> Entries:
        """The six sessions as topics, activities as materials, the final exam."""
        topics = {"epm": "Digital electronics laboratory"} | {f"epm.s{n}": f"Session {n}" for n in range(1, 7)}
        materials: dict[str, tuple[str, tuple[str, ...]]] = {}
        with open_csv(self._events, NEEDED) as rows:
            for row in rows:
                if row["activity"] not in OFF_TASK:
                    materials.setdefault(_material(row), ("case", (f"epm.s{row['session']}",)))
        return Entries(topics=topics, materials=materials, exams=EXAMS)

    def records(self) -> Iterator[SourceRecord]:
        """Activities, then final grades."""
        with open_csv(self._events, NEEDED) as rows:
            for row in rows:
                yield self._activity(row)
        if self._grades is not None:
            yield from _final_grades(self._grades)

    def _activity(self, row: dict[str, str]) -> SourceRecord:
        start, end = self._at(row["start_time"]), self._at(row["end_time"])
        if start is None or end is None or end < start:
            return SourceRecord(skipped="time_unreadable")
        if row["activity"] in OFF_TASK:
            return SourceRecord(skipped=OFF_TASK[row["activity"]])
        source_id = ":".join(row[name] for name in (*NEEDED, *sorted(set(row) - {*NEEDED, ""})))
        session_id = _session_id(row)
        material = _material(row)
        opened = event(
            "epm", "open:" + source_id, "material_open", start, {"material_id": material, "kind": "case"},
            precision="s", session_id=session_id,
        )  # fmt: skip
        events: list[WireEvent] = [opened]
        if end > start:
            data = {"material_id": material, "reason": "navigate"}
            closed = event(
                "epm", "close:" + source_id, "material_close", end, data,
                precision="s", session_id=session_id,
            )  # fmt: skip
            events.append(closed)
        return SourceRecord(tuple(events), learner=row["student_id"])

    def _at(self, text: str) -> datetime | None:
        found = _TIME.fullmatch(text.strip())
        if found is None:
            return None
        day, month, year, hour, minute, second = (int(part) for part in found.groups())
        try:
            return self._zones.placed(datetime(year, month, day, hour, minute, second))  # noqa: DTZ001 (placed here)
        except ValueError:
            return None


def _final_grades(path: Path) -> Iterator[SourceRecord]:
    """One result a sitting; the last total column is out of 100."""
    with open_csv(path, ("Student ID",)) as rows:
        total = next((name for name in rows.fieldnames or [] if name.strip().upper().startswith("TOTAL")), None)
        for row in rows:
            points = number(row[total]) if total is not None else None
            if points is None:
                yield SourceRecord(skipped="no_score")
                continue
            share = min(1.0, max(0.0, points / 100))
            exam_id = RESIT if "second" in row.get("sitting", "").lower() else FINAL
            outcome = Outcome(exam_id, FINAL_ON, share, share >= PASS_SHARE, row.get("sitting"))
            yield SourceRecord(learner=row["Student ID"], stored=outcome)


def _material(row: dict[str, str]) -> str:
    return "epm." + _NOT_ID.sub("_", row["activity"].strip())[:50]


def _session_id(row: dict[str, str]) -> UUID:
    digest = hashlib.sha256(f"epm:{row['student_id']}:{row['session']}".encode()).digest()
    return UUID(bytes=digest[:16], version=4)
