"""Which time zone the source's learner was in, and when: one zone, or a file of periods for people who moved."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from osler.errors import UnreadableSource


@dataclass(frozen=True, slots=True)
class Zones:
    """Zones by the local date from which they held; the first holds before its date too."""

    since: tuple[date, ...]
    zones: tuple[ZoneInfo, ...]

    @property
    def said(self) -> str:
        """The zones in words."""
        return ", then ".join(zone.key for zone in self.zones)

    def local(self, instant: datetime) -> datetime:
        """An aware instant on the wall clock of where the learner was."""
        return instant.astimezone(self._on(instant.date()))

    def placed(self, wall: datetime) -> datetime:
        """A wall-clock time without a zone, with the one that held then. Of two that an autumn has, the first."""
        return wall.replace(tzinfo=self._on(wall.date()))

    def _on(self, day: date) -> ZoneInfo:
        return self.zones[max(0, bisect_right(self.since, day) - 1)]


def zones_of(text: str) -> Zones:
    """A zone by name, or the file of this name with a line `YYYY-MM-DD,Zone` for each move.

    Errors: UnreadableSource for a zone that there is not, or a line that is none.
    """
    path = Path(text)
    if text in available_timezones():
        return Zones((date.min,), (ZoneInfo(text),))
    if not path.is_file():
        raise UnreadableSource(
            f"there is no time zone '{text}', nor a file of that name; zones look like Europe/London",
            code="zone.unknown",
        )
    lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    periods = sorted(_period(path, line) for line in lines if line and not line.startswith(("#", "from")))
    if not periods:
        raise UnreadableSource(f"{path.name} has no line of the form 2021-09-01,Europe/London", code="zone.unknown")
    return Zones(tuple(day for day, _ in periods), tuple(ZoneInfo(name) for _, name in periods))


def _period(path: Path, line: str) -> tuple[date, str]:
    day, _, name = (part.strip() for part in line.partition(","))
    try:
        since = date.fromisoformat(day)
    except ValueError:
        since = None
    if since is None or name not in available_timezones():
        raise UnreadableSource(f"{path.name}: '{line[:80]}' is not of the form 2021-09-01,Europe/London")
    return since, name
