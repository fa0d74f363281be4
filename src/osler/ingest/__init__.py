"""From bytes on the wire to an acknowledged event."""
