"""The weekly jobs of models, in the order in which they build on each other: fits first, then the refold under them."""

from __future__ import annotations

from collections.abc import Sequence

from osler.analytics.contract import Analytic
from osler.jobs.run import Job
from osler.live.catch_up import Live
from osler.worker.fit_item_easiness import item_easiness_job
from osler.worker.fit_learning_rate import learning_rate_job
from osler.worker.fit_memory import memory_job
from osler.worker.fit_next_answer import next_answer_job
from osler.worker.fit_prior_variances import prior_variances_job
from osler.worker.refolding import promote_job, refold_job


def fitting_jobs(live: Live, analytics: Sequence[Analytic]) -> tuple[Job, ...]:
    """They come before the nightly ones: what the night refreshes rests on rows under one version."""
    return (
        item_easiness_job(),
        prior_variances_job(),
        next_answer_job(live, analytics),
        learning_rate_job(),
        promote_job(live),
        memory_job(live),
        refold_job(live),
    )
