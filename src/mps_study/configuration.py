"""How conf is read: Kedro's loader, with an answer to an unknown environment."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from click import ClickException
from kedro.config import OmegaConfigLoader

from mps_study.models.roster import unknown

# Kedro 1.7 calls a function that OmegaConf 2.4 has renamed; nothing that a user could act on.
warnings.filterwarnings("ignore", message="register_new_resolver", category=UserWarning)


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which answers an unknown environment with the nearest one."""

    def __init__(self, conf_source: str, env: str | None = None, **rest: Any) -> None:
        folders = sorted(path.name for path in Path(conf_source).iterdir() if path.is_dir())
        if env is not None and env not in folders:
            raise ClickException(unknown("environment", env, folders, "Environments are folders of conf/."))
        super().__init__(conf_source, env, **rest)
