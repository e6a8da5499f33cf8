"""A map depends on the image, its key and the seed, and not on batches, workers, or what was made before."""

import numpy as np
import pytest
import torch
from models_by_hand import SEGMENTS, Linear, Pooling, additive, case_of

from mps_study import SearchConfig
from mps_study.saliency import surrogates
from mps_study.saliency.black_box import BlackBox
from mps_study.saliency.methods import METHODS
from mps_study.saliency.white_box import WhiteBox

SMALL = {
    "occlusion": {"window": 5, "stride": 2},
    "lime": {"samples": 30},
    "kernel_shap": {"samples": 30, "segments": 9},
    "rise": {"masks": 30},
    "integrated_gradients": {"steps": 9},
    "backward_gradient": {"pixels_a_step": 50},
}
ASKING = [name for name, method in METHODS.items() if not method.by_gradient]


@pytest.fixture(autouse=True)
def superpixels(monkeypatch):
    """Of so small a picture quickshift makes one."""
    monkeypatch.setattr(surrogates, "quickshift_segments", lambda pixels: SEGMENTS)


def made(name, case, model=None):
    method = METHODS[name](**SMALL.get(name, {}))
    if method.by_gradient:
        return method.map(case, WhiteBox("model", Pooling() if name == "grad_cam" else Linear()))
    return method.map(case, model or BlackBox(additive))


@pytest.mark.parametrize("name", ASKING)
def test_how_many_are_asked_at_once_and_by_whom_changes_no_digit(name):
    case = case_of()
    first = made(name, case, BlackBox(additive, rows=1))
    for rows, workers in ((1, 2), (3, 1), (8, 2), (64, 1)):
        model = BlackBox(additive, rows, workers)
        np.testing.assert_array_equal(made(name, case, model), first)


@pytest.mark.parametrize("name", METHODS)
def test_a_map_does_not_depend_on_what_was_made_before(name):
    case, other = case_of(), case_of(key="other")
    first = made(name, case)
    made(name, other)
    torch.rand(1)
    np.testing.assert_array_equal(made(name, case), first)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.by_chance])
def test_chance_is_the_images_and_the_seeds(name):
    if name == "backward_gradient":  # only ties are left to chance
        flat = {"pixels": np.ones((3, 12, 16), np.float32), "baseline": np.zeros((3, 12, 16), np.float32)}
        first, *others = (
            METHODS[name](pixels_a_step=192).map(case_of(**flat, **more), WhiteBox("pooling", Pooling()))
            for more in ({}, {"key": "other"}, {"seed": 1})
        )
    else:
        first, *others = (made(name, case_of(**more)) for more in ({}, {"key": "other"}, {"seed": 1}))
    for other in others:
        assert (other != first).any()


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.by_chance])
def test_a_method_without_chance_knows_no_seed(name):
    np.testing.assert_array_equal(made(name, case_of(seed=7, key="other")), made(name, case_of()))


def test_torchs_own_chance_is_left_as_it_was():
    before = torch.get_rng_state()
    for name in METHODS:
        made(name, case_of())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_ranking_by_its_name(name):
    config = SearchConfig(ranking=name)
    assert config.identity() == {"strategy": {"kind": "rex", "ranking": {"kind": name}}}
    assert config.strategy.needs_map
    changed = SMALL.get(name)
    if changed:
        assert SearchConfig(ranking={"kind": name, **changed}) == SearchConfig(ranking=name, **changed)
        assert SearchConfig(ranking=METHODS[name](**changed)) == SearchConfig(ranking=name, **changed)
