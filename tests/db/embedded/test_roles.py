"""Passwords that are gone are told as such: the server is not "away", and trying again would not help."""

from __future__ import annotations

from pathlib import Path

import pytest

from osler.db.embedded.roles import keep_passwords, new_passwords, read_passwords
from osler.errors import Misconfigured


def test_kept_passwords_come_back(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    made = new_passwords()
    keep_passwords(path, made)
    assert read_passwords(path) == made


@pytest.mark.parametrize("left", [None, b"", b'{"osler_app": ', b"[]", b'{"osler_app": 7}'])
def test_passwords_that_are_gone_or_damaged_name_their_file(tmp_path: Path, left: bytes | None) -> None:
    path = tmp_path / "passwords.json"
    if left is not None:
        path.write_bytes(left)
    with pytest.raises(Misconfigured, match=r"passwords\.json is gone or damaged"):
        read_passwords(path)
