"""Homes of embedded servers that a test may break; each must stop by itself in the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.embedded import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home folder of its own."""
    if not sys.platform.startswith("linux"):
        pytest.skip("faults of the embedded server are provoked through /proc: Linux alone")
    made = Home(tmp_path / "home")
    yield made
    made.clean_up()
