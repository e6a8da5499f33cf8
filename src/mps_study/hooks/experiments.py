"""The MLflow experiment of a study."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any

log = logging.getLogger(__name__)

ABOUT = (
    "Minimal sufficient pixel sets (MPS): the fewest pixels that alone keep a model's class. One run a model and "
    "fingerprint. `area_...` are mean shares of the input's pixels; `search/...` are histories over the images, a "
    "step an image of the manifest. Tick runs and *Compare* them; `sizes.png` and `sets.png` are among each run's "
    "artifacts. Tests and intervals: `data/{study}/08_report/report.html`."
)
"""What the experiment's page says of itself."""


def experiment_of(client: Any, study: str, uri: str) -> str:
    """The id of the study's experiment; where that was deleted in MLflow's page, which keeps its name, of another.

    Args:
        client: MLflow's.
        uri: where it tracks, for the message.
    """
    name = study
    for number in count(2):
        found = client.get_experiment_by_name(name)
        if found is None:
            return _new_experiment(client, study, name)
        if found.lifecycle_stage == "active":
            break
        other = f"{study} ({number})"
        log.warning(
            "MLflow: the experiment %r was deleted; runs are tracked in %r instead. To go on in it, restore it: "
            "`MLFLOW_TRACKING_URI=%s mlflow experiments restore -x %s`", name, other, uri, found.experiment_id,
        )  # fmt: skip
        name = other
    return str(found.experiment_id)


def _new_experiment(client: Any, study: str, name: str) -> str:
    """An experiment that opens on its table of runs, and says what that shows."""
    tags = {
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": ABOUT.format(study=study),
    }
    return str(client.create_experiment(name, tags=tags))
