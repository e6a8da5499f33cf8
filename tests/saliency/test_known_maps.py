"""Maps that are known by hand, or by the definition written down naively."""

from itertools import product

import numpy as np
import pytest
import torch
from models_by_hand import SEGMENTS, SHAPE, WEIGHTS, Linear, Pooling, additive, case_of, worth

from mps_study.saliency import surrogates
from mps_study.saliency.backward_gradient import BackwardGradient
from mps_study.saliency.black_box import BlackBox
from mps_study.saliency.gradients import GradCam, IntegratedGradients
from mps_study.saliency.occlusion import Occlusion
from mps_study.saliency.rise import Rise, enlarged
from mps_study.saliency.surrogates import KernelShap, Lime
from mps_study.saliency.white_box import WhiteBox


def blocks(values, side=4):
    """(h, w) each pixel's sum over its block."""
    h, w = values.shape
    sums = values.reshape(h // side, side, w // side, side).sum(axis=(1, 3))
    return np.repeat(np.repeat(sums, side, axis=0), side, axis=1)


def test_occlusion_of_blocks_that_do_not_overlap_is_what_each_block_is_worth():
    case, model = case_of(), BlackBox(additive)
    found = Occlusion(window=4, stride=4).map(case, model)
    np.testing.assert_allclose(found, blocks(worth(case)), atol=1e-5)
    assert model.evaluations == 1 + 3 * 4


def test_occlusion_of_overlapping_blocks_is_the_mean_over_those_that_cover_a_pixel():
    case, model = case_of(), BlackBox(additive)
    found = Occlusion(window=6, stride=3).map(case, model)
    total, n = np.zeros(SHAPE[1:]), np.zeros(SHAPE[1:])
    starts = [(top, left) for top in (0, 3, 6) for left in (0, 3, 6, 9, 12)]
    for top, left in starts:
        part = np.s_[top : top + 6, left : left + 6]
        total[part] += worth(case)[part].sum()
        n[part] += 1
    np.testing.assert_allclose(found, total / n, atol=1e-5)
    assert model.evaluations == 1 + len(starts)


def test_shapley_values_of_an_additive_function_are_what_each_superpixel_adds(monkeypatch):
    monkeypatch.setattr(surrogates, "slic_segments", lambda pixels, n: SEGMENTS)
    case, model = case_of(), BlackBox(additive)
    found = KernelShap(samples=80).map(case, model)
    np.testing.assert_allclose(found, blocks(worth(case)), atol=1e-4)
    assert model.evaluations == 80


def test_lime_is_the_weighted_ridge_regression_of_its_authors(monkeypatch):
    from sklearn.linear_model import Ridge
    from sklearn.metrics import pairwise_distances

    monkeypatch.setattr(surrogates, "quickshift_segments", lambda pixels: SEGMENTS)
    case, asked = case_of(), []

    def remembered(inputs, target):
        asked.extend(inputs)
        return additive(inputs, target)

    model = BlackBox(remembered)
    found = Lime(samples=120, kernel_width=0.25).map(case, model)
    assert model.evaluations == len(asked) == 120
    kept = np.array(
        [[(one[:, s == SEGMENTS] == case.pixels[:, s == SEGMENTS]).all() for s in range(12)] for one in asked]
    )
    distances = pairwise_distances(kept.astype(float), np.ones((1, 12)), metric="cosine").ravel()
    weights = np.sqrt(np.exp(-(distances**2) / 0.25**2))
    fit = Ridge(alpha=1, fit_intercept=True).fit(kept, additive(np.array(asked), 1), sample_weight=weights)
    np.testing.assert_allclose(found, fit.coef_[SEGMENTS], atol=1e-5)


def test_rise_is_near_its_expectation_over_all_grids_and_crops():
    case = case_of()
    rise = Rise(masks=4000, cells=2, kept_share=0.4)
    sides = (6, 8)
    along, down = (enlarged(2, 3 * side) for side in sides)
    expected = np.zeros(SHAPE[1:])
    for bits in product((0, 1), repeat=4):
        grid = np.array(bits, dtype=float).reshape(2, 2)
        chance = np.prod(np.where(grid == 1, 0.4, 0.6)) / (sides[0] * sides[1])
        for top, left in product(range(sides[0]), range(sides[1])):
            mask = along[top : top + 12] @ grid @ down[left : left + 16].T
            value = additive([mask * (case.pixels - case.baseline) + case.baseline], 1)[0]
            expected += chance * value * mask / 0.4
    model = BlackBox(additive)
    found = rise.map(case, model)
    assert model.evaluations == 4000
    spread = np.ptp(expected)
    assert np.abs(found - expected).max() < 0.2 * spread
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


def test_masks_of_rise_are_enlarged_as_scikit_image_does():
    from skimage.transform import resize

    grid = np.random.default_rng(0).random((7, 7))
    weights = enlarged(7, 8 * 5)
    np.testing.assert_allclose(weights @ grid @ weights.T, resize(grid, (40, 40), order=1, mode="edge"), atol=1e-12)


def test_integrated_gradients_of_a_logistic_function_share_its_rise_by_what_each_pixel_adds():
    case, model = case_of(), WhiteBox("linear", Linear())
    found = IntegratedGradients(steps=50).map(case, model)
    low, high = (float((WEIGHTS * each).sum()) for each in (case.baseline, case.pixels))
    gain = 1 / (1 + np.exp(-high)) - 1 / (1 + np.exp(-low))
    np.testing.assert_allclose(found, worth(case) / (high - low) * gain, atol=1e-6)
    assert (model.gradients, model.evaluations) == (50, 0)


def test_grad_cam_of_pooled_features_is_their_sum_by_the_heads_weights():
    case, network = case_of(), Pooling()
    model = WhiteBox("pooling", network)
    found = GradCam().map(case, model)
    with torch.no_grad():
        features = network.conv(torch.from_numpy(case.pixels)[None])[0].numpy()
    coarse = np.einsum("k,khw->hw", network.head.weight.detach()[1].numpy(), features) / features[0].size
    expected = torch.nn.functional.interpolate(torch.from_numpy(coarse)[None, None], SHAPE[1:], mode="bilinear")
    np.testing.assert_allclose(found, expected[0, 0], atol=1e-6)
    assert (model.gradients, model.evaluations) == (1, 1)


@pytest.mark.parametrize("pixels_a_step", [1, 7, 500])
def test_backward_selection_of_a_linear_model_takes_the_least_worth_pixels_first(pixels_a_step):
    case, model = case_of(), WhiteBox("linear", Linear())
    found = BackwardGradient(pixels_a_step=pixels_a_step).map(case, model)
    assert sorted(found.ravel()) == list(range(12 * 16))
    by_worth = worth(case).ravel()[np.argsort(found.ravel())]
    assert (np.diff(by_worth) > -5e-3).all()  # the noise of 1e-6 over a slope of 1e-3
    assert model.gradients == -(-12 * 16 // pixels_a_step) and model.evaluations == 0


def test_backward_selection_looks_again_after_every_step():
    """Two pixels that say the same: once one is gone the other is worth all, and goes last."""

    class Either(torch.nn.Module):
        def forward(self, inputs):
            a, b, c = (inputs[:, 0, 0, i] for i in range(3))
            value = 4 * torch.tanh(a + b) + 0.5 * c
            return torch.stack([torch.zeros_like(value), value], dim=1)

    pixels = np.ones((1, 1, 3), dtype=np.float32)
    case = case_of(pixels=pixels, baseline=np.zeros_like(pixels))
    order = BackwardGradient(pixels_a_step=1).map(case, WhiteBox("either", Either())).ravel()
    assert sorted(order[:2]) == [0, 2] and order[2] == 1


def test_grad_cam_is_captums_and_where_positive_the_papers():
    import timm
    from captum.attr import LayerGradCam

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model("resnet18", num_classes=4)
    pixels = np.random.default_rng(1).normal(size=(3, 96, 96)).astype(np.float32)
    model, inputs = WhiteBox("resnet18", network), torch.from_numpy(pixels)[None]
    lowest = []
    for target in range(4):
        case = case_of(pixels=pixels, baseline=np.zeros_like(pixels), target=target)
        found = GradCam(layer="layer4").map(case, model)
        judge = LayerGradCam(network, network.layer4)
        signed = judge.attribute(inputs, target=target)
        enlarged = torch.nn.functional.interpolate(signed, (96, 96), mode="bilinear")
        np.testing.assert_allclose(found, enlarged[0, 0].detach(), atol=1e-6)
        as_published = judge.attribute(inputs, target=target, relu_attributions=True)
        assert torch.equal(as_published, signed.clamp(min=0))  # the order of what is positive is the same
        lowest.append(found.min())
    assert min(lowest) < 0
