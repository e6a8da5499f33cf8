"""Compare image classifiers by their minimal sufficient pixel sets (MPS)."""

from importlib import import_module
from typing import TYPE_CHECKING

from mps_study.mps.config import SearchConfig
from mps_study.mps.search import extract_mps
from mps_study.mps.types import MpsRecord
from mps_study.saliency import methods as _methods  # noqa: F401  # so that a search knows their names

if TYPE_CHECKING:
    from mps_study.app.explained import Explanation
    from mps_study.app.explanation import explain
    from mps_study.models.inference.classifier import OnnxClassifier

__version__ = "0.2.0"
__all__ = ["Explanation", "MpsRecord", "OnnxClassifier", "SearchConfig", "explain", "extract_mps"]

_LAZY = {
    "Explanation": "mps_study.app.explained",
    "OnnxClassifier": "mps_study.models.inference.classifier",
    "explain": "mps_study.app.explanation",
}
"""What needs ONNX Runtime, or torch: seconds that the engine alone need not wait for."""


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'mps_study' has no attribute {name!r}")
