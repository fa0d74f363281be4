"""Published models, each citing its paper, each usable alone; pure."""
