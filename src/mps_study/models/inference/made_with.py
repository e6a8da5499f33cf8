"""What answers come from beside the model: the device and the packages that read images and do the arithmetic."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import PIL

from mps_study.models.inference.throughput import processor


def made_with(device: str) -> dict[str, str]:
    """Device, and versions of ONNX Runtime, NumPy and Pillow. Provenance: records do not depend on it but by rounding.

    Args:
        device: `cpu` or `cuda`, as the classifier was opened.
    """
    return {
        "device": f"{device}: {processor(device)}",
        "onnxruntime": ort.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
    }
