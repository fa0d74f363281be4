"""Where Celery's workers are wired together."""
