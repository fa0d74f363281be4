"""Foreign records as native events."""
