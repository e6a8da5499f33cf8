"""Compare image classifiers by their minimal sufficient pixel sets (MPS)."""

from mps_study.mps.config import SearchConfig
from mps_study.mps.search import extract_mps
from mps_study.mps.types import MpsRecord

__version__ = "0.1.0"
__all__ = ["MpsRecord", "OnnxClassifier", "SearchConfig", "extract_mps"]


def __getattr__(name: str) -> object:
    if name == "OnnxClassifier":
        from mps_study.models.classifier import OnnxClassifier

        return OnnxClassifier
    raise AttributeError(f"module 'mps_study' has no attribute {name!r}")
