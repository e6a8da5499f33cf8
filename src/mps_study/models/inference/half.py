"""A model in half precision, for screening mutants on devices that answer it faster."""

from __future__ import annotations

import tempfile
import warnings
from functools import cached_property
from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from mps_study.models.inference.onnx_file import OnnxFileError

DATA = "weights.data"


class HalfPrecision:
    """The model of an ONNX file in half precision, made once, when it is first asked for; its files go with this."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def model(self) -> tuple[Path, onnx.ModelProto]:
        """Its path and its graph (see `half_precision`)."""
        self._folder = tempfile.TemporaryDirectory(prefix="mps-study-half-")  # sessions read weights from it
        return half_precision(self._path, Path(self._folder.name))


def half_precision(path: Path, folder: Path) -> tuple[Path, onnx.ModelProto]:
    """The model of an ONNX file with float16 weights and sums, written into `folder`; input and output stay float32.

    Returns its path and its graph, whose weights lie beside it.

    Raises:
        OnnxFileError: it cannot be converted.
    """
    model = onnx.load(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of weights that are rounded to the least float16
            half = convert_float_to_float16(model, keep_io_types=True, disable_shape_infer=True)
    except Exception as error:  # whatever an operator that nobody has tried makes of it
        raise OnnxFileError(f"{path}: it cannot be converted to fp16 ({error}); use precision fp32") from error
    target = folder / "half.onnx"
    onnx.save(half, target, save_as_external_data=True, location=DATA, size_threshold=1024)
    return target, onnx.load(target, load_external_data=False)
