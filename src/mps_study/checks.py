"""Checks before any work begins: environment, parameters, model, images, GPU, hub. Each fault is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from click import ClickException
from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from mps_study.images.candidates import SourceError
from mps_study.images.sampling import HALVES, draw
from mps_study.images.sources import candidates_of
from mps_study.models.classifier import _cuda_works as cuda_works
from mps_study.models.export import export_request
from mps_study.models.fine_tuning import wants_fine_tuning
from mps_study.models.hub import hub_fault
from mps_study.models.roster import ModelEntry, Roster, unknown
from mps_study.parameters import DataSampling, Extraction, ModelExport, ParameterError, check_parameters


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which answers an unknown environment with the nearest one."""

    def __init__(self, conf_source: str, env: str | None = None, **rest: Any) -> None:
        folders = sorted(path.name for path in Path(conf_source).iterdir() if path.is_dir())
        if env is not None and env not in folders:
            raise ClickException(unknown("environment", env, folders, "Environments are folders of conf/."))
        super().__init__(conf_source, env, **rest)


class CheckHooks:
    """Answers a wrong parameter, and whatever a run needs and lacks, with one line, before any work."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the parameters."""
        try:
            check_parameters(raw_parameters(context))
        except ParameterError as error:
            raise ClickException(str(error)) from None

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any) -> None:
        """Say in one line all that this run needs and lacks."""
        nodes = {node.name for node in pipeline.nodes}
        missing = [fault for need in NEEDS if (fault := need(nodes, catalog))]
        if len(missing) == 1:
            raise ClickException(missing[0])
        if missing:
            listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(missing, start=1))
            raise ClickException(f"{len(missing)} things are missing: {listed}")


def images(nodes: set[str], catalog: Any) -> str | None:
    """The image sources that the run draws from: each must have as many images as are wanted of it."""
    if "draw_sample" not in nodes:
        return None
    sampling = DataSampling.model_validate(catalog.load("params:data_sampling"))
    wanted = [(half, getattr(sampling, half)) for half in HALVES]
    try:
        for half, images_of in wanted:
            if images_of is not None:
                draw(candidates_of(images_of.source), half, images_of.n, sampling.seed)
        if sampling.training is not None:
            candidates_of(sampling.training)
    except SourceError as error:
        return str(error)
    return None


def gpu(nodes: set[str], catalog: Any) -> str | None:
    """A GPU, for the search and for fine-tuning, if `extraction.device` says so."""
    if Extraction.model_validate(catalog.load("params:extraction")).device != "cuda":
        return None
    searches = "extract_records" in nodes and not cuda_works()
    trains = any(map(wants_fine_tuning, _chosen(nodes, "fine_tune_models", catalog).values()))
    if searches or (trains and not torch.cuda.is_available()):
        return (
            "no GPU: extraction.device is cuda, but no usable CUDA device is found; check `nvidia-smi` and "
            "`pip install -e '.[cuda]'`, or take the CPU and much time: `--params extraction.device=cpu`"
        )
    return None


def hub(nodes: set[str], catalog: Any) -> str | None:
    """Weights from the hub, of models that are not exported or fine-tuned yet."""
    tuned = _chosen(nodes, "fine_tune_models", catalog)
    exported = _chosen(nodes, "export_models", catalog)
    checkpoints = catalog.load("checkpoints_so_far") if tuned else {}
    cards = catalog.load("model_cards_so_far") if exported else {}
    tolerance = ModelExport.model_validate(catalog.load("params:model_export")).tolerance
    wanted = {name: entry for name, entry in tuned.items() if wants_fine_tuning(entry) and name not in checkpoints}
    for name, entry in exported.items():
        done = name in cards and cards[name].request == export_request(entry, None, tolerance)
        if not wants_fine_tuning(entry) and not done:
            wanted[name] = entry
    return hub_fault(wanted)


NEEDS = (images, gpu, hub)
"""What a run may lack; each answers with one line that says what is missing and what to do, or None."""


def _chosen(nodes: set[str], node: str, catalog: Any) -> dict[str, ModelEntry]:
    """The models that a node of this run works on; none if it is not part of it."""
    if node not in nodes:
        return {}
    roster = Roster.model_validate(catalog.load("params:models"))
    return roster.choose(catalog.load("params:model"))


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
