"""Signals: decoding, resampling, loudness, silence, noise, pitch (numpy only)."""
