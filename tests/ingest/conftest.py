"""Fixtures of ingestion."""

from __future__ import annotations

import pytest
from tests.support.sending import Send, fresh_database, sending  # noqa: F401

from osler.db.engine import Database


@pytest.fixture
def send(database: Database) -> Send:
    return sending(database)
