"""Real images, a real model: the same records whatever the batch size, the workers and the order of images."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from mps_study import MpsRecord, OnnxClassifier, SearchConfig, extract_mps
from mps_study.common.progress import with_progress
from mps_study.images.decoding import decode
from mps_study.images.sources import candidates_of
from mps_study.models.export.card import ModelCard

WAYS = ((64, 2, 8, False), (1, 1, 3, True))
"""Batch size, workers, images in flight, and whether the images come in reverse."""


def compare(models: Path, images: Path, number: int, model: str = "efficientnet_lite0") -> str:
    """Search `number` images of a folder in every way; what differs, or that nothing does, as a line.

    One iteration an image, and prefixes in steps of 50 pixels: what is tested is the model's answers, and more of the
    same kind would not test more.
    """
    card = ModelCard.model_validate_json((models / f"{model}.json").read_text())
    found = sorted(candidates_of({"kind": "folder", "path": str(images)}), key=lambda candidate: candidate.image)
    chosen = found[:: max(1, len(found) // number)][:number]
    pixels = [(c.image, card.preprocessing.pixels(decode(c.read(), c.image))) for c in chosen]
    config = SearchConfig(iterations=1, chunk_size=50)
    answers: list[dict[str, MpsRecord]] = []
    for batch_size, workers, in_flight, reverse in WAYS:
        classifier = OnnxClassifier(models / f"{model}.onnx", "cpu", batch_size, workers)
        some = iter(pixels[::-1] if reverse else pixels)
        records = extract_mps(some, classifier, config, in_flight)
        answers.append({r.key: r for r in with_progress(records, len(pixels), f"batch size {batch_size}")})
    first = answers[0]
    other = [key for ways in answers[1:] for key in first if not same(first[key], ways[key])]
    asked = sum(record.evaluations for record in first.values())
    return f"{model}: {len(first)} images, {asked} evaluations in each way, {len(other)} records differ {other[:5]}"


def same(a: MpsRecord, b: MpsRecord) -> bool:
    """Equal to the bit: status, target, mask, confidence, counts and map."""
    arrays = all(
        (one is None and two is None) or np.array_equal(one, two)
        for one, two in ((a.mask, b.mask), (a.landscape, b.landscape))
    )
    return arrays and repr(replace(a, mask=None, landscape=None)) == repr(replace(b, mask=None, landscape=None))


if __name__ == "__main__":
    print(compare(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
