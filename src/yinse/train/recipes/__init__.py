"""One readable file per stage of base training."""
