"""What a run needs of the world: models, images, files, GPU, hub, a folder to write to; looked for before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mps_study.images.candidates import Candidate, SourceError
from mps_study.images.sampling import HALVES, draw
from mps_study.images.sources import candidates_of
from mps_study.models.export.exported import export_request
from mps_study.models.inference.devices import cuda_fault
from mps_study.models.inference.onnx_file import OnnxFileError, read_graph
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.project.parameters import DataSampling, Extraction, ModelExport


def files(nodes: set[str], catalog: Any) -> str | None:
    """The user's own ONNX files, and the checkpoints that the roster names by path."""
    for name, entry in _chosen(nodes, "export_models", catalog).items():
        origin, _, path = entry.weights.removeprefix("fine_tuned:").partition(":")
        if entry.onnx is not None:
            try:
                read_graph(Path(entry.onnx))
            except (FileNotFoundError, OnnxFileError) as error:
                return f"model {name!r}: {error}"
        elif origin == "file" and not Path(path).is_file():
            return f"model {name!r}: there is no checkpoint {path}; set `weights` in the roster to a file that is there"
    return None


def names(nodes: set[str], catalog: Any) -> str | None:
    """Models that timm does not have, or not with these weights, of those that the run trains or exports."""
    entries = _chosen(nodes, "fine_tune_models", catalog) | _chosen(nodes, "export_models", catalog)
    if not entries:
        return None
    from mps_study.models.roster.timm_names import timm_fault  # timm and torch take seconds to load

    faults = [fault for name, entry in entries.items() if (fault := timm_fault(name, entry))]
    return "; ".join(faults) or None


def images(nodes: set[str], catalog: Any) -> str | None:
    """The image sources that the run draws from: each must have as many images as are wanted of it."""
    if "draw_sample" not in nodes:
        return None
    sampling = DataSampling.model_validate(catalog.load("params:data_sampling"))
    wanted = [(half, getattr(sampling, half)) for half in HALVES]
    drawn: list[Candidate] = []
    try:
        for half, images_of in wanted:
            if images_of is not None:
                chosen = draw(candidates_of(images_of.source), half, images_of.n, sampling.seed)
                drawn += chosen if half == "labelled" else []
        if sampling.training is not None:
            candidates_of(sampling.training)
    except SourceError as error:
        return str(error)
    return _labels_fault(drawn, _chosen(nodes, "export_models", catalog))


def _labels_fault(drawn: list[Candidate], models: dict[str, ModelEntry]) -> str | None:
    """One line if an image's class is none of a model's: every answer would count as wrong."""
    last = max(drawn, key=lambda candidate: candidate.label or 0, default=None)
    for name, entry in models.items():
        if last is not None and last.label is not None and last.label >= entry.classes:
            return (
                f"image {last.image!r} is of class {last.label}, but model {name!r} has {entry.classes} classes (0 to "
                f"{entry.classes - 1}); give images of the model's classes, or draw them as unlabelled ones "
                "(data_sampling.labelled.n: 0)"
            )
    return None


def gpu(nodes: set[str], catalog: Any) -> str | None:
    """A GPU, for the search and for fine-tuning, if `extraction.device` says so."""
    if Extraction.model_validate(catalog.load("params:extraction")).device != "cuda":
        return None
    searches = "extract_records" in nodes and cuda_fault() is not None
    trains = any(entry.wants_fine_tuning for entry in _chosen(nodes, "fine_tune_models", catalog).values())
    if searches or (trains and not _torch_has_cuda()):
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
    wanted = {name: entry for name, entry in tuned.items() if entry.wants_fine_tuning and name not in checkpoints}
    for name, entry in exported.items():
        if entry.onnx is not None:
            continue
        done = name in cards and cards[name].request == export_request(entry, None, tolerance)
        if not entry.wants_fine_tuning and not done:
            wanted[name] = entry
    if not wanted:
        return None
    from mps_study.models.weights.hub import hub_fault  # timm and torch take seconds to load

    return hub_fault(wanted)


def _torch_has_cuda() -> bool:
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
    roster = Roster.model_validate(catalog.load("params:models"))
    return roster.choose(catalog.load("params:model"))


NEEDS = (names, images, files, gpu, hub, writable)
"""What a run may lack; each answers with one line that says what is missing and what to do, or None."""
