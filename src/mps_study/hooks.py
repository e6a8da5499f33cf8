"""MLflow: one run per model and study. The only module that imports mlflow."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from mps_study.checks import raw_parameters
from mps_study.datasets.records import RecordShard

log = logging.getLogger(__name__)
TRACKING_URI = "sqlite:///mlflow.db"


class MlflowHooks:
    """One MLflow run per (study, model, fingerprint): extraction, measures and figures of a model land together.

    A run is found again by its tags, so that pipelines that run on different days add to the same one.
    """

    def __init__(self) -> None:
        self._study = ""
        self._parameters: dict[str, Any] = {}
        self._client: Any = None
        self._runs: dict[tuple[str, str], str] = {}
        self._totals: dict[str, dict[str, float]] = {}
        self._areas = pd.DataFrame()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the study's name and parameters."""
        self._study = str(context.config_loader["globals"].get("study", "study"))
        self._parameters = raw_parameters(context)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log shards, the summary, sheets and the size figure as they are saved."""
        match dataset_name:
            case "mps_records":
                self._log_shard(data)
            case "areas":
                self._areas = data
            case "model_summary":
                self._log_summary(data)
            case "model_sheets":
                self._log_sheets(data)
            case "figures":
                self._log_sizes(data)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Remember which fingerprints the study's areas have, for pipelines that only load them."""
        if dataset_name == "areas":
            self._areas = data

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Mark the runs as finished."""
        for run in self._runs.values():
            self._client.set_terminated(run)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Mark the runs as failed."""
        for run in self._runs.values():
            self._client.set_terminated(run, status="FAILED")

    def _log_shard(self, shard: RecordShard) -> None:
        if not shard.records:
            return
        run = self._run(shard.model, shard.fingerprint)
        totals = self._totals.setdefault(
            shard.model, {"images": 0, "evaluations": 0, "seconds": 0, "area": 0, "sets": 0}
        )
        sets = [record.area for record in shard.records if record.mask is not None]
        totals["images"] += len(shard.records)
        totals["evaluations"] += sum(record.evaluations for record in shard.records)
        totals["seconds"] += shard.seconds
        totals["area"] += sum(sets)
        totals["sets"] += len(sets)
        self._metrics(
            run,
            {
                "images_searched": totals["images"],
                "evaluations_per_image": totals["evaluations"] / totals["images"],
                "evaluations_per_second": totals["evaluations"] / max(totals["seconds"], 1e-9),
                "mean_area_so_far": totals["area"] / max(totals["sets"], 1),
            },
            step=int(totals["images"]),
        )

    def _log_summary(self, summary: pd.DataFrame) -> None:
        marks = self._marks()
        for row in summary.to_dict("records"):
            run = self._run(str(row["model"]), marks[str(row["model"])], str(row["architecture"]))
            chosen = ("accuracy", "confidence", "evaluations", "n_not_found")
            self._metrics(
                run,
                {
                    str(name): float(value)
                    for name, value in row.items()
                    if (name in chosen or str(name).startswith("area_")) and pd.notna(value)
                },
            )

    def _log_sheets(self, sheets: dict[str, bytes | str]) -> None:
        """Each model's run gets the sheet of its sets."""
        for model, fingerprint in self._marks().items():
            sheet = sheets.get(f"{model}.png")
            if isinstance(sheet, bytes):
                self._artifact(self._run(model, fingerprint), "sets.png", sheet)

    def _log_sizes(self, figures: dict[str, bytes | str]) -> None:
        """Every run gets the study's size figure, so that each can be seen among the others."""
        picture = figures.get("sizes.png")
        for model, fingerprint in self._marks().items():
            if isinstance(picture, bytes):
                self._artifact(self._run(model, fingerprint), "sizes.png", picture)

    def _marks(self) -> dict[str, str]:
        return dict(zip(self._areas["model"], self._areas["fingerprint"], strict=True))

    def _metrics(self, run: str, metrics: dict[str, float], step: int = 0) -> None:
        for name, value in metrics.items():
            self._client.log_metric(run, name, value, step=step)

    def _artifact(self, run: str, file: str, content: bytes) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file
            path.write_bytes(content)
            self._client.log_artifact(run, str(path))

    def _run(self, model: str, fingerprint: str, architecture: str = "") -> str:
        """The run of this model and fingerprint, reopened or new."""
        if (model, fingerprint) in self._runs:
            return self._runs[model, fingerprint]
        client = self._connect()
        experiment = client.get_experiment_by_name(self._study)
        identity = experiment.experiment_id if experiment else client.create_experiment(self._study)
        found = client.search_runs(
            [identity],
            f"tags.model = '{model}' and tags.fingerprint = '{fingerprint}'",
            max_results=1,
        )
        if found:
            run = found[0].info.run_id
            client.set_terminated(run, status="RUNNING")
        else:
            run = client.create_run(identity, run_name=model, tags=self._tags(model, fingerprint)).info.run_id
            for name, value in self._run_parameters(model).items():
                client.log_param(run, name, value)
        self._runs[model, fingerprint] = str(run)
        return str(run)

    def _tags(self, model: str, fingerprint: str) -> dict[str, str]:
        architecture = str(self._parameters["models"][model].get("architecture", ""))
        return {
            "model": model,
            "architecture": architecture,
            "study": self._study,
            "fingerprint": fingerprint,
        }

    def _run_parameters(self, model: str) -> dict[str, Any]:
        entry = self._parameters["models"][model]
        search = {f"search.{name}": value for name, value in self._parameters["search"].items()}
        return {
            "model": model,
            "timm": entry.get("timm") or entry.get("onnx"),
            "weights": entry.get("weights", "hub"),
            **search,
        }

    def _connect(self) -> Any:
        if self._client is None:
            os.environ.setdefault("DO_NOT_TRACK", "true")
            from mlflow import MlflowClient

            for name in ("alembic", "mlflow"):
                logging.getLogger(name).setLevel(logging.WARNING)

            uri = os.environ.get("MLFLOW_TRACKING_URI", TRACKING_URI)
            self._client = MlflowClient(tracking_uri=uri)
        return self._client
