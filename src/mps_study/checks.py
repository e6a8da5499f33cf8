"""Checks before any work begins: environment, parameters, model, images, GPU, hub. Each fault is one line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import yaml
from click import ClickException
from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mps_study.models.roster import unknown
from mps_study.parameters import ParameterError, check_parameters


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
        """One kind of configuration, its files merged and its references filled in."""
        try:
            loaded: dict[str, Any] = super().__getitem__(key)
        except (OmegaConfBaseException, ValueError) as error:
            raise ClickException(f"the {key} in {self.conf_source}: {' '.join(str(error).split())}") from error
        return loaded


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


class CheckHooks:
    """Answers a wrong parameter, and whatever a run needs and lacks, with one line, before any work."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the parameters."""
        try:
            check_parameters(raw_parameters(context))
        except ParameterError as error:
            raise ClickException(str(error)) from None

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Answer what a user can mend in its own lines, without a traceback, after all others have seen it."""
        from mps_study.images.candidates import SourceError, UnreadableError
        from mps_study.images.decoding import DecodingError
        from mps_study.models.export import ParityError
        from mps_study.models.onnx_file import OnnxFileError
        from mps_study.models.weights import WeightsError

        images = (SourceError, UnreadableError, DecodingError)
        if isinstance(error, (*images, ParityError, OnnxFileError, WeightsError)):
            raise ClickException(str(error)) from error

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any) -> None:
        """Say in one line all that this run needs and lacks."""
        from mps_study.needs import NEEDS  # torch and timm take seconds, which `kedro --help` need not wait for

        nodes = {node.name for node in pipeline.nodes}
        missing = [fault for need in NEEDS if (fault := need(nodes, catalog))]
        if len(missing) == 1:
            raise ClickException(missing[0])
        if missing:
            listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(missing, start=1))
            raise ClickException(f"{len(missing)} things are missing: {listed}")


def raw_parameters(context: KedroContext) -> dict[str, Any]:
    """Parameters of conf with those of `--params` laid over them, before Kedro types them."""
    parameters: dict[str, Any] = dict(context.config_loader["parameters"])
    return _overlaid(parameters, getattr(context, "_runtime_params", None) or {})


def _overlaid(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _overlaid(old, value) if both else value  # type: ignore[arg-type]
    return merged
