"""MLflow: one run per model and study. The only module that imports mlflow."""

from __future__ import annotations

import functools
import logging
import os
import shlex
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from mps_study.common.interrupts import interrupts_kept
from mps_study.datasets.records import RecordShard
from mps_study.hooks.checks import raw_parameters
from mps_study.hooks.experiments import name_in_use
from mps_study.images.sampling import HALVES
from mps_study.models.roster.roster import Roster
from mps_study.mps.config import flattened
from mps_study.report.figures.style import model_colours

log = logging.getLogger(__name__)
MOST = 500
"""Characters of class names that a run keeps."""

TRACKING_URI = "sqlite:///mlflow.db"
"""Where runs are tracked unless MLFLOW_TRACKING_URI says otherwise; a run stands in the project's folder."""

PAGE = "{}/#/experiments/{}/runs?workflowType=machine_learning&compareRunsMode=CHART"
"""Where a server compares the runs of an experiment; its first page is one for language models."""

LOCAL_SERVER = "http://127.0.0.1:5000"
"""Where `make mlflow` serves."""

SUMMARY = (
    "accuracy",
    "area_labelled",
    "area_correct",
    "area_incorrect",
    "area_unlabelled",
    "confidence",
    "dilation_survival",
    "evaluations",
    "n_not_found",
)
"""Columns of `model_summary` that compare models at a glance; their intervals stand in the report."""

ABOUT = (
    "Minimal sufficient pixel sets (MPS): the fewest pixels that alone keep a model's class. One run a model and "
    "fingerprint. `area_...` are mean shares of the input's pixels; `search/...` are histories over the images, a "
    "step an image of the manifest. Tick runs and *Compare* them; `sizes.png` and `sets.png` are among each run's "
    "artifacts. Tests and intervals: `data/{study}/08_report/report.html`."
)
"""What the experiment's page says of itself."""


def _or_without_mlflow(hook: Callable[..., None]) -> Callable[..., None]:
    """The hook; if MLflow fails in it, a warning, and the rest of the run is not tracked: a study is worth more."""

    @functools.wraps(hook)
    def guarded(self: MlflowHooks, *arguments: Any) -> None:
        if self.broken:
            return
        try:
            with self.lock, interrupts_kept():
                hook(self, *arguments)
        except Exception as error:
            self.broken = True
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            log.warning("MLflow failed (%s); the run goes on, but what it finds from here on is not tracked", reason)
            log.debug("where MLflow failed", exc_info=True)

    return guarded


class MlflowHooks:
    """One MLflow run per (study, model, fingerprint): extraction, measures and figures of a model land together.

    A run is found again by its tags, so that pipelines that run on different days add to the same one.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.broken = False
        self.lock = threading.RLock()  # two nodes that save at a time must not both begin a model's run
        self._study = ""
        self._experiment = ""  # its name: the study's, unless that was deleted
        self._root = Path()
        self._parameters: dict[str, Any] = {}
        self._client: Any = None
        self._runs: dict[tuple[str, str], str] = {}
        self._steps: dict[str, int] = {}
        self._found: dict[str, dict[int, float]] = {}
        self._areas = pd.DataFrame()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Begin anew, with the study's name and parameters."""
        self._begin()
        self._study = str(context.config_loader["globals"].get("study", "study"))
        self._root = context.project_path
        self._parameters = raw_parameters(context)

    @hook_impl
    @_or_without_mlflow
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
        """Remember the order of the images, and which fingerprints the areas have, where they are only loaded."""
        match dataset_name:
            case "areas":
                self._areas = data
            case "manifest":
                self._steps = {image: step for step, image in enumerate(data["image"], start=1)}

    @hook_impl
    @_or_without_mlflow
    def after_pipeline_run(self) -> None:
        """Mark the runs as finished, and say where they can be compared."""
        for run in self._runs.values():
            self._client.set_terminated(run)
        if self._runs:
            experiment = self._client.get_run(run).info.experiment_id
            log.info("MLflow: %s", where_to_compare(_tracking_uri(), self._root, experiment))

    @hook_impl
    @_or_without_mlflow
    def on_pipeline_error(self) -> None:
        """Mark the runs as failed."""
        for run in self._runs.values():
            self._client.set_terminated(run, status="FAILED")

    def _log_shard(self, shard: RecordShard) -> None:
        """Area and evaluations of each image, the mean area up to it, and how fast the search has been so far."""
        if not shard.records:
            return
        run = self._run(shard.model, shard.fingerprint)
        if run not in self._found:  # a search that goes on goes on with its mean
            history = self._client.get_metric_history(run, "search/area")
            self._found[run] = {metric.step: metric.value for metric in history}
        areas = self._found[run]
        metrics: list[tuple[str, float, int]] = []
        for record in shard.records:
            step = self._steps[record.key]
            metrics.append(("search/evaluations", record.evaluations, step))
            if record.mask is not None:
                areas[step] = record.area
                before = [area for other, area in areas.items() if other <= step]
                metrics += [("search/area", record.area, step), ("search/area_mean", sum(before) / len(before), step)]
        metrics.append(("search/evaluations_per_second", shard.rate, self._steps[shard.records[-1].key]))
        self._metrics(run, metrics)

    def _log_summary(self, summary: pd.DataFrame) -> None:
        marks = self._marks()
        for row in summary.to_dict("records"):
            run = self._run(str(row["model"]), marks[str(row["model"])], str(row["architecture"]))
            self._metrics(run, [(name, float(row[name]), 0) for name in SUMMARY if pd.notna(row.get(name))])

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

    def _metrics(self, run: str, metrics: Iterable[tuple[str, float, int]]) -> None:
        """Log (name, value, step) of each metric in one go."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(run, metrics=[Metric(name, value, now, step) for name, value, step in metrics])

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
        from mlflow.entities import Dataset, DatasetInput, Param

        experiment = client.get_experiment_by_name(self._experiment)
        identity = experiment.experiment_id if experiment else self._new_experiment()
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
            parameters = self._run_parameters(model).items()
            dataset = Dataset(self._dataset(), fingerprint, "kedro", f"data/{self._study}/02_manifest/manifest.parquet")
            client.log_inputs(run, [DatasetInput(dataset)])
            client.log_batch(run, params=[Param(name, str(value)) for name, value in parameters])
        self._runs[model, fingerprint] = str(run)
        return str(run)

    def _new_experiment(self) -> str:
        """An experiment for the study, which opens on its table of runs, and says what that shows."""
        tags = {
            "mlflow.experimentKind": "custom_model_development",
            "mlflow.note.content": ABOUT.format(study=self._study),
        }
        return str(self._client.create_experiment(self._experiment, tags=tags))

    def _tags(self, model: str, fingerprint: str) -> dict[str, str]:
        chosen = Roster.model_validate(self._parameters["models"]).of_study(
            self._parameters["model"], self._parameters["compared"]
        )
        architectures = {name: entry.architecture for name, entry in chosen.items()}
        return {
            "model": model,
            "architecture": architectures[model],
            "study": self._study,
            "dataset": self._dataset(),
            "fingerprint": fingerprint,
            "mlflow.source.name": "kedro run",
            "mlflow.runColor": model_colours(architectures)[model],
        }

    def _dataset(self) -> str:
        """How many images of which source each half has: `500 labelled of imagenet, 500 unlabelled of imagenet`."""
        sampling = self._parameters["data_sampling"]
        halves = [(half, sampling.get(half)) for half in HALVES]
        return ", ".join(f"{of['n']} {half} of {of['source'].get('kind')}" for half, of in halves if of)

    def _run_parameters(self, model: str) -> dict[str, Any]:
        entry = self._parameters["models"][model]
        search = {f"search.{name}": value for name, value in flattened(self._parameters["search"]).items()}
        return {
            "model": model,
            **({"class_names": str(entry["class_names"])[:MOST]} if entry.get("class_names") else {}),
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

            self._client = MlflowClient(tracking_uri=_tracking_uri())
            self._experiment = name_in_use(self._client, self._study, _tracking_uri())
        return self._client


def _tracking_uri() -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or TRACKING_URI


def where_to_compare(uri: str, root: Path, experiment: str) -> str:
    """What to do to see an experiment's runs side by side, from any folder: a page, or a command and its page."""
    if uri.startswith(("http://", "https://")):
        return PAGE.format(uri.rstrip("/"), experiment)
    chosen = "" if uri == TRACKING_URI else f" MLFLOW_TRACKING_URI={shlex.quote(uri)}"
    return f"`make -C {shlex.quote(str(root))} mlflow{chosen}`, then {PAGE.format(LOCAL_SERVER, experiment)}"
