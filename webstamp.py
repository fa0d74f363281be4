"""Which files the dashboard is made from, and their digest: shared by `dev.py` and the build hook.

A list of inputs, not "all of web/": test output and screenshots must never make a build stale.
Standard library alone, and no syntax newer than Python 3.6: an old Python has to get as far as the message it needs.
"""

import hashlib

SINGLE_FILES = ("package.json", "package-lock.json", ".npmrc", "index.html", "vite.config.ts", "compress.mjs")
FOLDERS = ("src", "public")
NOT_BUILT = (".test.ts", ".test.tsx")


def inputs(web):
    """The files under `web` (a Path) that the built dashboard depends on, sorted."""
    found = [web / name for name in SINGLE_FILES if (web / name).is_file()]
    found += sorted(p for p in web.glob("tsconfig*.json"))
    for folder in FOLDERS:
        found += sorted(p for p in (web / folder).rglob("*") if p.is_file() and not p.name.endswith(NOT_BUILT))
    return found


def digest(web):
    """SHA-256 over names and contents of all inputs, as hex."""
    total = hashlib.sha256()
    for path in inputs(web):
        total.update(path.relative_to(web).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
