"""Preprocessed images of any model, searched from Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mps_study.mps import search
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import Classifier, MpsRecord


def extract_mps(
    images: Iterable[tuple[str, NDArray[np.float32]]],
    model: Any,
    config: SearchConfig | None = None,
    in_flight: int = 8,
    maps: Mapping[str, NDArray[np.float32]] | None = None,
    baseline_image: NDArray[np.float32] | None = None,
    targets: int | Mapping[str, int] | None = None,
) -> Iterator[MpsRecord]:
    """Yield one record an image, in the order of the images, as they are finished.

    The records do not depend on the batch size or workers, on `in_flight`, or on the other images.

    Args:
        images: (key, pixels) pairs; pixels (c, h, w) float32, preprocessed for the model. Read lazily: at most
            about `in_flight` are in memory.
        model: whatever answers mutants (`mps_study.OnnxClassifier`, or a `Classifier` of one's own); or a module of
            torch in evaluation mode, a function (n, c, h, w) -> logits (n, classes), a session of ONNX Runtime, the
            path of an ONNX file, a name of a roster. A `GivenModel` says what its output is, where it is no logits.
        config: the search's parameters; None: `SearchConfig()`.
        in_flight: images searched at the same time, to fill batches.
        maps: key -> (h, w) map by which pixels are ranked, for `ranking: given`.
        baseline_image: (c, h, w) float32, preprocessed, for `baseline: image`.
        targets: index of the class that the sets keep, or key -> index; an image that is not in the mapping keeps
            its top-1. Where a class is not on top, a floor is needed (see `SearchConfig.target`), or its record has
            the status `below`. None takes `config.target`, which then is `top-1` or an index.

    Raises:
        FileNotFoundError: no such ONNX file.
        ValueError: an image that is not a finite float32 array (c, h, w); a map or baseline image that is missing or
            does not fit; `config.target` that is a name or `label`, and no `targets`; a model that is none, or whose
            answers to the first image are not what they are taken for.

    Example:
        >>> def lower_half(inputs):  # two classes: dark and bright below
        ...     bright = inputs[:, :, 8:].mean(axis=(1, 2, 3)) - 0.3
        ...     return 20 * np.stack([-bright, bright], axis=1)
        >>> white = np.ones((1, 16, 16), dtype=np.float32)
        >>> (record,) = extract_mps([("white", white)], lower_half, SearchConfig("minimal", granularity=4))
        >>> record.status, record.pixels, bool(record.mask[:8].any())
        ('found', 48, False)
    """
    return search.extract_mps(*_with_classifier(images, model), config or SearchConfig(), in_flight, maps,
                              baseline_image, targets)  # fmt: skip


def _with_classifier(
    images: Iterable[tuple[str, NDArray[np.float32]]], model: Any
) -> tuple[Iterable[tuple[str, NDArray[np.float32]]], Classifier]:
    """The images, and what answers their mutants; the first image is looked at where the model needs its size."""
    if hasattr(model, "classify"):
        return images, cast(Classifier, model)
    from mps_study.app.python.subject import is_path, subject_of  # takes seconds; the engine alone need not wait
    from mps_study.models.export.own_onnx import check_answers
    from mps_study.models.given.classifier import GivenClassifier
    from mps_study.models.given.given import GivenModel
    from mps_study.models.inference.batched import BatchedClassifier
    from mps_study.models.inference.classifier import OnnxClassifier
    from mps_study.models.inference.painting.painted import check_shape

    given = model if isinstance(model, GivenModel) else GivenModel(model)
    if isinstance(given.model, str) and not is_path(given.model):
        return images, subject_of(given, None, "auto", None).classifier
    images = iter(images)
    first = next(images, None)
    shape = (3, 224, 224) if first is None or np.ndim(first[1]) != 3 else cast(tuple[int, int, int], np.shape(first[1]))
    classifier: BatchedClassifier
    if isinstance(given.model, str | Path):
        classifier = OnnxClassifier(given.model, output=given.output)
    else:
        classifier = GivenClassifier(given.model, shape, given.output)
    if first is None:
        return [], classifier
    if np.ndim(first[1]) == 3 and first[1].dtype == np.float32 and np.isfinite(first[1]).all():
        check_shape(classifier.path, classifier.signature, shape)
        check_answers(classifier, [first[1]])  # else the search says what is wrong with the image
    return chain([first], images), classifier
