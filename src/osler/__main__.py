"""`osler` and `python -m osler`: the commands, or a sentence where the tracking library is all that is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def run() -> None:
    """The entry point. Exit code 2 where the packages of the commands are missing."""
    if find_spec("typer") is None:
        sys.stderr.write("osler: this is the tracking library alone; the commands need pip install 'osler[server]'\n")
        sys.exit(2)
    from osler.cli.main import run as run_command  # noqa: PLC0415 (its packages may be missing: that is the question)

    run_command()


if __name__ == "__main__":
    run()
