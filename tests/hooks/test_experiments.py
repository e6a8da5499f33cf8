"""An experiment that was deleted in MLflow's page does not end the tracking of its study."""

import logging

import pytest
from mlflow import MlflowClient

from mps_study.hooks.experiments import name_in_use


@pytest.fixture
def uri(tmp_path, monkeypatch):
    """Where MLflow tracks."""
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    return f"sqlite:///{tmp_path}/mlflow.db"


def test_runs_of_a_deleted_experiment_are_tracked_beside_it_until_it_is_restored(uri, caplog):
    client = MlflowClient(tracking_uri=uri)
    assert name_in_use(client, "pets", uri) == "pets"
    first = client.create_experiment("pets")
    assert name_in_use(client, "pets", uri) == "pets"
    client.delete_experiment(first)
    with caplog.at_level(logging.WARNING, logger="mps_study"):
        second = name_in_use(client, "pets", uri)
    (said,) = [record.getMessage() for record in caplog.records if record.name.startswith("mps_study")]
    assert "'pets' was deleted; runs are tracked in 'pets (2)' instead" in said
    assert f"`MLFLOW_TRACKING_URI={uri} mlflow experiments restore -x {first}`" in said
    assert second == "pets (2)"
    client.delete_experiment(client.create_experiment(second))
    assert name_in_use(client, "pets", uri) == "pets (3)"
    client.restore_experiment(first)
    assert name_in_use(client, "pets", uri) == "pets"
