"""Whom may a fit learn from? Everybody real who is not to be erased; simulated learners where there is nobody else."""

from __future__ import annotations

TEACHERS = """
(select u.user_id from users u
  where u.erase_requested_at is null
    and (not u.is_sample or not exists (select from users r where not r.is_sample and r.erase_requested_at is null)))
"""
