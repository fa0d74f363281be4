"""Where the service is wired together."""
