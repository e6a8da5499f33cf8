"""Every parameter of a study, with its type and range; checked before any work begins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mps_study.common.digests import digest_of
from mps_study.common.numbers import plain
from mps_study.common.searches import OWN
from mps_study.common.spelling import unknown
from mps_study.compute.asking import Asking, check_cluster
from mps_study.compute.parts import part_of
from mps_study.datasets.maps.wanted import given_fault
from mps_study.images.annotations.reading import KEY, annotations_of
from mps_study.images.sampling import HALVES
from mps_study.images.sources import source_fault
from mps_study.models.roster.roster import Roster
from mps_study.models.training.recipe import Recipe
from mps_study.mps.config import SearchConfig, laid_over
from mps_study.probing.config import Probing
from mps_study.project.faults import choice_faults, compared_faults, faults_in, roster_faults, strangers
from mps_study.project.searches import (
    baseline_image_fault,
    choose_searches,
    name_fault,
    names_fault,
    not_there,
    searches_of,
)
from mps_study.stats.config import StatisticsConfig


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _takes_numpys_numbers(cls, given: Any) -> Any:
        return plain(given)


class Draw(_Group):
    """One half of the sample: a source (`kind`, and the source's arguments) and how many images."""

    source: dict[str, Any]
    n: Annotated[int, Field(ge=0)]


class DataSampling(_Group):
    """What is drawn. `training` is a source of labelled images for fine-tuning; drawn ones are kept out of it."""

    seed: Annotated[int, Field(ge=0)] = 0
    labelled: Draw | None = None
    unlabelled: Draw | None = None
    training: dict[str, Any] | None = None

    @property
    def request(self) -> dict[str, Any]:
        """What is asked for; the sample depends on this, and on how folders are labelled (`labels.sample_request`)."""
        half = {"source": {KEY}}
        return self.model_dump(exclude={"training": True, "labelled": half, "unlabelled": half})

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Half -> its source, of the halves that are wanted."""
        return {half: draw.source for half in HALVES if (draw := getattr(self, half)) is not None}

    @property
    def annotations(self) -> dict[str, dict[str, Any]]:
        """Half -> the annotations of its images, of the halves whose source has some."""
        return {half: found for half, source in self.sources.items() if (found := annotations_of(source))}

    def training_request(self, sample: Iterable[str]) -> dict[str, Any]:
        """What the training images depend on: their source, and the sample (sha256 of each), which is kept out."""
        return {"training": self.training, "without": digest_of(sorted(sample))}


class ModelExport(_Group):
    """Images and tolerance of the parity check (docs: `mps_study.models.export.export.export_model`)."""

    parity_images: Annotated[int, Field(ge=1)] = 8
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-4


class Extraction(_Group):
    """How the search runs; none of it can change a record.

    `precision` below fp32 screens mutants faster on a GPU; what lies near a decision is asked again in fp32.
    `batch_size` and `workers` are measured, or taken from the machine, when they are null. The run goes on, but ends
    with exit code 1, when more than `max_failed_share` of a model's images could not be searched.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["fp32", "tf32", "fp16"] = "fp32"
    batch_size: Annotated[int, Field(ge=1)] | None = None
    workers: Annotated[int, Field(ge=1)] | None = None
    in_flight: Annotated[int, Field(ge=1)] = 8
    shard_size: Annotated[int, Field(ge=1)] = 8
    max_failed_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    cluster: Annotated[str, AfterValidator(check_cluster)] | None = None
    cluster_workers: Annotated[int, Field(ge=1)] | None = None

    @property
    def asking(self) -> Asking:
        """What of it concerns the model, and travels with it."""
        return Asking(self.device, self.precision, self.batch_size, self.workers, self.in_flight)


class Metrics(_Group):
    """Bootstrap of the summary's intervals, and what is known from another study.

    `fine_tuned_accuracy`: model -> accuracy of its fine-tuned form there (the paper's Table 4); it also breaks ties
    between the best models of an architecture. Read from the summary of `globals: fine_tuned_study` where not given.
    """

    resamples: Annotated[int, Field(ge=1)] = 2000
    seed: Annotated[int, Field(ge=0)] = 0
    fine_tuned_accuracy: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}


class Explorer(_Group):
    """Longest sides in pixels of what the explorer keeps of an image; `heat_map: 0` leaves responsibility out."""

    photo: Annotated[int, Field(ge=32)] = 448
    thumbnail: Annotated[int, Field(ge=16)] = 160
    heat_map: Annotated[int, Field(ge=0)] = 56


class Reporting(_Group):
    """Title, explorer, and images that figures show instead of those that their rules choose: figure -> image."""

    title: str
    figure_images: dict[Literal["gallery", "stages", "largest_hausdorff", "all_wrong_alike", "disagreement"], str] = {}
    explorer: Explorer = Explorer()


PATHS = ("imagenet", "caltech256")
"""Paths that the sources of the paper's studies refer to."""

GROUPS = (
    "data_sampling",
    "fine_tuning",
    "models",
    "compared",
    "model_export",
    "search",
    "searches",
    "extraction",
    "probing",
    "metrics",
    "statistics",
    "reporting",
    "model",
    "only_search",
    "shard",
    *PATHS,
)
"""The top-level keys of the parameters."""


class ParameterError(ValueError):
    """A parameter that is unknown, missing, of the wrong type or out of range; one line each."""


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise ParameterError, a line for each fault, unless all parameters are known and valid."""
    where = "Parameters live in conf/*/parameters*.yml."
    faults = [unknown("parameter", key, GROUPS, where) for key in parameters if key not in GROUPS]
    faults += strangers(parameters)
    groups: dict[str, type] = {
        "data_sampling": DataSampling,
        "fine_tuning": Recipe,
        "models": Roster,
        "model_export": ModelExport,
        "search": SearchConfig,
        "extraction": Extraction,
        "probing": Probing,
        "metrics": Metrics,
        "statistics": StatisticsConfig,
        "reporting": Reporting,
    }
    for name, group in groups.items():
        if name not in parameters:
            faults.append(f"parameter group {name!r} is missing from conf")
        else:
            faults += faults_in(name, parameters[name], group)
    faults += compared_faults(parameters)
    try:
        part_of(parameters.get("shard"))
    except ValueError as error:
        faults.append(str(error))
    if "searches" not in parameters:
        faults.append("parameter group 'searches' is missing from conf")
    if not faults:
        faults += _search_faults(SearchConfig(**parameters["search"]))
    if not faults:
        faults += _searches_faults(parameters["search"], parameters["searches"], parameters.get("only_search"))
    if not faults:
        faults += not_there("statistics.against", parameters["statistics"].get("against", ()), parameters["searches"])
        named = [name for name in parameters["probing"].get("searches") or () if name != OWN]
        faults += not_there("probing.searches", named, parameters["searches"])
    faults += [
        f"parameter {name!r} is {parameters[name]!r}; use the path of a folder"
        for name in PATHS
        if not isinstance(parameters.get(name, "path"), str)
    ]
    if not faults:
        faults += _sources_faults(DataSampling.model_validate(parameters["data_sampling"]))
        roster = Roster.model_validate(parameters["models"])
        faults += roster_faults(roster) + choice_faults(roster, parameters.get("model"), parameters["compared"])
    if faults:
        raise ParameterError("\n".join(faults))


def _searches_faults(search: Mapping[str, Any], searches: Any, only: Any) -> list[str]:
    """What is wrong with the searches that are laid over the study's own, which is valid, and with the chosen one."""
    if not isinstance(searches, Mapping):
        return [
            f"parameter group 'searches' is {searches!r}; it must map names to what differs from `search`, or be {{}}"
        ]
    same = names_fault(searches)
    faults = [same] if same else []
    for name, changes in searches.items():
        fault = name_fault(name)
        if fault or not isinstance(changes, Mapping):
            faults.append(fault or f"parameter 'searches.{name}' is {changes!r}; name what differs from `search`")
            continue
        try:
            laid = laid_over(search, changes)
            found = faults_in("search", laid, SearchConfig) or _search_faults(SearchConfig(**laid))
        except ValueError as error:  # one parameter, written in two ways
            found = [str(error)]
        faults += [re.sub(r"\bsearch\.", f"searches.{name}.", fault) for fault in found]
    if not faults:
        try:
            choose_searches(searches_of(search, searches), None if only is None else str(only))
        except ValueError as error:
            faults.append(str(error))
    return faults


def _search_faults(search: SearchConfig) -> list[str]:
    """What a search needs besides the images: a baseline image, a folder of maps."""
    return [fault for fault in (given_fault(search), baseline_image_fault(search)) if fault]


def _sources_faults(sampling: DataSampling) -> list[str]:
    """Sources of no known kind or with wrong arguments, and a sample of no image."""
    sources = sampling.sources | ({"training": sampling.training} if sampling.training is not None else {})
    faults = [f"data_sampling.{part}: {fault}" for part, source in sources.items() if (fault := source_fault(source))]
    if not sum(draw.n for half in HALVES if (draw := getattr(sampling, half)) is not None):
        faults.append("data_sampling draws no image; raise labelled.n or unlabelled.n")
    if sampling.training is not None and sampling.training.get(KEY) is not None:
        faults.append(f"data_sampling.training: {KEY} are read of the sample alone; remove them")
    return faults
