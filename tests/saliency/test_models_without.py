"""What a method cannot do with a model is one line that says what, and what to do."""

import sys

import numpy as np
import pytest
import timm
from models_by_hand import Pooling, additive, case_of

from mps_study.models.roster.roster import ModelEntry
from mps_study.saliency.black_box import BlackBox
from mps_study.saliency.faults import captum_fault
from mps_study.saliency.gradients import GradCam
from mps_study.saliency.layers import last_feature_map
from mps_study.saliency.method import NoMapError
from mps_study.saliency.occlusion import Occlusion
from mps_study.saliency.surrogates import Lime
from mps_study.saliency.white_box import WhiteBox, white_box


def small(name, **arguments):
    return WhiteBox(name, timm.create_model(name, num_classes=4, **arguments))


def image(side):
    pixels = np.random.default_rng(0).normal(size=(3, side, side)).astype(np.float32)
    return case_of(pixels=pixels, baseline=np.zeros_like(pixels))


@pytest.mark.parametrize(
    ("name", "layer"), [("tf_efficientnet_lite0", "bn2"), ("resnet18", "layer4"), ("convnext_atto", "norm_pre")]
)
def test_grad_cam_looks_at_the_last_feature_map_before_the_pooling(name, layer):
    model = small(name)
    assert last_feature_map(model, image(64)) == layer
    found = GradCam().map(image(64), model)
    assert found.shape == (64, 64) and np.ptp(found) > 0


def test_grad_cam_refuses_a_transformer_and_says_what_to_do():
    model = small("vit_tiny_patch16_224", img_size=32)
    with pytest.raises(
        ValueError, match=r"model 'vit_tiny_patch16_224': Grad-CAM needs .* \(1, 5, 192\).*search.layer"
    ):
        GradCam().map(image(32), model)


def test_a_layer_that_is_asked_for_is_taken_or_the_nearest_is_named():
    model = small("resnet18")
    assert GradCam(layer="layer2").map(image(64), model).shape == (64, 64)
    with pytest.raises(ValueError, match="layer 'layer_2' is unknown; did you mean 'layer2'"):
        GradCam(layer="layer_2").map(image(64), model)
    with pytest.raises(ValueError, match=r"search.layer is 'fc', but model 'resnet18' has no feature map"):
        GradCam(layer="fc").map(image(64), model)


def test_a_model_without_timms_features_is_told():
    network = Pooling()
    network.forward_features = None
    with pytest.raises(ValueError, match="model 'pooling' has no `forward_features`"):
        GradCam().map(case_of(), WhiteBox("pooling", network))


def test_an_onnx_file_has_no_gradient():
    entry = ModelEntry(architecture="Own", onnx="model.onnx")
    with pytest.raises(ValueError, match="model 'own' is an ONNX file, which has no torch form and so no gradient"):
        white_box("own", entry, None, "cpu")


@pytest.mark.parametrize(("given", "says"), [({"window": 13}, "12 x 16 pixels"), ({"stride": 16}, "left out")])
def test_windows_that_do_not_fit_are_told(given, says):
    with pytest.raises(ValueError, match=says):
        Occlusion(**given).map(case_of(), BlackBox(additive))


def test_one_superpixel_alone_is_no_map():
    with pytest.raises(NoMapError, match="lime finds one superpixel in the whole image"):
        Lime().map(case_of(), BlackBox(additive))


def test_without_captum_one_line_says_how_to_get_it(monkeypatch):
    assert captum_fault("search.ranking lime") is None
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setattr("mps_study.saliency.faults.find_spec", lambda name: None)
    assert captum_fault("search.ranking lime") == (
        "search.ranking lime is computed by captum, which is not installed; `pip install 'mps-study[saliency]'`"
    )
