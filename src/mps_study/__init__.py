"""Compare image classifiers by their minimal sufficient pixel sets (MPS)."""

from importlib import import_module
from typing import TYPE_CHECKING

from mps_study.mps.config import SearchConfig
from mps_study.mps.types import AtFloor, Certificate, Classifier, Curves, Mps, MpsRecord, Target
from mps_study.saliency import methods as _methods  # noqa: F401  # so that a search knows their names

if TYPE_CHECKING:
    from mps_study.app.comparing import compare
    from mps_study.app.explained import Explanation
    from mps_study.app.explanation import explain
    from mps_study.app.python.attribution import MpsAttribution
    from mps_study.app.python.comparison import Comparison
    from mps_study.app.python.searching import extract_mps
    from mps_study.models.given.given import GivenModel
    from mps_study.models.inference.classifier import OnnxClassifier
    from mps_study.models.inference.preprocessing import Preprocessing

__version__ = "0.2.0"
__all__ = [
    "AtFloor",
    "Certificate",
    "Classifier",
    "Comparison",
    "Curves",
    "Explanation",
    "GivenModel",
    "Mps",
    "MpsAttribution",
    "MpsRecord",
    "OnnxClassifier",
    "Preprocessing",
    "SearchConfig",
    "Target",
    "compare",
    "explain",
    "extract_mps",
]

_LAZY = {
    "Comparison": "mps_study.app.python.comparison",
    "Explanation": "mps_study.app.explained",
    "GivenModel": "mps_study.models.given.given",
    "MpsAttribution": "mps_study.app.python.attribution",
    "OnnxClassifier": "mps_study.models.inference.classifier",
    "Preprocessing": "mps_study.models.inference.preprocessing",
    "compare": "mps_study.app.comparing",
    "explain": "mps_study.app.explanation",
    "extract_mps": "mps_study.app.python.searching",
}
"""What needs ONNX Runtime, pandas or Kedro: seconds that the engine alone need not wait for."""


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'mps_study' has no attribute {name!r}")
