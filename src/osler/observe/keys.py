"""The secret keys of an installation: files under `OSLER_HOME/keys`, made on first use, readable by their owner alone.

They lie outside the database, so that a dump of it opens nothing. This is the lowest place that needs one (logs name
learners by a keyed pseudonym); identities, tombstones, the cache and the address table take theirs from here too.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from hashlib import sha256
from hmac import digest
from pathlib import Path

from osler.errors import Misconfigured

KEY_BYTES = 32


def secret_key(home: Path, name: str) -> bytes:
    """The 32-byte key of that name, made if it is not there yet.

    Two processes that start at once get the same key: it is written aside and linked, and the first link wins.
    Errors: Misconfigured when what lies there is cut short or is no key; under it nothing would be a secret.
    """
    path = home / "keys" / name
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        write_once(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"{path} has {len(key)} bytes, a key has {KEY_BYTES}: bring it back from your backup.")
    return key


def write_once(path: Path, content: bytes) -> None:
    """Create a file of mode 0600 with all of its content, or leave the one that is there."""
    _make_private(path.parent)
    handle, aside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        Path(aside).unlink()


def _make_private(folder: Path) -> None:
    """Make the folder and those above it that are missing, each for its owner alone: `parents=True` would open them."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def mac(key: bytes, *parts: str | bytes) -> bytes:
    """HMAC-SHA256 over the parts, each with its length before it, so that no two lists of parts collide."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in encoded), sha256)
