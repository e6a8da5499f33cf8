"""Nodes of the fine_tuning pipeline."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
from click import ClickException
from PIL import Image

from mps_study.common.digests import digest_of
from mps_study.common.progress import with_progress
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.models import Checkpoint
from mps_study.datasets.samples import named_classes
from mps_study.datasets.training_states import StateFolder
from mps_study.images.decoding import decode
from mps_study.models.roster.roster import Roster
from mps_study.models.training.recipe import Recipe
from mps_study.models.training.request import fine_tuning_request
from mps_study.pipelines.failing import held_of, under_claim, unless_all_failed
from mps_study.project.parameters import Extraction

log = logging.getLogger(__name__)
STAGE = "fine_tuning"
Step = tuple[dict[str, Checkpoint], Failures]


def fine_tune_models(
    roster: Roster,
    compared: list[str],
    model: str | None,
    training_images: ImageFiles,
    training_manifest: pd.DataFrame,
    recipe: Recipe,
    extraction: Extraction,
    so_far: dict[str, Checkpoint],
    states: StateFolder,
    claims: Claims,
) -> Iterator[Step]:
    """One checkpoint a model whose weights are `fine_tuned`; those that are up to date are left alone.

    A model whose training was killed goes on behind its last finished epoch. A model that fails is noted, and the
    others go on.

    Raises:
        ClickException: no model at all could be trained, or there are no images to train on.
    """
    chosen = {n: e for n, e in roster.choose(model, compared).items() if e.wants_fine_tuning}
    if not chosen:
        yield {}, {}
        return
    if training_manifest.empty:
        raise ClickException(f"{', '.join(chosen)} want fine-tuning, but data_sampling.training names no source")
    facts = dataclasses.asdict(recipe)
    sample = digest_of(training_manifest[["image", "sha256", "label"]].astype(str).to_dict("list"))
    requests = {n: fine_tuning_request(e, sample, facts) for n, e in chosen.items()}
    stale = [n for n in chosen if n not in so_far or so_far[n].facts["request"] != requests[n]]
    images = [
        partial(_decode, training_images, file, image)
        for file, image in zip(training_manifest["file"], training_manifest["image"], strict=True)
    ]
    labels = training_manifest["label"].astype(int).tolist()
    failures: dict[tuple[str, str], str | None] = {(STAGE, name): None for name in chosen if name not in stale}
    yield {}, failures
    if not stale:
        return
    # torch takes seconds and a gigabyte, which a study that trains nothing now need not wait for
    from mps_study.models.training.fine_tuning import fine_tune_entry
    from mps_study.models.weights.loading import digest_of_tensors

    def trained(name: str, _: Path) -> Iterator[Step]:
        state = states.of(name, requests[name])
        found = fine_tune_entry(name, chosen[name], images, labels, recipe, extraction.device, state)
        checkpoint = {
            "request": requests[name],
            "digest": digest_of_tensors(found.state_dict),
            "holdout_accuracy": found.holdout_accuracy,
            "epochs": found.epochs,
            "history": found.history,
            "class_names": named_classes(training_manifest),
        }
        yield {name: Checkpoint(checkpoint, tensors=found.state_dict)}, {(STAGE, name): None}
        state.clear()
        log.info("%s: %.1f %% of held-out training images right", name, 100 * found.holdout_accuracy)

    for name in with_progress(stale, len(stale), "fine-tuning", "model"):
        failures[STAGE, name] = yield from under_claim(claims, STAGE, name, partial(trained, name), lambda n: ({}, n))
    yield {}, held_of(failures)
    unless_all_failed(STAGE, chosen, failures)


def _decode(files: ImageFiles, file: str, image: str) -> Image.Image:
    return decode(files[file], image)
