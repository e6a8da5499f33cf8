"""Checks before any work begins: environment, parameters, model, images, GPU, hub. Each fault is one line."""

from __future__ import annotations

from contextlib import chdir
from typing import Any

from click import ClickException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from mps_study.common.commands import THIS_RUN
from mps_study.common.searches import OWN
from mps_study.hooks.paths import path_fault
from mps_study.hooks.upstream import part_fault, upstream_fault
from mps_study.project.parameters import ParameterError, check_parameters


class CheckHooks:
    """Answers a wrong parameter, and whatever a run needs and lacks, with one line, before any work."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember what was typed, for messages, and check the parameters; relative paths are the project's."""
        THIS_RUN.begin(context.env, getattr(context, "_runtime_params", None) or {})
        try:
            with chdir(context.project_path):
                check_parameters(raw_parameters(context))
        except ParameterError as error:
            raise ClickException(str(error)) from None

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Answer what a user can mend in its own lines, without a traceback, after all others have seen it."""
        from mps_study.images.candidates import SourceError, UnreadableError
        from mps_study.images.decoding import DecodingError
        from mps_study.models.export.exported import ParityError
        from mps_study.models.inference.onnx_file import OnnxFileError
        from mps_study.models.weights.faults import WeightsError

        images = (SourceError, UnreadableError, DecodingError)
        if isinstance(error, (*images, ParityError, OnnxFileError, WeightsError)):
            raise ClickException(str(error)) from error

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any) -> None:
        """Say in one line all that this run needs and lacks."""
        fault = (
            part_fault(pipeline, catalog)
            or upstream_fault(pipeline, catalog, run_params.get("pipeline_names") or [])
            or _path_fault(catalog)
        )
        if fault:
            raise ClickException(fault)
        from mps_study.project.needs import NEEDS  # ONNX Runtime takes time, which `kedro --help` need not wait for

        nodes = {node.short_name for node in pipeline.nodes}
        missing = list(dict.fromkeys(fault for need in NEEDS if (fault := need(nodes, catalog))))
        if len(missing) == 1:
            raise ClickException(missing[0])
        if missing:
            listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(missing, start=1))
            raise ClickException(f"{len(missing)} things are missing: {listed}")


def _path_fault(catalog: Any) -> str | None:
    model, compared = catalog.load("params:model"), catalog.load("params:compared")
    searches = [OWN, *catalog.load("params:searches")]
    return path_fault(catalog.load("claims").study, compared if model is None else [model], searches)


def raw_parameters(context: KedroContext) -> dict[str, Any]:
    """Parameters of conf with those of `--params` laid over them, before Kedro types them."""
    return dict(context.config_loader["parameters"])
