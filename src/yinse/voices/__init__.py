"""Voices one can hold, inspect, verify, lend, expire and destroy (numpy only)."""
