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
