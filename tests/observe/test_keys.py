"""Keys are for their owner alone, and one that was cut short is not used."""

from __future__ import annotations

from pathlib import Path

import pytest

from osler.errors import Misconfigured
from osler.observe.keys import KEY_BYTES, secret_key


def test_a_key_and_all_folders_that_are_made_for_it_are_the_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    assert len(secret_key(home, "addresses/2026-11")) == KEY_BYTES
    made = [home.parent, home, home / "keys", home / "keys" / "addresses"]
    assert {folder.stat().st_mode & 0o777 for folder in made} == {0o700}
    assert (home / "keys" / "addresses" / "2026-11").stat().st_mode & 0o777 == 0o600


def test_the_same_key_comes_back(tmp_path: Path) -> None:
    assert secret_key(tmp_path, "logs") == secret_key(tmp_path, "logs") != secret_key(tmp_path, "cache")


@pytest.mark.parametrize("left", [b"", b"x" * (KEY_BYTES - 1), b"x" * (KEY_BYTES + 1)])
def test_what_is_no_whole_key_is_refused_and_left_alone(tmp_path: Path, left: bytes) -> None:
    secret_key(tmp_path, "tombstones")
    path = tmp_path / "keys" / "tombstones"
    path.write_bytes(left)
    with pytest.raises(Misconfigured, match="backup"):
        secret_key(tmp_path, "tombstones")
    assert path.read_bytes() == left
