"""A learner's new events, folded at once."""
