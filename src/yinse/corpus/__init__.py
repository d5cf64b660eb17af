"""What material we have and what it lacks (numpy only)."""
