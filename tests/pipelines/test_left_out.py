"""What a study leaves out is said once a run, however many of its nodes come upon it."""

import pandas as pd
import pytest
from click import ClickException

from mps_study.common.commands import THIS_RUN
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.metrics.measures import fingerprints_of

MODELS = ("resnet", "vit")


def two_nodes_of_a_run():
    """Both want records of models that have none."""
    THIS_RUN.begin("tiny", {})
    for _ in range(2):
        with pytest.raises(ClickException, match="no model has complete records"):
            fingerprints_of(MODELS, {}, {"study": SearchConfig()}, pd.DataFrame(), None, {})


def test_each_model_is_named_once_a_run_with_its_command(caplog):
    two_nodes_of_a_run()
    lines = [record.message for record in caplog.records]
    assert lines == [
        f"{name} has no complete records under this configuration and is left out; "
        f"run `kedro run --env tiny --pipelines mps_extraction --params model={name}`"
        for name in MODELS
    ]
    two_nodes_of_a_run()
    assert len(caplog.records) == 2 * len(MODELS)


def test_a_model_whose_stage_failed_is_named_once_too(caplog):
    THIS_RUN.begin(None, {})
    failures = {("model_export", "vit"): "no weights"}
    for _ in range(2):
        with pytest.raises(ClickException):
            fingerprints_of(MODELS, {}, {"study": SearchConfig()}, pd.DataFrame(), None, failures)
    assert sum("vit is left out: " in record.message for record in caplog.records) == 1
