"""`osler`: the command line, put together. Each command lies in a file of its own name.

Heavy imports stay inside the commands, so that `osler --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from osler import __version__
from osler.cli import (
    classes,
    curriculum,
    demo,
    doctor,
    erase,
    evaluate,
    export,
    jobs,
    learner,
    migrate,
    new_analytic,
    openapi,
    replay,
    scheduler,
    serve,
    token,
    worker,
)
from osler.cli import import_ as importing
from osler.errors import OslerError

app = typer.Typer(
    name="osler",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Seven analytics and one decision for medical students: what to study next, and how sure we are.",
    epilog="Exit codes: 0 done, 2 refused with one line on standard error, 130 after Ctrl-C; a command that has others "
    "says which. Settings are environment variables (docs/reference/settings.md). Begin with: osler demo",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"osler {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before the command."""


app.command("demo")(demo.command)
app.command("serve")(serve.command)
app.command("worker")(worker.command)
app.command("scheduler")(scheduler.command)
app.command("migrate")(migrate.command)
app.command("import")(importing.command)
app.add_typer(jobs.app, name="jobs")
app.command("replay")(replay.command)
app.command("erase")(erase.command)
app.command("token")(token.command)
app.add_typer(curriculum.app, name="curriculum")
app.add_typer(classes.app, name="class")
app.add_typer(learner.app, name="learner")
app.command("export")(export.command)
app.command("evaluate")(evaluate.command)
app.command("openapi")(openapi.command)
app.command("new-analytic")(new_analytic.command)
app.command("doctor")(doctor.command)


def run() -> None:
    """The entry point: what we raise on purpose is one line on standard error, never a traceback. Exit code 2."""
    try:
        app()
    except OslerError as error:
        typer.echo(f"osler: {_shown(error.text)}", err=True)
        sys.exit(2)
    except OSError as error:
        if not _is_about_home(error):
            raise
        typer.echo(
            f"osler: {error.filename}: {error.strerror}; set OSLER_HOME to a folder that you can write", err=True
        )
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _shown(text: str) -> str:
    from osler.cli.shown import shown

    return shown(text)


def _is_about_home(error: OSError) -> bool:
    """Whether the home folder, something in it or something above it could not be made or read."""
    if not isinstance(error.filename, str):
        return False
    from osler.settings import load_settings

    home, path = load_settings().home.absolute(), Path(error.filename).absolute()
    return path.is_relative_to(home) or home.is_relative_to(path)
