"""Model folders: load, save, verify, convert."""
