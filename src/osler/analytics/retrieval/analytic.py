"""What the rest of Osler sees of `retrieval`."""

from __future__ import annotations

from osler.analytics.contract import Analytic

ANALYTIC = Analytic(name="retrieval", question="How well can what was learnt be recalled now, and when is it due?")
