"""The endpoints that take events. `api/app.py` hands them what happens after a commit; ingestion does not know live."""

from __future__ import annotations

from fastapi import APIRouter

from osler.ingest.routes import batches, submit, typed
from osler.ingest.routes.hooks import Hooks


def routers(hooks: Hooks) -> list[APIRouter]:
    """Every router of ingestion, in the order of the documentation."""
    return [batches.router(hooks), submit.router(hooks), typed.router(hooks)]
