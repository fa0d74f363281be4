"""What was forecast, by which model, and what came of it."""
