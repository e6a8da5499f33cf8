"""MLflow: one run per model and search of a study. The only module that imports mlflow."""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from mps_study.common.interrupts import interrupts_kept
from mps_study.common.searches import OWN, unit_name
from mps_study.datasets.records.store import RecordShard
from mps_study.hooks.checks import raw_parameters
from mps_study.hooks.experiments import name_in_use
from mps_study.hooks.running_mean import RunningMean
from mps_study.hooks.tracking_place import ABOUT, TRACKING_URI, tracking_uri, where_to_compare
from mps_study.images.sampling import HALVES
from mps_study.models.roster.roster import Roster
from mps_study.mps.config import flattened
from mps_study.project.searches import given_searches
from mps_study.report.figures.style import model_colours

log = logging.getLogger(__name__)
MOST = 500
"""Characters of class names that a run keeps."""

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

SEARCH_SUMMARY = ("area", "confidence", "dilation_survival", "evaluations", "n_not_found")
"""Columns of `search_summary` that compare the searches of a model."""


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
    """One MLflow run per (study, model, search, fingerprint): its extraction, measures and figures land together.

    A run is found again by its model and fingerprint, so that pipelines that run on different days add to the same
    one; searches of equal parameters share it, as they share their records.
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
        self._found: dict[str, RunningMean] = {}
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
                self._log_summary(data, SUMMARY)
            case "search_summary":
                self._log_summary(data, SEARCH_SUMMARY)
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
            log.info("MLflow: %s", where_to_compare(tracking_uri(), self._root, experiment))

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
        run = self._run(shard.model, shard.search, shard.fingerprint)
        if run not in self._found:  # a search that goes on goes on with its mean
            history = self._client.get_metric_history(run, "search/area")
            self._found[run] = RunningMean({metric.step: metric.value for metric in history})
        metrics: list[tuple[str, float, int]] = []
        for record in shard.records:
            step = self._steps[record.key]
            metrics.append(("search/evaluations", record.evaluations, step))
            if record.mask is not None:
                mean = self._found[run].add(step, record.area)
                metrics += [("search/area", record.area, step), ("search/area_mean", mean, step)]
        metrics.append(("search/evaluations_per_second", shard.rate, self._steps[shard.records[-1].key]))
        self._metrics(run, metrics)

    def _log_summary(self, summary: pd.DataFrame, columns: Iterable[str]) -> None:
        """Of each row's model, and of its search where the rows have one, what these columns say."""
        for row in summary.to_dict("records"):
            model, search = str(row["model"]), str(row.get("search", OWN))
            run = self._run(model, search, self._marks(search)[model])
            self._metrics(run, [(name, float(row[name]), 0) for name in columns if pd.notna(row.get(name))])

    def _log_sheets(self, sheets: dict[str, bytes | str]) -> None:
        """Each model's run gets the sheet of its sets."""
        for model, fingerprint in self._marks().items():
            sheet = sheets.get(f"{model}.png")
            if isinstance(sheet, bytes):
                self._artifact(self._run(model, OWN, fingerprint), "sets.png", sheet)

    def _log_sizes(self, figures: dict[str, bytes | str]) -> None:
        """Every run of the study's own search gets its size figure, so that each can be seen among the others."""
        picture = figures.get("sizes.png")
        for model, fingerprint in self._marks().items():
            if isinstance(picture, bytes):
                self._artifact(self._run(model, OWN, fingerprint), "sizes.png", picture)

    def _marks(self, search: str = OWN) -> dict[str, str]:
        areas = self._areas[self._areas["search"] == search]
        return dict(zip(areas["model"], areas["fingerprint"], strict=True))

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

    def _run(self, model: str, search: str, fingerprint: str) -> str:
        """The run of this model and fingerprint, reopened or new; it goes by the name that the search has now."""
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
            client.update_run(run, status="RUNNING", name=unit_name(model, search))
            client.set_tag(run, "search", search)
        else:
            tags = self._tags(model, search, fingerprint)
            run = client.create_run(identity, run_name=unit_name(model, search), tags=tags).info.run_id
            parameters = self._run_parameters(model, search).items()
            dataset = Dataset(self._dataset(), fingerprint, "kedro", f"data/{self._study}/02_manifest/manifest.parquet")
            client.log_inputs(run, [DatasetInput(dataset)])
            client.log_batch(run, params=[Param(name, str(value)) for name, value in parameters])
        self._runs[model, fingerprint] = str(run)
        return str(run)

    def _new_experiment(self) -> str:
        """An experiment for the study, which opens on its table of runs, and says what that shows."""
        from mlflow.exceptions import MlflowException

        tags = {
            "mlflow.experimentKind": "custom_model_development",
            "mlflow.note.content": ABOUT.format(study=self._study),
        }
        try:
            return str(self._client.create_experiment(self._experiment, tags=tags))
        except MlflowException:  # another process may have made it meanwhile
            made = self._client.get_experiment_by_name(self._experiment)
            if made is None:
                raise
            return str(made.experiment_id)

    def _tags(self, model: str, search: str, fingerprint: str) -> dict[str, str]:
        chosen = Roster.model_validate(self._parameters["models"]).of_study(
            self._parameters["model"], self._parameters["compared"]
        )
        architectures = {name: entry.architecture for name, entry in chosen.items()}
        return {
            "model": model,
            "search": search,
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

    def _run_parameters(self, model: str, search: str) -> dict[str, Any]:
        entry = self._parameters["models"][model]
        given = given_searches(self._parameters["search"], self._parameters["searches"])[search]
        parameters = {f"search.{name}": value for name, value in flattened(given).items()}
        return {
            "model": model,
            **({"class_names": str(entry["class_names"])[:MOST]} if entry.get("class_names") else {}),
            "timm": entry.get("timm") or entry.get("onnx"),
            "weights": entry.get("weights", "hub"),
            **parameters,
        }

    def _connect(self) -> Any:
        if self._client is None:
            os.environ.setdefault("DO_NOT_TRACK", "true")
            from mlflow import MlflowClient

            for name in ("alembic", "mlflow"):
                logging.getLogger(name).setLevel(logging.WARNING)

            # A relative one would be that of this process's first project in all that follow: MLflow keeps its stores.
            here = f"sqlite:///{Path.cwd().joinpath('mlflow.db').as_posix()}"
            uri = tracking_uri()
            self._client = MlflowClient(tracking_uri=here if uri == TRACKING_URI else uri)
            self._experiment = name_in_use(self._client, self._study, tracking_uri())
        return self._client
