"""Use cases and wiring: the one place that knows all rooms."""
