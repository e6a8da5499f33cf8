"""Nodes of the data_sampling pipeline."""

from __future__ import annotations

import pandas as pd

from mps_study.images.candidates import Candidate
from mps_study.images.sampling import Drawn, collect, draw
from mps_study.images.sources import candidates_of
from mps_study.parameters import DataSampling, Draw
from mps_study.progress import with_progress


def draw_sample(data_sampling: DataSampling) -> tuple[dict[str, bytes], pd.DataFrame]:
    """The images of both halves, and their manifest."""
    halves: dict[str, Draw | None] = {
        "labelled": data_sampling.labelled,
        "unlabelled": data_sampling.unlabelled,
    }
    drawn: list[tuple[Candidate, str, str]] = []
    for half, wanted in halves.items():
        if wanted is None:
            continue
        kind = str(wanted.source.get("kind"))
        taken = {candidate.image for candidate, _, source in drawn if source == kind}
        left = [c for c in candidates_of(wanted.source) if c.image not in taken]
        chosen = draw(left, half, wanted.n, data_sampling.seed)
        drawn += [(candidate, half, kind) for candidate in chosen]
    sample: Drawn = collect(with_progress(drawn, len(drawn), "reading images"))
    return sample.files, sample.manifest


def collect_training_images(
    data_sampling: DataSampling, manifest: pd.DataFrame
) -> tuple[dict[str, bytes], pd.DataFrame]:
    """All labelled images of the training source whose content is not in the sample, and their manifest."""
    source = data_sampling.training
    candidates = candidates_of(source) if source else []
    kind = str(source.get("kind")) if source else ""
    chosen = draw(candidates, "labelled", None, data_sampling.seed)
    training = collect(with_progress([(c, "labelled", kind) for c in chosen], len(chosen), "reading training images"))
    fresh = ~training.manifest["sha256"].isin(set(manifest["sha256"]))
    kept = training.manifest[fresh].reset_index(drop=True)
    return {file: training.files[file] for file in kept["file"]}, kept
