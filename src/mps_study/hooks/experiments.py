"""The name of a study's MLflow experiment: one that was deleted in MLflow's page keeps its own."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any

log = logging.getLogger(__name__)


def name_in_use(client: Any, study: str, uri: str) -> str:
    """The study's name; where the experiment of that name was deleted, the next that no deleted one has.

    A warning says where runs are tracked instead, and how the deleted experiment is had back.

    Args:
        client: MLflow's.
        study: the study's name.
        uri: where MLflow tracks, for the message.
    """
    for number in count(1):
        name = study if number == 1 else f"{study} ({number})"
        found = client.get_experiment_by_name(name)
        if found is None or found.lifecycle_stage == "active":
            break
        log.warning(
            "MLflow: the experiment %r was deleted; runs are tracked in '%s (%d)' instead. To go on in it, restore it: "
            "`MLFLOW_TRACKING_URI=%s mlflow experiments restore -x %s`",
            name, study, number + 1, uri, found.experiment_id,
        )  # fmt: skip
    return name
