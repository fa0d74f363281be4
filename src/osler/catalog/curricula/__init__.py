"""Curricula that come with Osler: files, no code."""
