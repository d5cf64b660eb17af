"""Speaking: synthesizers that stream audio for a request."""
