"""Nodes of the data_sampling pipeline."""

from __future__ import annotations

import logging

import pandas as pd

from mps_study.common.digests import digest_of
from mps_study.common.progress import with_progress
from mps_study.datasets.frames import UNCHANGED
from mps_study.datasets.samples import REQUEST, StoredSample, with_request
from mps_study.images.annotations.reading import COLUMNS, bare, is_gone, read_regions
from mps_study.images.sampling import Drawn, collect, collect_all, draw
from mps_study.images.sources import candidates_of
from mps_study.models.roster.roster import Roster
from mps_study.project.labels import StudyLabels
from mps_study.project.parameters import DataSampling, Draw

log = logging.getLogger(__name__)


def draw_sample(
    data_sampling: DataSampling, so_far: StoredSample, roster: Roster, compared: list[str], model: str | None
) -> tuple[dict[str, bytes], pd.DataFrame, pd.DataFrame]:
    """The images of both halves, what was drawn and could not be used, and the manifest.

    Halves of one source, that is of its kind and arguments, share no image.

    Nothing is read, and nothing changes, if the sample that is there was drawn for the same parameters.
    """
    labels = StudyLabels(data_sampling, roster, model, compared)
    request = labels.sample_request()
    if so_far.drawn_for(request) is not None:
        log.info("the sample is there: nothing is drawn")
        return {}, UNCHANGED, UNCHANGED
    halves: dict[str, Draw | None] = {
        "labelled": data_sampling.labelled,
        "unlabelled": data_sampling.unlabelled,
    }
    sample = Drawn()
    before: Draw | None = None
    for half, wanted in halves.items():
        if wanted is None:
            continue
        kind = str(wanted.source.get("kind"))
        same = before is not None and bare(before.source) == bare(wanted.source)
        taken = {row["image"] for row in (*sample.rows, *sample.left_out)} if same else set()
        found = labels.labelled_half().candidates if half == "labelled" else candidates_of(wanted.source)
        left = [c for c in found if c.image not in taken]
        spent = len(sample.left_out) if same else 0
        collect(left, half, wanted.n, data_sampling.seed, kind, sample, spent)
        before = wanted
    return sample.files, sample.left_out_frame, with_request(sample.manifest, request)


def read_annotations(data_sampling: DataSampling, manifest: pd.DataFrame, so_far: pd.DataFrame) -> pd.DataFrame:
    """The `annotations` frame: what people marked on the sample's images; empty where no source says so.

    They are read at every run, so that mended ones count; of files that are gone what was read before stays.
    """
    asked = data_sampling.annotations
    request = {"annotations": asked, "sample": digest_of([*manifest["image"], *manifest["sha256"]])}
    same = so_far.attrs.get(REQUEST) == request
    gone = [each for each in asked.values() if is_gone(each)]
    if same and gone:
        log.warning("%s is gone; what was read of it before stays", gone[0]["path"])
        return UNCHANGED
    frames = [pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)]
    for half, each in asked.items():
        mine = manifest[manifest["half"] == half]
        sizes = zip(mine["width"].astype(int), mine["height"].astype(int), strict=True)
        frames.append(read_regions(each, dict(zip(mine["image"].astype(str), sizes, strict=True))))
    found = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return UNCHANGED if same and found.equals(so_far) else with_request(found, request)


def collect_training_images(
    data_sampling: DataSampling,
    manifest: pd.DataFrame,
    so_far: StoredSample,
    roster: Roster,
    compared: list[str],
    model: str | None,
) -> tuple[dict[str, bytes], pd.DataFrame]:
    """All labelled images of the training source whose content is not in the sample, and their manifest.

    Nothing is read, and nothing changes, if those that are there were collected for the same source and sample.
    """
    labels = StudyLabels(data_sampling, roster, model, compared)
    request = labels.training_request(manifest["sha256"])
    if so_far.drawn_for(request) is not None:
        return {}, UNCHANGED
    source = data_sampling.training
    candidates = labels.training_images.candidates
    kind = str(source.get("kind")) if source else ""
    chosen = draw(candidates, "labelled", None, data_sampling.seed)
    training = collect_all(with_progress(chosen, len(chosen), "reading training images"), "labelled", kind)
    frame = training.manifest
    fresh = ~frame["sha256"].isin(set(manifest["sha256"]))
    kept = frame[fresh].reset_index(drop=True)
    return {file: training.files[file] for file in kept["file"]}, with_request(kept, request)
