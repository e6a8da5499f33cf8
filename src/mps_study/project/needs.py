"""What a run needs of the world: models, images, files, GPU, hub, a folder to write to; looked for before any work."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.class_names import names_from
from mps_study.common.searches import OWN
from mps_study.compute.asking import certificates
from mps_study.datasets.maps.wanted import given_maps_fault, given_of, method_fault, method_of
from mps_study.datasets.samples import REQUEST, named_classes
from mps_study.images.annotations.reading import is_gone, read_regions
from mps_study.images.candidates import Candidate, SourceError
from mps_study.images.sampling import HALVES, draw
from mps_study.images.sources import candidates_of
from mps_study.models.export.class_names import class_index, names_of_entry
from mps_study.models.export.exported import export_request
from mps_study.models.inference.devices import cuda_fault
from mps_study.models.inference.onnx_file import OnnxFileError, read_graph
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.mps.common.terms import LABEL, TOP
from mps_study.project.labels import StudyLabels
from mps_study.project.parameters import DataSampling, Extraction, ModelExport
from mps_study.project.searches import choose_searches, searches_of


def files(nodes: set[str], catalog: Any) -> str | None:
    """The user's own ONNX files, class names, and the checkpoints that the roster names by path."""
    for name, entry in _chosen(nodes, "export_models", catalog).items():
        origin, _, path = entry.weights.removeprefix("fine_tuned:").partition(":")
        try:
            if entry.onnx is not None:
                read_graph(Path(entry.onnx))
            names_of_entry(name, entry)
        except (FileNotFoundError, OnnxFileError) as error:
            return f"model {name!r}: {error}"
        except ValueError as error:
            return str(error)
        if entry.onnx is None and origin == "file" and not Path(path).is_file():
            return f"model {name!r}: there is no checkpoint {path}; set `weights` in the roster to a file that is there"
    return None


def names(nodes: set[str], catalog: Any) -> str | None:
    """Models that timm does not have, or not with these weights, of those that the run trains or exports."""
    entries = _untrained(nodes, catalog) | _stale(_chosen(nodes, "export_models", catalog), catalog)
    if not entries:
        return None
    from mps_study.models.roster.timm_names import timm_fault  # timm and torch take seconds to load

    faults = [fault for name, entry in entries.items() if (fault := timm_fault(name, entry))]
    return "; ".join(faults) or None


def images(nodes: set[str], catalog: Any) -> str | None:
    """The image sources that the run draws from, unless the sample is there: each must have as many as are wanted."""
    if "draw_sample" not in nodes:
        return None
    sampling, study = _study(catalog)
    stored = catalog.load("sample_so_far")
    models = _chosen(nodes, "export_models", catalog)
    try:
        sample = stored.drawn_for(study.sample_request())
        if sample is not None:
            study.check_sample(sample)
        labels = _labels_of(_halves(sampling, study).get("labelled", [])) if sample is None else _labels_in(sample)
        if "collect_training_images" in nodes and sampling.training is not None:
            wanted = None if sample is None else study.training_request(sample["sha256"])
            if wanted is None or catalog.load("training_so_far").drawn_for(wanted) is None:
                trained = {name: entry for name, entry in models.items() if entry.wants_fine_tuning}
                fault = _labels_fault(_labels_of(study.training_images.candidates), trained)
                if fault:
                    return f"data_sampling.training: {fault}"
    except SourceError as error:
        return f"{error}{_other_sample(stored.manifest(), sampling)}"
    return _labels_fault(labels, models)


def marked(nodes: set[str], catalog: Any) -> str | None:
    """What people marked on the images, where a source says that there is such a thing, unless it was read before."""
    if "read_annotations" not in nodes:
        return None
    (sampling, _), before = _study(catalog), catalog.load("annotations_so_far").attrs.get(REQUEST, {})
    try:
        for asked in {repr(each): each for each in sampling.annotations.values()}.values():
            if not (is_gone(asked) and asked in before.get("annotations", {}).values()):
                read_regions(asked, dict.fromkeys(_sampled(nodes, catalog)))
    except SourceError as error:
        return f"data_sampling: {error}"
    return None


def maps(nodes: set[str], catalog: Any) -> str | None:
    """What searches need that rank pixels by a map: captum, a torch model, the user's maps of all images."""
    if not nodes & {"make_maps", "extract_records", "compute_areas", "verify_study"}:
        return None
    every = searches_of(catalog.load("params:search"), catalog.load("params:searches"))
    models = _roster(catalog).choose(catalog.load("params:model"), catalog.load("params:compared"))
    for search, config in choose_searches(every, catalog.load("params:only_search")).items():
        method, given = method_of(config), given_of(config)
        fault = None
        if method is not None and "make_maps" in nodes:
            fault = method_fault(method, models)
        elif given is not None:
            cards = catalog.load("model_cards_so_far")
            shapes = {name: cards[name].preprocessing.size if name in cards else None for name in models}
            fault = given_maps_fault(given, shapes, _sampled(nodes, catalog))
        if fault:
            return f"{'search' if search == OWN else f'searches.{search}'}: {fault}"
    return None


def _sampled(nodes: set[str], catalog: Any) -> list[str]:
    """The images of the sample, or those that the run will draw; none where it cannot, which is said elsewhere."""
    stored = catalog.load("sample_so_far")
    if "draw_sample" not in nodes:
        return [str(image) for image in stored.manifest()["image"]]
    sampling, study = _study(catalog)
    try:
        sample = stored.drawn_for(study.sample_request())
        if sample is not None:
            return [str(image) for image in sample["image"]]
        return [each.image for half in _halves(sampling, study).values() for each in half]
    except SourceError:
        return []


def _halves(sampling: DataSampling, study: StudyLabels) -> dict[str, list[Candidate]]:
    """Half -> the images that will be drawn.

    Raises:
        SourceError: a source cannot be used, or has too few for one of the halves.
    """
    drawn: dict[str, list[Candidate]] = {}
    for half in HALVES:
        wanted = getattr(sampling, half)
        if wanted is not None:
            found = study.labelled_half().candidates if half == "labelled" else candidates_of(wanted.source)
            drawn[half] = draw(found, half, wanted.n, sampling.seed)
    return drawn


def _other_sample(manifest: pd.DataFrame, sampling: DataSampling) -> str:
    """How the sample that is there was drawn, if it was drawn otherwise: asked for alike, it needs no source."""
    before, now = manifest.attrs.get(REQUEST) or {}, sampling.request
    other = {key: value for key, value in before.items() if key in now and value != now[key]}
    if not other:
        return ""
    return f"; the sample that is there was drawn with data_sampling: {other}, and goes on with these"


def _labels_of(drawn: list[Candidate]) -> dict[str, int]:
    return {each.image: each.label for each in drawn if each.label is not None}


def _labels_in(manifest: pd.DataFrame) -> dict[str, int]:
    labelled = manifest.dropna(subset=["label"])
    return {str(image): int(label) for image, label in zip(labelled["image"], labelled["label"], strict=True)}


def _labels_fault(labels: dict[str, int], models: dict[str, ModelEntry]) -> str | None:
    """One line if an image's class is none of a model's: every answer would count as wrong."""
    image, label = max(labels.items(), key=lambda item: item[1], default=("", -1))
    for name, entry in models.items():
        if label >= entry.classes:
            return (
                f"image {image!r} is of class {label}, but model {name!r} has {entry.classes} classes (0 to "
                f"{entry.classes - 1}); give images of the model's classes, or draw them as unlabelled ones "
                "(data_sampling.labelled.n: 0)"
            )
    return None


def targets(nodes: set[str], catalog: Any) -> str | None:
    """Classes that searches ask for by name or index (`search.target`) and a model does not have."""
    models = _chosen(nodes, "extract_records", catalog)
    searches = searches_of(catalog.load("params:search"), catalog.load("params:searches")) if models else {}
    for search, config in choose_searches(searches, catalog.load("params:only_search") if models else None).items():
        for name, entry in models.items() if config.target not in (TOP, LABEL) else ():
            try:
                told = _names_told(name, entry, catalog)
            except (OSError, ValueError):  # said by `files` or `images`
                return None
            try:
                class_index(config.target, entry.classes, told)
            except ValueError as error:
                where = "search" if search == OWN else f"searches.{search}"
                return f"model {name!r}: {str(error).replace('search.target', f'{where}.target')}"
    return None


def _names_told(name: str, entry: ModelEntry, catalog: Any) -> Mapping[int, str]:
    """Index -> name of a model's classes: its own, else those of the sample, else of what that will be drawn from."""
    card = catalog.load("model_cards_so_far").get(name)
    own = names_of_entry(name, entry) or (names_from(card.class_names, name) if card and card.names_itself else ())
    if own:
        return dict(enumerate(own))
    _, study = _study(catalog)
    sample = catalog.load("sample_so_far").drawn_for(study.sample_request())
    return study.labelled_half().names if sample is None else named_classes(sample)


def gpu(nodes: set[str], catalog: Any) -> str | None:
    """A GPU, for the search and for fine-tuning, if `extraction.device` says so; workers elsewhere have their own."""
    extraction = Extraction.model_validate(catalog.load("params:extraction"))
    if extraction.device != "cuda":
        return None
    here = {"verify_study"} if extraction.cluster not in (None, "local") else {"extract_records", "verify_study"}
    searches = nodes & here and cuda_fault() is not None
    if searches or (_untrained(nodes, catalog) and not _torch_has_cuda()):
        return (
            "no GPU: extraction.device is cuda, but no usable CUDA device is found; check `nvidia-smi` and "
            "`pip install -e '.[cuda]'`, or take the CPU and much time: `--params extraction.device=cpu`"
        )
    return None


def hub(nodes: set[str], catalog: Any) -> str | None:
    """Weights from the hub, of models that are not exported or fine-tuned yet."""
    wanted = _untrained(nodes, catalog) | _stale(_chosen(nodes, "export_models", catalog), catalog)
    if not any(entry.timm for entry in wanted.values()):
        return None
    from mps_study.models.weights.hub import hub_fault  # timm and torch take seconds to load

    return hub_fault(wanted)


def _untrained(nodes: set[str], catalog: Any) -> dict[str, ModelEntry]:
    """Those that this run has to fine-tune from the start."""
    tuned = {n: e for n, e in _chosen(nodes, "fine_tune_models", catalog).items() if e.wants_fine_tuning}
    checkpoints = catalog.load("checkpoints_so_far") if tuned else {}
    return {name: entry for name, entry in tuned.items() if name not in checkpoints}


def _stale(models: dict[str, ModelEntry], catalog: Any) -> dict[str, ModelEntry]:
    """Those that have to be exported, of the models that are not fine-tuned before."""
    cards = catalog.load("model_cards_so_far") if models else {}
    tolerance = ModelExport.model_validate(catalog.load("params:model_export")).tolerance if models else 0.0
    return {
        name: entry
        for name, entry in models.items()
        if not entry.wants_fine_tuning
        and (name not in cards or cards[name].request != export_request(entry, None, tolerance))
    }


def _torch_has_cuda() -> bool:
    from mps_study.models.roster.timm_names import missing_packages

    if missing_packages():
        return True  # `names` says it
    import torch  # takes seconds to load

    return torch.cuda.is_available()


def writable(nodes: set[str], catalog: Any) -> str | None:
    """A study folder that can be written to."""
    folder = catalog.load("claims").unwritable()
    return (
        f"the folder {folder} cannot be written to; change its permissions, or mount it for writing" if folder else None
    )


def _chosen(nodes: set[str], node: str, catalog: Any) -> dict[str, ModelEntry]:
    """The models that a node of this run works on; none if it is not part of it."""
    if node not in nodes:
        return {}
    return _roster(catalog).choose(catalog.load("params:model"), catalog.load("params:compared"))


def _study(catalog: Any) -> tuple[DataSampling, StudyLabels]:
    sampling = DataSampling.model_validate(catalog.load("params:data_sampling"))
    labels = StudyLabels(sampling, _roster(catalog), catalog.load("params:model"), catalog.load("params:compared"))
    return sampling, labels


def _roster(catalog: Any) -> Roster:
    return Roster.model_validate(catalog.load("params:models"))


def cluster(nodes: set[str], catalog: Any) -> str | None:
    """Dask, and certificates for an encrypted scheduler, if `extraction.cluster` asks for them."""
    where = Extraction.model_validate(catalog.load("params:extraction")).cluster
    if "extract_records" not in nodes or where is None:
        return None
    if find_spec("distributed") is None:
        return f"extraction.cluster is {where}, but Dask is not installed; `pip install 'mps-study[cluster]'`"
    missing = [] if not where.startswith("tls://") else [file for file in certificates() if not file.is_file()]
    return f"{where} needs certificates, but there is no {missing[0]}; put it there" if missing else None


NEEDS = (names, images, marked, files, targets, maps, gpu, hub, cluster, writable)
"""What a run may lack; each answers with one line that says what is missing and what to do, or None."""
