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

KEY_BYTES = 32


def secret_key(home: Path, name: str) -> bytes:
    """The 32-byte key of that name, made if it is not there yet.

    Two processes that start at once get the same key: it is written aside and linked, and the first link wins.
    """
    path = home / "keys" / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        write_once(path, secrets.token_bytes(KEY_BYTES))
        return path.read_bytes()


def write_once(path: Path, content: bytes) -> None:
    """Create a file of mode 0600 with all of its content, or leave the one that is there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def mac(key: bytes, *parts: str | bytes) -> bytes:
    """HMAC-SHA256 over the parts, each with its length before it, so that no two lists of parts collide."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in encoded), sha256)
