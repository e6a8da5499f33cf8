"""A roster entry -> ONNX file and card: exported from timm and checked, or the user's own file taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from PIL import Image

from mps_study.common.digests import digest_of_files
from mps_study.models.export.card import ModelCard
from mps_study.models.export.class_names import names_on_card
from mps_study.models.export.exported import Exported, export_request, files_of
from mps_study.models.export.own_onnx import adopt
from mps_study.models.roster.roster import ModelEntry


def export_model(
    name: str,
    entry: ModelEntry,
    images: Sequence[Image.Image],
    folder: Path,
    checkpoint: Path | None = None,
    tolerance: float = 1e-4,
    holdout_accuracy: float | None = None,
    trained_on: Mapping[str, str] | None = None,
) -> Exported:
    """Export a roster entry into `folder` and check it on real images.

    Args:
        images: RGB images on which torch and ONNX Runtime must agree: same top-1, logits within `tolerance`.
        checkpoint: for `weights: fine_tuned`.
        trained_on: class index -> name, of the images on which it was fine-tuned.
        tolerance: largest difference of logits, relative to the largest logit where that exceeds one.

    Raises:
        WeightsError: weights that cannot be had.
        ParityError: the ONNX model answers differently.
        FileNotFoundError, OnnxFileError: an ONNX file of the user's own that is not there, or is not a classifier of
            the expected form.
    """
    request = export_request(entry, checkpoint, tolerance)
    path = folder / f"{name}.onnx"
    if entry.onnx is not None:
        forms, parity = adopt(name, entry, path, images), None
    else:
        from mps_study.models.export.from_timm import export_timm  # torch takes seconds, and may be absent

        preprocessing, parity = export_timm(name, entry, checkpoint, path, images, tolerance)
        forms = {"preprocessing": preprocessing}
    card = ModelCard(
        name=name,
        architecture=entry.architecture,
        timm=entry.timm,
        weights=entry.onnx or entry.weights,
        classes=entry.classes,
        class_names=names_on_card(name, entry, trained_on),
        opset=_opset_of(path),
        digest=digest_of_files(*files_of(path)),
        request=request,
        parity=parity,
        holdout_accuracy=holdout_accuracy,
        output=entry.output,
        **forms,
    )
    return Exported(path, card)


def _opset_of(path: Path) -> int:
    imports = onnx.load(path, load_external_data=False).opset_import
    return next(int(i.version) for i in imports if i.domain in ("", "ai.onnx"))
