"""An experiment that was deleted in MLflow's page does not end the tracking of its study."""

import logging

import pytest
from mlflow import MlflowClient

from mps_study.hooks.experiments import experiment_of


@pytest.fixture
def uri(tmp_path, monkeypatch):
    """Where MLflow tracks."""
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    return f"sqlite:///{tmp_path}/mlflow.db"


def test_runs_of_a_deleted_experiment_are_tracked_beside_it_until_it_is_restored(uri, caplog):
    client = MlflowClient(tracking_uri=uri)
    first = experiment_of(client, "pets", uri)
    assert experiment_of(client, "pets", uri) == first
    client.delete_experiment(first)
    with caplog.at_level(logging.WARNING, logger="mps_study"):
        second = experiment_of(client, "pets", uri)
    (said,) = [record.getMessage() for record in caplog.records if record.name.startswith("mps_study")]
    assert "'pets' was deleted; runs are tracked in 'pets (2)' instead" in said
    assert f"`MLFLOW_TRACKING_URI={uri} mlflow experiments restore -x {first}`" in said
    assert client.create_run(second).info.experiment_id == second != first
    assert experiment_of(client, "pets", uri) == second
    client.restore_experiment(first)
    assert experiment_of(client, "pets", uri) == first
