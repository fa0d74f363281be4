"""Learners with a known truth."""
