"""Where answers are kept: one interface, in process or in Redis, and never in the way of a new answer."""
