"""A small order service that forgets nothing: every request id it has seen stays in a map for ever."""
