"""The application for an installation that has a beat of its own: `celery --app osler.worker.beat beat`.

It rings as `osler scheduler` does. Several of them, and both kinds, do no harm: each (job, period) runs once.
"""

from __future__ import annotations

from osler.settings import load_settings
from osler.worker.broker import make_celery

app = make_celery(load_settings())
