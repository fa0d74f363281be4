"""The reference page says what the declarations say."""

from __future__ import annotations

from pathlib import Path

from osler.domain.event_types import EVENT_TYPES
from osler.domain.outcomes import Code
from osler.ingest.reference import events_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"


def test_the_page_is_as_generated():
    assert PAGE.read_text() == events_page(), "run: python -m osler.ingest.reference > docs/reference/events.md"


def test_the_page_names_every_type_and_code():
    page = events_page()
    assert all(f"### `{name}`" in page for name in EVENT_TYPES)
    assert all(f"`{code.value}`" in page for code in Code)
