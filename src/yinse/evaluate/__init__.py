"""Measuring speech: words heard, speaker similarity, naturalness, prosody, speed."""
