"""What an import would read, counted and shown without storing anything."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import typer

from osler.cli.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osler.ingest.importers.record import Source, SourceRecord

HOURS = 24
BAR = 40


@dataclass
class DryRun:
    """Counts of what a source holds. `hours` are those of the day as the records will be stored."""

    read: int = 0
    events: Counter[str] = field(default_factory=Counter[str])
    skipped: Counter[str] = field(default_factory=Counter[str])
    merged: Counter[str] = field(default_factory=Counter[str])
    outcomes: int = 0
    hours: Counter[int] = field(default_factory=Counter[int])
    first: str | None = None
    last: str | None = None

    def add(self, record: SourceRecord) -> None:
        """Count one record."""
        self.read += record.n
        if record.skipped is not None:
            self.skipped[record.skipped] += record.n
        if record.merged is not None:
            self.merged[record.merged] += record.n
        self.outcomes += record.stored is not None
        for event in record.events:
            self.events[str(event.get("type"))] += 1
            self._see(str(event.get("occurred_at")))

    def _see(self, text: str) -> None:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return
        self.hours[at.hour] += 1
        self.first = min(self.first or text, text)
        self.last = max(self.last or text, text)

    def as_json(self) -> dict[str, Any]:
        """The counts as one JSON object."""
        return {
            "dry_run": True,
            "read": self.read,
            "events": dict(self.events),
            "outcomes": self.outcomes,
            "skipped": dict(self.skipped),
            "merged": dict(self.merged),
            "first": self.first,
            "last": self.last,
            "hours": dict(sorted(self.hours.items())),
        }


def show(source: Source, *, as_json: bool, shift_to: date | None = None) -> None:
    """Read a source through and say what is in it."""
    from osler.ingest.importers.shift import weeks_to

    found = DryRun()
    for record in source.records():
        found.add(record)
    shifted_days = weeks_to(source.records(), shift_to).days if shift_to else 0
    if as_json:
        said = {"source": source.name, **found.as_json(), "shifted_days": shifted_days, "notes": source.notes}
        typer.echo(json.dumps(said))
    else:
        _tell(found, shifted_days, source.notes)


def _tell(found: DryRun, shifted_days: int, notes: Sequence[str]) -> None:
    typer.echo(f"{found.read:,} records read, nothing stored.")
    for label, counts in (("", found.events), ("skipped: ", found.skipped), ("merged: ", found.merged)):
        for name, n in counts.most_common():
            typer.echo(f"  {n:>9,}  {label}{name}")
    if found.outcomes:
        typer.echo(f"  {found.outcomes:>9,}  results of exams")
    if found.first and found.last:
        typer.echo(f"  from {found.first[:10]} to {found.last[:10]}; by hour of the day, as they will be stored:")
        most = max(found.hours.values(), default=1)
        for hour in range(HOURS):
            typer.echo(f"  {hour:02d} h {'█' * round(BAR * found.hours[hour] / most)} {found.hours[hour] or ''}")
    if shifted_days:
        typer.echo(f"  would be moved by {shifted_days} days")
    for note in notes:
        typer.echo(f"  note: {shown(note)}")
