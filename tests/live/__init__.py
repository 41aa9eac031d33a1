"""Real processes as prey of the capture."""
