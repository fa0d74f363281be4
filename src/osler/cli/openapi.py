"""`osler openapi`: the API's description, for programs."""

from __future__ import annotations

import json

import typer


def command() -> None:
    """Print openapi.json. Needs no server and no database; the dashboard's types are made from it."""
    from osler.api.app import create_app
    from osler.settings import load_settings

    typer.echo(json.dumps(create_app(load_settings()).openapi(), indent=2, sort_keys=True))
