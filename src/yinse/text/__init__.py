"""Language: from characters to phonemes (numpy only)."""
