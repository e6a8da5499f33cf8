"""Masks, maps and call counts equal those of rex-xai 0.4.1 itself, bit for bit, on EfficientNet-Lite0.

The reference files were made with tests/reference/rex_masks.py (rex-xai 0.4.1, numpy 1.26.4,
onnxruntime 1.32.0), PIXELS as photos.py writes them:

    rex_masks.py MODEL PIXELS rex_default.npz
    rex_masks.py MODEL PIXELS rex_weighted.npz --only chelsea rocket --iterations 4 --seed 3 --weighted
        --threshold 0.5 --batch-size 14
    rex_masks.py MODEL PIXELS rex_additive.npz --only coffee flower --iterations 4 --seed 7 --style additive
        --queue-style intersection --queue-len 3 --confidence-filter 0.1 --batch-size 14
    rex_masks.py MODEL PIXELS rex_all.npz --only chelsea --iterations 1 --seed 1 --queue-style all
        --batch-size 14
    rex_masks.py MODEL PIXELS rex_contrastive.npz --only chelsea --iterations 2 --seed 5 --contrastive
"""

from pathlib import Path

import numpy as np
import pytest

from mps_study import SearchConfig, extract_mps
from reference.photos import pixels

REFERENCE = Path(__file__).parents[2] / "reference"
CONFIGS = {
    "rex_default": SearchConfig(keep_landscape=True),
    "rex_weighted": SearchConfig(
        iterations=4, seed=3, weighted=True, minimum_confidence_threshold=0.5, keep_landscape=True
    ),
    "rex_additive": SearchConfig(
        iterations=4,
        seed=7,
        responsibility_style="additive",
        queue_style="intersection",
        queue_len=3,
        confidence_filter=0.1,
        keep_landscape=True,
    ),
    "rex_all": SearchConfig(iterations=1, seed=1, queue_style="all", keep_landscape=True),
}


AT_ONCE = {"rex_default": 2, "rex_weighted": 1, "rex_additive": 1, "rex_all": 1}
"""Photographs of each reference that the quick suite asks about; the others are slow."""


@pytest.mark.parametrize(
    ("name", "photos_of_reference"),
    [
        *((name, slice(n)) for name, n in AT_ONCE.items()),
        *(
            pytest.param(name, slice(n, None), marks=pytest.mark.slow)
            for name, n in AT_ONCE.items()
            if name != "rex_all"
        ),
    ],
    ids=[*AT_ONCE, "rex_default_others", "rex_weighted_others", "rex_additive_others"],
)
def test_masks_maps_and_calls_are_those_of_rex_xai(name, photos_of_reference, efficientnet_lite0):
    photos = pixels()
    with np.load(REFERENCE / f"{name}.npz") as reference:
        keys = [key.removesuffix(".mask") for key in reference.files if key.endswith(".mask")][photos_of_reference]
        records = extract_mps([(key, photos[key]) for key in keys], efficientnet_lite0, CONFIGS[name])
        for record in records:
            label, confidence, calls = reference[f"{record.key}.facts"]
            assert record.target.label == label
            assert np.array_equal(record.landscape, reference[f"{record.key}.landscape"]), record.key
            assert np.array_equal(record.mask, reference[f"{record.key}.mask"]), record.key
            # rex-xai asks for whole batches of prefixes: up to 13 beyond the first that passes, with batches of 14.
            assert calls - (0 if name == "rex_default" else 13) <= record.calls <= calls
            assert record.confidence == pytest.approx(confidence, abs=1e-5)
    assert keys


def test_contrastive_and_complete_sets_are_those_of_rex_xai(efficientnet_lite0):
    photo = [("chelsea", pixels()["chelsea"])]
    with np.load(REFERENCE / "rex_contrastive.npz") as reference:
        label, confidence = reference["chelsea.contrast"]
        (contrastive,) = extract_mps(photo, efficientnet_lite0, SearchConfig("contrastive", iterations=2, seed=5))
        assert np.array_equal(contrastive.mask, reference["chelsea.necessity"])
        assert contrastive.contrast == label
        assert contrastive.confidence == pytest.approx(confidence, abs=1e-5)
        (complete,) = extract_mps(photo, efficientnet_lite0, SearchConfig("complete", iterations=2, seed=5))
        # rex-xai calls only the pixels that are added the complete mask.
        assert np.array_equal(complete.mask & ~contrastive.mask, reference["chelsea.complete"])
        assert (complete.mask & contrastive.mask).sum() == contrastive.pixels
