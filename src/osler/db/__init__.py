"""Engine, sessions, partitions and the embedded PostgreSQL."""
