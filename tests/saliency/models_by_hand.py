"""Models whose maps are known by hand."""

import numpy as np
import torch
from torch import nn

SHAPE = (3, 12, 16)
SEGMENTS = (np.arange(SHAPE[1])[:, None] // 4 * 4 + np.arange(SHAPE[2])[None, :] // 4).astype(np.int64)
"""Superpixels of 4 x 4."""


def case_of(**changes):
    from mps_study.saliency.method import Case

    random = np.random.default_rng(3)
    pixels = random.normal(size=SHAPE).astype(np.float32)
    baseline = np.full(SHAPE, 0.25, dtype=np.float32)
    return Case(**{"key": "image", "pixels": pixels, "baseline": baseline, "target": 1, "seed": 0} | changes)


WEIGHTS = np.random.default_rng(5).normal(size=SHAPE).astype(np.float32) / 20


def additive(inputs, target):
    """No confidence, but a forward function that adds up what each value is worth: exact in any batch."""
    assert target == 1
    return np.array([(WEIGHTS.astype(np.float64) * each).sum() for each in inputs], dtype=np.float32)


def worth(case):
    """(h, w) what each pixel adds to `additive`, next to the baseline."""
    return (WEIGHTS * (case.pixels - case.baseline)).sum(axis=0)


class Linear(nn.Module):
    """Two classes, whose logits differ by a linear function: the confidence of class 1 is its logistic function."""

    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.from_numpy(WEIGHTS))

    def forward(self, inputs):
        value = (inputs * self.weights).sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(value), value], dim=1)


class Pooling(nn.Module):
    """A convolution of 1 x 1, whose feature map is pooled and weighed, as timm builds its networks."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.conv, self.head = nn.Conv2d(3, 5, 1, stride=2), nn.Linear(5, 2)

    def forward_features(self, inputs):
        return self.conv(inputs)

    def forward(self, inputs):
        return self.head(self.forward_features(inputs).mean(dim=(2, 3)))
