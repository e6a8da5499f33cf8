"""What is tracked beside a study: the mean as it grows, and an experiment that two processes make at a time."""

from types import SimpleNamespace

import numpy as np
import pytest
from mlflow import MlflowClient

from mps_study.hooks.running_mean import RunningMean
from mps_study.hooks.tracking import MlflowHooks


@pytest.mark.parametrize("order", [range(1, 8), [1, 2, 5, 7, 3, 6, 4]])
@pytest.mark.parametrize("known", [0, 3])
def test_the_mean_is_over_all_images_up_to_each_however_late_they_come(order, known):
    values = np.random.default_rng(0).random(8)
    steps = list(order)
    mean = RunningMean({step: values[step] for step in steps[:known]})
    for n, step in enumerate(steps[known:], start=known + 1):
        here = [values[other] for other in steps[:n] if other <= step]
        assert mean.add(step, values[step]) == pytest.approx(np.mean(here))


def test_images_in_order_cost_one_addition_each():
    class Counted(float):
        looked_at = 0

        def __radd__(self, other):
            Counted.looked_at += 1
            return float(self) + other

    mean = RunningMean({})
    for step in range(1, 501):
        mean.add(step, Counted(step))
    assert Counted.looked_at == 500


def test_whoever_makes_the_experiment_second_tracks_into_that_of_the_first(tmp_path, monkeypatch):
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    hooks = MlflowHooks()
    hooks._study = hooks._experiment = "study"
    first = client.create_experiment("study")  # by the other process, after this one has looked in vain
    hooks._client = client
    assert hooks._new_experiment() == first
    hooks._client = SimpleNamespace(create_experiment=client.create_experiment, get_experiment_by_name=lambda _: None)
    with pytest.raises(Exception, match="already exists"):
        hooks._new_experiment()
