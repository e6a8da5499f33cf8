"""How conf is read: Kedro's loader, with one roster for all, and an answer to an unknown name or a broken file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from click import ClickException
from kedro.config import OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mps_study.common.spelling import unknown
from mps_study.mps.config import laid_over

# Kedro 1.7 calls a function that OmegaConf 2.4 has renamed; nothing that a user could act on.
warnings.filterwarnings("ignore", message="register_new_resolver", category=UserWarning)


SEARCHES = ("search", "searches")
"""Groups of parameters that hold a search, or several by name."""


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which lays rosters over each other, and answers what it cannot read in one line.

    A group of an environment replaces that of base. Only its roster, `models`, is laid over base's, model by model: a
    model of base is known everywhere. A roster that stands without `compared` is compared whole. The further `searches`
    of base are those of its own study: an environment has those that it names.
    """

    _own: dict[str, Any]

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

    def _resolve_from_raw_config(
        self, key: str, base_configs: dict[Path, DictConfig], env_configs: dict[Path, DictConfig], *rest: Any
    ) -> dict[str, Any]:
        """Kedro's seam where the files are read and nothing is laid over anything yet."""
        self._own = {}
        for file in env_configs.values():
            self._own |= cast(dict[str, Any], OmegaConf.to_container(file, resolve=False))
        found: dict[str, Any] = super()._resolve_from_raw_config(key, base_configs, env_configs, *rest)
        if key == "parameters" and isinstance(found.get("models"), dict):
            found.setdefault("compared", list(found["models"]))
        return found

    def _merge_configs(self, config: dict[str, Any], env_config: dict[str, Any], key: str, env_path: str) -> Any:
        """Kedro's seam where an environment is laid over base."""
        if key != "parameters":
            return super()._merge_configs(config, env_config, key, env_path)
        # Kedro has laid --params over both: what they alone name must not replace a whole group of base.
        over = {group: values for group, values in env_config.items() if group in self._own}
        base, own = config.get("models"), self._own.get("models")
        merged = super()._merge_configs(config, over, key, env_path)
        if isinstance(base, dict) and isinstance(own, dict):
            merged["models"] = base | {name: over["models"][name] for name in own}
            if "compared" not in {*self._own, *(self.runtime_params or {})}:
                merged["compared"] = list(own)
        if self.env not in (None, self.default_run_env) and "searches" not in self._own:
            merged["searches"] = {}
        return merged


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
