"""Sets as attributions: captum's metrics take them."""

import numpy as np
import pytest
import torch
from torch import nn

from mps_study import MpsAttribution, SearchConfig, extract_mps

CONFIG = SearchConfig("minimal", granularity=4)


class Quarters(nn.Module):
    """Four classes, one a quarter of the picture: how bright it is."""

    def forward(self, inputs):
        parts = nn.functional.avg_pool2d(inputs.mean(dim=1, keepdim=True), 8)
        return 20 * parts.flatten(1)


@pytest.fixture
def inputs():
    random = torch.Generator().manual_seed(0)
    pictures = 0.3 * torch.rand(3, 3, 16, 16, generator=random)
    for i in range(3):
        pictures[i, :, 8 * (i // 2) : 8 * (i // 2) + 8, 8 * (i % 2) : 8 * (i % 2) + 8] += 0.6
    return pictures


def test_an_attribution_is_the_set_in_every_channel(inputs):
    values = MpsAttribution(Quarters().eval(), CONFIG).attribute(inputs)
    records = list(extract_mps([(str(i), x.numpy()) for i, x in enumerate(inputs)], Quarters().eval(), CONFIG))
    assert [record.target.label for record in records] == [0, 1, 2]
    assert values.shape == inputs.shape and values.dtype == inputs.dtype
    for i, record in enumerate(records):
        for channel in values[i]:
            np.testing.assert_array_equal(channel.bool().numpy(), record.mask)
    assert MpsAttribution(Quarters().eval(), CONFIG).attribute(inputs.double()).dtype == torch.float64


def test_a_target_is_one_for_all_or_one_an_input(inputs):
    attribution = MpsAttribution(Quarters().eval(), CONFIG)
    top = attribution.attribute(inputs)
    for target in ([0, 1, 2], torch.tensor([0, 1, 2]), np.array([0, 1, 2])):
        assert torch.equal(attribution.attribute(inputs, target), top)
    assert torch.equal(attribution.attribute(inputs[:1], 0), top[:1])
    with pytest.raises(ValueError, match=r"inputs\[0\] has no set \(below: the class is not on top; say a floor"):
        attribution.attribute(inputs, 3)
    floored = MpsAttribution(Quarters().eval(), SearchConfig("minimal", granularity=4, confidence_floor=0.3))
    inputs[0, :, 8:, 8:] += 0.57
    other = floored.attribute(inputs[:1], 3)
    assert other.sum() == other[..., 8:, 8:].sum() > 0 == top[0, ..., 8:, 8:].sum()
    for wrong in ([0, 1], 0.5, [[0, 1, 2]], "cat"):
        with pytest.raises(ValueError, match="expected an index, or one for each of 3 inputs"):
            attribution.attribute(inputs, wrong)


def test_responsibility_is_rexs_map(inputs):
    config = SearchConfig(iterations=2, min_box_size=4)
    values = MpsAttribution(Quarters().eval(), config, of="responsibility").attribute(inputs[:1])
    (record,) = extract_mps(
        [("0", inputs[0].numpy())], Quarters().eval(), SearchConfig(iterations=2, min_box_size=4, keep_landscape=True)
    )
    np.testing.assert_allclose(values[0, 0].numpy(), record.landscape)
    with pytest.raises(ValueError, match="makes no map of responsibility"):
        MpsAttribution(Quarters().eval(), CONFIG, of="responsibility").attribute(inputs[:1])
    with pytest.raises(ValueError, match="use 'set' or 'responsibility'"):
        MpsAttribution(Quarters().eval(), of="saliency")


def test_inputs_of_another_form_are_told(inputs):
    with pytest.raises(ValueError, match=r"inputs are \(3, 16, 16\); expected \(n, c, h, w\)"):
        MpsAttribution(Quarters().eval(), CONFIG).attribute(inputs[0])
    assert MpsAttribution(Quarters().eval(), CONFIG).attribute(inputs[:0]).shape == (0, 3, 16, 16)


def test_captums_metrics_take_them(inputs):
    metrics = pytest.importorskip("captum.metrics")
    module = Quarters().eval()
    attribution = MpsAttribution(module, CONFIG)
    values = attribution.attribute(inputs)

    def perturbed(pictures):
        noise = 0.1 * torch.rand_like(pictures)
        return noise, pictures - noise

    torch.manual_seed(0)
    infidelity = metrics.infidelity(module, perturbed, inputs, values, target=torch.tensor([0, 1, 2]))
    assert infidelity.shape == (3,) and torch.isfinite(infidelity).all()
    sensitivity = metrics.sensitivity_max(attribution.attribute, inputs, n_perturb_samples=2, perturb_radius=1e-4)
    assert sensitivity.shape == (3,) and torch.isfinite(sensitivity).all()
