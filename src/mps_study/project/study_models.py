"""The models of a project's studies, by name and without a Kedro run: `conf/*/parameters_models.yml` and the catalog.

What is exported here lies where `kedro run` looks for it, under the same request: neither exports again what the other
has.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.utils import find_kedro_project

from mps_study.common.commands import Typed, kedro_run
from mps_study.common.spelling import unknown
from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.datasets.models import Checkpoint
from mps_study.datasets.samples import named_classes
from mps_study.images.bundled import photos
from mps_study.images.decoding import decode
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import export_request
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.project.configuration import StudyConfigLoader
from mps_study.project.new_project import ROSTER, own_project
from mps_study.project.parameters import ModelExport, check_parameters

log = logging.getLogger(__name__)


class Study:
    """One environment of a project: its `roster`, name -> entry; which of it are `compared`; what is stored for it.

    `env` is the environment's name; None for base.
    `parameters` are those of conf with `params`, nested, laid over them as `--params` does. They are only checked where
    there are `params`.

    Raises:
        ParameterError: they are not valid; a line for each fault.
    """

    def __init__(self, root: Path, env: str | None = None, params: Mapping[str, Any] | None = None) -> None:
        self.root, self.env = root, env
        loader = StudyConfigLoader(
            str(root / "conf"), env=env, runtime_params=params or {}, base_env="base", default_run_env="local"
        )
        # Read now: Kedro's resolvers belong to the loader that was made last.
        self._catalog, parameters = dict(loader["catalog"]), dict(loader["parameters"])
        self.parameters: dict[str, Any] = parameters
        if params is not None:
            with chdir(root):
                check_parameters(parameters)
        self._tolerance = ModelExport.model_validate(parameters["model_export"]).tolerance
        self.roster: dict[str, ModelEntry] = Roster.model_validate(parameters["models"]).root
        self.compared: list[str] = list(parameters["compared"])

    def dataset(self, name: str) -> Any:
        """A dataset of the catalog that has a `filepath`, below the project's root."""
        entry = dict(self._catalog[name])
        return AbstractDataset.from_config(name, entry | {"filepath": str(self.root / entry["filepath"])})

    def folder(self, name: str) -> Path:
        """Where a dataset of the catalog lies."""
        return self.root / str(self._catalog[name]["filepath"])

    def exported(self, name: str) -> tuple[ModelCard, Path]:
        """The card and the ONNX file of a model of the roster; exported now if it is not there or out of date.

        Raises:
            WeightsError: its weights cannot be had.
            ClaimedError: another process is exporting it.
        """
        card = self.current_card(name)
        if card is None:
            with chdir(self.root):
                self._export(name, self.roster[name], self._checkpoint(name))
            card = self.dataset("model_cards").load()[name]
        return card, self.dataset("onnx_models").load()[name]

    def current_card(self, name: str) -> ModelCard | None:
        """The card of a model of the roster; None if it is not exported, or was from another entry or checkpoint."""
        checkpoint = self._checkpoint(name)
        with chdir(self.root):  # relative paths of the roster are the project's, as they are in a run
            request = export_request(self.roster[name], checkpoint.path if checkpoint else None, self._tolerance)
        card: ModelCard | None = self.dataset("model_cards_so_far").load().get(name)
        return card if card is not None and card.request == request else None

    def _checkpoint(self, name: str) -> Checkpoint | None:
        found: Checkpoint | None = self.dataset("checkpoints").load().get(name)
        return found

    def sample_names(self) -> dict[int, str]:
        """Class index -> name, of the classes that the sample's images name; empty without a sample."""
        return named_classes(self.dataset("sample_so_far").load().manifest())

    def remember(self, card: ModelCard) -> None:
        """Keep a card that now says more, unless a search holds the model: that keeps its own."""
        try:
            with self._claims().claim(f"mps_extraction/{card.name}"):
                self.dataset("model_cards").save({card.name: card})
        except ClaimedError as error:
            log.info("the throughput of %s is not kept: %s", card.name, error)

    def _claims(self) -> Claims:
        claims: Claims = self.dataset("claims").load()
        return claims

    def _export(self, name: str, entry: ModelEntry, checkpoint: Any) -> None:
        # these take seconds, which an exported model need not wait for
        from mps_study.models.export.export import export_model
        from mps_study.models.roster.timm_names import timm_fault
        from mps_study.models.weights.faults import WeightsError
        from mps_study.models.weights.hub import hub_fault

        if entry.wants_fine_tuning:
            command = kedro_run("fine_tuning", typed=Typed(self.env), model=name)
            fault = None if checkpoint else f"model {name!r} is not fine-tuned yet; run `{command}` first"
        else:
            fault = timm_fault(name, entry) or hub_fault({name: entry})
        if fault:
            raise WeightsError(fault)
        log.info("%s: exporting to ONNX; later calls find it", name)
        pictures = [decode(photo.read(), photo.image) for photo in photos()[: ModelExport().parity_images]]
        path, trained = (checkpoint.path, checkpoint.facts) if checkpoint else (None, {})
        with self._claims().claim(f"model_export/{name}") as folder:
            facts = trained.get("holdout_accuracy"), trained.get("class_names")
            exported = export_model(name, entry, pictures, folder, path, self._tolerance, *facts)
            self.dataset("onnx_models").save({name: exported})
            self.dataset("model_cards").save({name: exported.card})


def study_of(model: str, env: str | None = None) -> Study:
    """The study that knows the model: that of `env`; or the first, of base and then all others by name, that compares
    it, or else has it in its roster.

    Raises:
        ValueError: no roster has it (names the nearest), or no project can be made where there is none.
    """
    root = project_here()
    studies: list[Study] = []
    for name in [env] if env else [None, *_other_environments(root)]:
        studies.append(Study(root, name))
        if model in studies[-1].compared:
            return studies[-1]
    for study in studies:
        if model in study.roster:
            return study
    where = f"Rosters are conf/{env or '*'}/parameters_models.yml; a path of an ONNX file ends with .onnx."
    raise ValueError(unknown("model", model, {name for study in studies for name in study.roster}, where))


def project_here() -> Path:
    """The Kedro project around the working directory; else the checkout that this package runs from; else the cache's.

    Raises:
        NewProjectError: there is none, and none can be made.
    """
    for start in (Path.cwd(), Path(__file__).resolve()):
        root = find_kedro_project(start)
        if root is not None and (Path(root) / ROSTER).is_file():
            return Path(root)
    return own_project()


def _other_environments(root: Path) -> list[str]:
    studies = (root / "conf").glob("*/parameters*.yml")
    return sorted({file.parent.name for file in studies} - {"base", "local"})
