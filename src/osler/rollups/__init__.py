"""The nightly jobs: counts by day and week, rows as of an instant."""
