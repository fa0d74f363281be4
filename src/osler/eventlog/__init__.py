"""The append-only log and the only way to it."""
