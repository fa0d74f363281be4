"""Writes src/osler/tracking/events.py from the declared event types: `python tools/generate_tracking.py`."""

from __future__ import annotations

from pathlib import Path

from osler.domain.event_types import EVENT_TYPES, EventType, Sender

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "osler" / "tracking" / "events.py"

HEAD = '''"""A typed function for each event type of a host; made by tools/generate_tracking.py, not by hand."""
# fmt: off

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from osler.domain import event_fields as f


class Track(Protocol):
    """`Osler.track_nowait`."""

    def __call__(
        self, event_type: str, *, user: str, data: dict[str, Any], at: datetime | None, tz: str | None,
        session_id: str | None,
    ) -> bool:
        """Queue one event."""
        ...


class Events:
    """`osler.events`: each function queues one event and touches only memory, as `track_nowait` does."""

    def __init__(self, track: Track) -> None:
        self._track = track
'''


def render() -> str:
    """The whole file, the same on every machine."""
    sent = [kind for kind in EVENT_TYPES.values() if kind.sender is not Sender.SERVER]
    return HEAD + "".join(_function(kind) for kind in sent)


def _function(kind: EventType) -> str:
    fields = list(kind.data.__annotations__.items())
    required = [f"{name}: {kind_of}" for name, kind_of in fields if "None" not in kind_of]
    optional = [f"{name}: {kind_of} = None" for name, kind_of in fields if "None" in kind_of]
    common = ["at: datetime | None = None", "tz: str | None = None", "session_id: str | None = None"]
    parameters = ["self", "*", "user: str", *required, *optional, *common]
    lines = [
        "",
        f"    def {kind.name}(",
        *_wrapped(parameters, "        "),
        "    ) -> bool:",
        *_docstring((kind.data.__doc__ or "").strip()),
        *_data(fields),
        f'        return self._track("{kind.name}", user=user, data=data, at=at, tz=tz, session_id=session_id)',
    ]
    return "\n".join(lines) + "\n"


def _docstring(text: str) -> list[str]:
    """The type's own sentence first; what else it says below."""
    first, dot, more = text.partition(". ")
    if not more:
        return [f'        """{text}"""']
    return [f'        """{first}{dot.strip()}', "", f"        {more}", '        """']


def _data(fields: list[tuple[str, str]]) -> list[str]:
    pairs = [f'"{name.rstrip("_")}": {name}' for name, _ in fields]
    if not pairs:
        return ["        data: dict[str, Any] = {}"]
    return ["        data: dict[str, Any] = {", *_wrapped(pairs, "            "), "        }"]


def _wrapped(parts: list[str], indent: str) -> list[str]:
    """Parts on as few lines of 120 characters as hold them, each line closed with a comma."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= 118:
            lines[-1] += f" {part},"
        else:
            lines.append(f"{indent}{part},")
    return lines


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
