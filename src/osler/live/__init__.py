"""Folds a learner's new events into the live rows, at once after a submit."""
