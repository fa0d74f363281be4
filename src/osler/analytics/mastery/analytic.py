"""What the rest of Osler sees of `mastery`."""

from __future__ import annotations

from osler.analytics.contract import Analytic

ANALYTIC = Analytic(name="mastery", question="What does the learner know, topic by topic, and how sure is that?")
