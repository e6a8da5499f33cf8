"""What answers come from beside the model: the device, how it is asked, and the packages of images and sums."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import PIL

from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.devices import driver, provider_options
from mps_study.models.inference.throughput import processor


def made_with(classifier: OnnxClassifier) -> dict[str, str]:
    """Device, options and versions of a classifier's answers. Provenance: records depend on it but by rounding.

    `precision` is that of the screen where it is lower than fp32. `tolerance` is how far this model's batches were
    measured to be from answers alone, as a logit; it is missing until the classifier has answered a batch.
    """
    device, precision = classifier.device, classifier.precision
    options = provider_options(device, precision)
    found = {
        "device": f"{device}: {processor(device)}",
        "driver": driver() if device == "cuda" else "",
        "options": ", ".join(f"{name} {value}" for name, value in options.items()),
        "precision": "" if precision == "fp32" else precision,
        "onnxruntime": ort.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "tolerance": "" if classifier.tolerance is None else f"{classifier.tolerance:.2g}",
    }
    return {name: value for name, value in found.items() if value}
