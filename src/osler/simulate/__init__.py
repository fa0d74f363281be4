"""Learners with a known truth: what they know, how they forget, when they study. Their events go the real way in."""
