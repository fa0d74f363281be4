"""The night's work over all learners."""
