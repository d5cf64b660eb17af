"""Where the user's voices and models lie: the only place that reads the environment."""

import os
from pathlib import Path


def home() -> Path:
    """Folder of the user's voices and models: `YINSE_HOME`, else the platform's data folder; it may not exist yet.

    Example:
        >>> home().name
        'yinse'
    """
    chosen = os.environ.get("YINSE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_data_path("yinse", appauthor=False)


def voices_folder() -> Path:
    """Folder of the user's `.voice` bundles; it may not exist yet."""
    return home() / "voices"


def models_folder() -> Path:
    """Folder of the user's model sets; it may not exist yet."""
    return home() / "models"


def mirrors() -> tuple[str, ...]:
    """Where published models are fetched from: the addresses in `YINSE_MIRRORS`, with commas between, else the hub."""
    chosen = os.environ.get("YINSE_MIRRORS", "")
    return tuple(address.strip() for address in chosen.split(",") if address.strip()) or ("https://huggingface.co",)
