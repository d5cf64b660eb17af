"""Use cases, each a generator of typed events."""
