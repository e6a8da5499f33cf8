"""How conf is read: Kedro's loader, with an answer to an unknown environment and to a broken file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from click import ClickException
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mps_study.common.spelling import unknown
from mps_study.mps.config import laid_over

# Kedro 1.7 calls a function that OmegaConf 2.4 has renamed; nothing that a user could act on.
warnings.filterwarnings("ignore", message="register_new_resolver", category=UserWarning)


SEARCHES = ("search", "searches")
"""Groups of parameters that hold a search, or several by name."""


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which answers an unknown environment with the nearest one, and a broken file with its name."""

    def __init__(self, conf_source: str, env: str | None = None, **rest: Any) -> None:
        folders = sorted(path.name for path in Path(conf_source).iterdir() if path.is_dir())
        if env is not None and env not in folders:
            raise ClickException(unknown("environment", env, folders, "Environments are folders of conf/."))
        for folder in (rest.get("base_env", "base"), env or rest.get("default_run_env", "local")):
            for file in sorted(Path(conf_source, folder).rglob("*.y*ml")):
                fault = yaml_fault(file)
                if fault:
                    raise ClickException(fault)
        super().__init__(conf_source, env, **rest)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """One kind of configuration, its files merged and its references filled in.

        Groups of `--params` are laid over conf here, once its environments are merged: Kedro lays them over each of
        these, and a group of the later one then replaces the whole group of base.
        """
        given = self.runtime_params or {}
        groups = {name: value for name, value in given.items() if isinstance(value, Mapping)}
        self.runtime_params = {name: value for name, value in given.items() if name not in groups}
        try:
            loaded: dict[str, Any] = super().__getitem__(key)
            if key == "parameters":
                loaded = _overlaid(loaded, {name: value for name, value in groups.items() if name not in SEARCHES})
                loaded |= _searches_overlaid(loaded, groups)
        except (OmegaConfBaseException, ValueError) as error:
            raise ClickException(f"the {key} in {self.conf_source}: {' '.join(str(error).split())}") from error
        finally:
            self.runtime_params = given
        return loaded


def _searches_overlaid(loaded: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    """The groups that hold searches, `--params` laid over them as searches and not key by key."""

    def over(below: Any, above: Any) -> Any:
        return laid_over(below if isinstance(below, Mapping) else {}, above) if isinstance(above, Mapping) else above

    found = {"search": over(loaded.get("search"), groups["search"])} if "search" in groups else {}
    if "searches" in groups:
        below = loaded.get("searches") or {}
        found["searches"] = below | {name: over(below.get(name), given) for name, given in groups["searches"].items()}
    return found


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `below` with those of `above` in their place, at every depth."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _overlaid(old, value) if both else value  # type: ignore[arg-type]
    return merged


def yaml_fault(file: Path) -> str | None:
    """One line if a file of conf is not YAML that Kedro can read: where, and what is wrong there; None if it is."""
    try:
        text = file.read_bytes().decode()
        root = yaml.compose(text, yaml.SafeLoader)
        OmegaConf.load(io.StringIO(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return f"{file} is broken YAML; mend {where}{' '.join(str(error.problem or error.context).split())}"
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        return f"{file} cannot be read as YAML ({' '.join(str(error).split())}); write it as UTF-8 text, `name: value`"
    except (OmegaConfBaseException, ValueError) as error:
        return f"{file}: {' '.join(str(error).split())}"
    if root is not None and not isinstance(root, yaml.MappingNode):
        return f"{file} holds a list or a text; it must be a mapping, `name: value`"
    return None
